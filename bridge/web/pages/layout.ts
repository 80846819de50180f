import type { Instant } from '../../lib/clock.ts';
import type { Retirement } from '../../store/operations.ts';
import type { OutboxDepth } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { duration, time } from '../parts.ts';

/** What every page shows around its content. */
export interface Frame {
  readonly cluster: { readonly name: string; readonly scope: 'cluster' | readonly string[] };
  readonly version: string;
  readonly ready: boolean;
  readonly notes: readonly string[];
  readonly outbox: readonly OutboxDepth[];
  readonly now: Instant;
  readonly retirement: Retirement | undefined;
  /** Only the content: who is not let in gets no links. */
  readonly bare?: boolean;
  readonly logout?: boolean;
  /** Version of what is shown; open pages learn of a newer one. Without it, as on an error page, nothing updates. */
  readonly live?: string;
}

const TABS = [
  ['/', 'Runs'],
  ['/desired', 'Vendor objects'],
  ['/deliveries', 'Deliveries'],
  ['/drops', 'Not sent'],
] as const;

export interface PageContent {
  readonly title: string;
  /** Path of the tab it belongs to. */
  readonly tab?: string;
  readonly body: Child;
}

/** A whole page. `main` is what the script replaces while the page is open. */
export function layout(frame: Frame, { title, tab, body }: PageContent): string {
  const { bare = false, version, cluster, live } = frame;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · ${bare ? '' : `${cluster.name} · `}lifecycle-bridge</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css?v=${version}" />
        ${live !== undefined && script(version)}
      </head>
      <body ${live !== undefined && html`data-live="${live}"`}>
        <a class="skip" href="#main">Skip to content</a>
        <header>
          <div class="brand"><a href="/">lifecycle-bridge</a> ${!bare && clusterName(frame)}</div>
          ${!bare && html`<nav aria-label="Main">${TABS.map(([path, label]) => tabLink(path, label, tab))}</nav>`}
        </header>
        <main id="main">${healthNotes(frame)} ${retiredNote(frame)} ${body}</main>
        ${!bare && footer(frame)}
      </body>
    </html>`.text;
}

function script(version: string): Html {
  return html`<script defer src="/assets/idiomorph.js?v=${version}"></script>
    <script type="module" src="/assets/page.js?v=${version}"></script>
    <noscript><meta http-equiv="refresh" content="10" /></noscript>`;
}

function clusterName({ cluster: { name, scope } }: Frame): Html {
  return html`<span class="cluster">
    <b>${name}</b> ${scope === 'cluster' ? 'whole cluster' : `namespaces ${scope.join(', ')}`}
  </span>`;
}

function footer({ version, logout = false }: Frame): Html {
  return html`<footer>
    <span id="live" role="status"></span>
    <div>
      <span
        >times in <span id="zone">UTC</span> · version ${version} · <a href="/metrics">metrics</a> ·
        <a href="/api/runs">API</a></span
      >
      ${logout && html`<form method="post" action="/logout"><button type="submit">Log out</button></form>`}
    </div>
  </footer>`;
}

function tabLink(path: string, label: string, current: string | undefined): Html {
  return path === current
    ? html`<a href="${path}" aria-current="page">${label}</a>`
    : html`<a href="${path}">${label}</a>`;
}

function healthNotes({ ready, notes }: Frame): Child {
  const cannot = html`<b>The bridge cannot commit.</b> Nothing new is taken until it can; see
    <a href="/readyz">/readyz</a>.`;
  return [!ready && note('bad', cannot), ...notes.map((text) => note('bad', html`${text}`))];
}

function retiredNote({ retirement }: Frame): Child {
  if (retirement === undefined) return undefined;
  const { since, by, destinations } = retirement;
  const rows = destinations.reduce((sum, row) => sum + row.rows, 0);
  const left = destinations.reduce((sum, row) => sum + row.open + row.refused, 0);
  return note(
    'warn',
    html`<b>Retired</b> by ${by} since ${time(since)}: what is kept at vendors is paused (${rows - left} of ${rows}
      accepted) and no telemetry is sent. <code>lifecycle-bridge retire --undo</code> ends that.`,
  );
}

export function note(tone: 'bad' | 'warn', text: Child): Html {
  return html`<p class="note ${tone}">
    <span aria-hidden="true">${tone === 'bad' ? '✕' : '!'}</span><span>${text}</span>
  </p>`;
}

/** What waits to be sent, in words. */
export function outboxText(outbox: readonly OutboxDepth[], now: Instant): string {
  const waiting = outbox.reduce((sum, row) => sum + row.pending, 0);
  if (waiting === 0) return 'outbox empty';
  const oldest = Math.min(...outbox.map((row) => row.oldestCreatedAt ?? now));
  return `${waiting} ${waiting === 1 ? 'delivery' : 'deliveries'} waiting, oldest ${duration(now - oldest)}`;
}
