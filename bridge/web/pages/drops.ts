import { REASONS, reasonText } from '../../lib/reasons.ts';
import type { DropCount, DropView, Page, QuarantineView } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { DROP_LABELS, facts, href, paging, time } from '../parts.ts';
import { type DropsQuery, parameters } from '../query.ts';
import { readable } from '../readable.ts';
import type { PageContent } from './layout.ts';
import { type RunNames, subject } from './lists.ts';
import { table } from './table.ts';

export interface DropsView {
  readonly query: DropsQuery;
  readonly page: Page<DropView>;
  readonly counts: readonly DropCount[];
  /** Records since the start with nothing new, by kind. */
  readonly quiet: ReadonlyMap<string, number>;
  readonly names: RunNames;
}

/** Everything that was not sent or not understood, counted by reason, and why. */
export function dropsPage({ query, page, counts, quiet, names }: DropsView): PageContent {
  const rows = page.items.map(
    (row) =>
      html`<tr id="${row.kind}-${row.id}">
        <td class="when">${time(row.at)}</td>
        <td>${DROP_LABELS[row.kind]}</td>
        <td class="name">${what(row, names)}</td>
        <td>${row.destination}</td>
        <td>${reasonText(row.reason, row.detail)}</td>
      </tr>`,
  );
  return {
    title: 'Not sent',
    tab: '/drops',
    body: html`<h1>Not sent, and why</h1>
      ${quietText(quiet)} ${kindFilter(query, counts)} ${reasonFilter(query, counts)}
      ${table('Not sent', ['When', 'Kind', 'What', 'Destination', 'Why'], rows, empty(query))}
      ${paging('/drops', parameters(query), page.next)}`,
  };
}

function empty({ reason, kind }: DropsQuery): string {
  return reason === undefined && kind === undefined
    ? 'Nothing was decided against, given up or not understood.'
    : 'Nothing here for this filter.';
}

function what(row: DropView, names: RunNames): Child {
  if (row.kind === 'quarantine') return html`<a href="/quarantine/${row.id}">${row.subject}</a>`;
  const again = row.kind === 'delivery' && html` <small>no. ${row.id}</small>`;
  return html`${subject(row.runUid, row.subject, names)}${again}`;
}

function quietText(quiet: ReadonlyMap<string, number>): Child {
  const kinds = [...quiet].toSorted(([a], [b]) => a.localeCompare(b)).map(([kind, count]) => `${count} × ${kind}`);
  if (kinds.length === 0) return undefined;
  return html`<ul class="facts">
    <li>Records with nothing new since the start: ${kinds.join(', ')}</li>
  </ul>`;
}

function kindFilter(query: DropsQuery, counts: readonly DropCount[]): Html {
  const { kind: _, reason: __, cursor: ___, ...rest } = parameters(query);
  const total = (kind?: string): number =>
    counts.reduce((sum, row) => sum + (kind === undefined || row.kind === kind ? row.count : 0), 0);
  const link = (label: string, kind?: string): Html =>
    html`<a href="${href('/drops', { ...rest, kind })}" aria-current="${String(kind === query.kind)}"
      >${label} <b>${total(kind)}</b></a
    >`;
  return html`<nav class="filter" aria-label="Kinds">
    ${link('all')}${Object.entries(DROP_LABELS).map(([kind, label]) => link(label, kind))}
  </nav>`;
}

function reasonFilter(query: DropsQuery, counts: readonly DropCount[]): Child {
  const { reason: _, cursor: __, ...rest } = parameters(query);
  const shown = counts.filter(({ kind }) => query.kind === undefined || kind === query.kind);
  const reasons = new Map<DropCount['reason'], number>();
  for (const { reason, count } of shown) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  if (query.reason !== undefined && !reasons.has(query.reason)) reasons.set(query.reason, 0);
  if (reasons.size === 0) return undefined;
  return html`<ul class="reasons">
    ${[...reasons].map(([reason, count]) => {
      const chosen = reason === query.reason;
      const to = href('/drops', { ...rest, reason: chosen ? undefined : reason });
      return html`<li>
        <a href="${to}" aria-current="${String(chosen)}"><b>${count}</b> ${REASONS[reason]}${chosen && ' ✕'}</a>
      </li>`;
    })}
  </ul>`;
}

/** One row of the quarantine with its content, as far as it may be shown. */
export function quarantinePage(row: QuarantineView): PageContent {
  return {
    title: 'Not understood',
    tab: '/drops',
    body: html`<p class="crumb"><a href="/drops?kind=quarantine">Not understood</a></p>
      <h1>${row.subject}</h1>
      <p>${reasonText(row.reason, row.error)}</p>
      ${facts([
        ['When', time(row.at)],
        ['Kept', `${row.size} bytes`],
        ['Version', row.version],
      ])}
      <h2>Content</h2>
      ${content(row)}`,
  };
}

/** A timer that could not be processed has none: its error is all there is. */
function content({ bytes, size }: QuarantineView): Html {
  if (size === 0) return html`<p class="empty">No bytes were kept.</p>`;
  return html`<p class="hint">Cut, and without what looks like a secret.</p>
    <pre class="content" tabindex="0">${readable(bytes)}</pre>`;
}
