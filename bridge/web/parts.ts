import type { RunStatus } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import { iso } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { DeliveryStatus } from '../store/delivery-view.ts';
import type { DropKind } from '../store/read.ts';
import { type Child, type Html, html } from './html.ts';
import { masked } from './masked.ts';

type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'quiet';

interface Look {
  readonly sign: string;
  readonly tone: Tone;
  readonly label: string;
}

/** How a state looks: a sign and a word, so that colour is never the only signal. */
export const RUN_LOOKS: Readonly<Record<RunStatus, Look>> = {
  running: { sign: '▶', tone: 'busy', label: 'running' },
  pending: { sign: '○', tone: 'quiet', label: 'pending' },
  stuck: { sign: '!', tone: 'warn', label: 'stuck' },
  suspended: { sign: '‖', tone: 'quiet', label: 'suspended' },
  failed: { sign: '✕', tone: 'bad', label: 'failed' },
  cancelled: { sign: '⊘', tone: 'warn', label: 'cancelled' },
  succeeded: { sign: '✓', tone: 'good', label: 'succeeded' },
  replaced: { sign: '↻', tone: 'quiet', label: 'replaced' },
  superseded: { sign: '↻', tone: 'quiet', label: 'superseded' },
  rolled_back: { sign: '↶', tone: 'warn', label: 'rolled back' },
  missed: { sign: '!', tone: 'bad', label: 'missed' },
  skipped: { sign: '–', tone: 'quiet', label: 'skipped' },
  never_started: { sign: '–', tone: 'quiet', label: 'never started' },
  unknown: { sign: '?', tone: 'warn', label: 'unknown' },
};

export const DELIVERY_LOOKS: Readonly<Record<DeliveryStatus, Look>> = {
  pending: { sign: '○', tone: 'quiet', label: 'waiting' },
  sending: { sign: '▶', tone: 'busy', label: 'sending' },
  delivered: { sign: '✓', tone: 'good', label: 'delivered' },
  dropped: { sign: '✕', tone: 'bad', label: 'given up' },
};

/** What kind of thing was not sent. */
export const DROP_LABELS: Readonly<Record<DropKind, string>> = {
  decision: 'not sent',
  delivery: 'given up',
  journal: 'not exported',
  quarantine: 'not understood',
  record: 'not taken',
};

export function badge({ sign, tone, label }: Look): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${sign}</span> ${label}</span>`;
}

/** A point in time; the page's script shows it in the viewer's zone. */
export function time(at: Instant | undefined, absent: Child = '–'): Child {
  if (at === undefined) return absent;
  const text = iso(at);
  if (!text.endsWith('Z')) return text;
  return html`<time datetime="${text}" title="${text}">${text}</time>`;
}

/** What goes on: the page's script counts on from there. */
export function elapsed(ms: number): Html {
  return html`<span data-elapsed="${ms}">${duration(ms)}</span>`;
}

/** Milliseconds as people say them; Kubernetes knows whole seconds: < 1 s, 42 s, 3 m 20 s, 2 h 5 m, 3 d 4 h. */
export function duration(ms: number): string {
  if (ms < 1000) return '< 1 s';
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [big, bigUnit, small, smallUnit] =
    seconds < 3600
      ? [Math.floor(seconds / 60), 'm', seconds % 60, 's']
      : seconds < 86_400
        ? [Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'm']
        : [Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3600), 'h'];
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** A path with the parameters that have a value. */
export function href(path: string, parameters: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams(given).toString();
  return query === '' ? path : `${path}?${query}`;
}

export function runHref(uid: string): string {
  return `/runs/${encodeURIComponent(uid)}`;
}

/** Names and values of one thing; a row without a value is left out. */
export function facts(rows: readonly (readonly [name: string, value: Child])[], id?: string): Html {
  const shown = rows.filter(([, value]) => value !== undefined && value !== false && value !== '');
  return html`<dl class="facts" ${id !== undefined && html` id="${id}"`}>
    ${shown.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** JSON of a vendor without its secrets, shown only when a person opens it; by its `id` it stays open over updates. */
export function payload(id: string, label: string, value: Json): Html {
  return html`<details id="${id}">
    <summary>${label}</summary>
    <pre tabindex="0">${JSON.stringify(masked(value), null, 2)}</pre>
  </details>`;
}

/** Links to the first and the following page of a list. */
export function paging(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  next: string | undefined,
): Child {
  const { cursor, ...rest } = query;
  if (cursor === undefined && next === undefined) return undefined;
  return html`<nav class="paging" aria-label="Pages">
    ${cursor !== undefined && html`<a href="${href(path, rest)}">Newest</a>`}
    ${next !== undefined && html`<a rel="next" href="${href(path, { ...rest, cursor: next })}">Older</a>`}
  </nav>`;
}
