import type { Run, RunStatus } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import type { CronJobView, Page, RunView } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { badge, duration, elapsed, href, paging, RUN_LOOKS, runHref, time } from '../parts.ts';
import { parameters, type RunsQuery } from '../query.ts';
import { cronJobFacts } from './cron-job-facts.ts';
import { type Frame, note, outboxText, type PageContent } from './layout.ts';
import { problemNotes } from './problems.ts';
import { unjudgedNote } from './unjudged.ts';

const MAX_WHY = 160;

export interface RunsView {
  readonly query: RunsQuery;
  readonly page: Page<RunView>;
  readonly counts: Partial<Record<RunStatus, number>>;
  readonly seen: { readonly cronJobs: number; readonly problemObjects: number };
  /** Whose runs are shown. */
  readonly cronJob: CronJobView | undefined;
}

/** The list of runs with its filters. */
export function runsPage(view: RunsView, frame: Frame): PageContent {
  const { page, query, seen, cronJob } = view;
  return {
    title: 'Runs',
    tab: '/',
    body: html`
      <h1>Runs</h1>
      ${seen.cronJobs === 0 && noCronJobs(frame)} ${problemNotes(cronJob?.problems ?? [])}
      ${unjudgedNote(cronJob?.unjudged)} ${cronJobFacts(cronJob, frame.now)}
      <ul class="facts">
        <li><a href="/cronjobs">${count(seen.cronJobs, 'CronJob')} seen</a></li>
        <li><a href="/deliveries?status=pending">${outboxText(frame.outbox, frame.now)}</a></li>
        ${notInSync(frame)} ${unread(seen.problemObjects)}
      </ul>
      ${searchForm(query)} ${stateFilter(view)} ${activeFilters(query)}
      ${page.items.length === 0 ? html`<p class="empty">${none(query)}</p>` : runsTable(page.items, query, frame.now)}
      ${paging('/', parameters(query), page.next)}
    `,
  };
}

function none({ q }: RunsQuery): string {
  return q === undefined ? 'No run here yet.' : 'No run has such a name, pod or UID here.';
}

/** Within what is filtered; the states count what is found. */
function searchForm(query: RunsQuery): Html {
  const { q = '', cursor: _, ...rest } = parameters(query);
  const kept = Object.entries(rest).filter(([, value]) => value !== undefined);
  return html`<form class="search" action="/" role="search">
    <input
      type="search"
      name="q"
      value="${q}"
      maxlength="300"
      aria-label="Search runs"
      placeholder="Job, CronJob, workload, pod, UID or trace id"
    />
    ${kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button type="submit">Search</button>
  </form>`;
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

function unread(objects: number): Child {
  const text = `${count(objects, 'object')} with annotations that cannot be read`;
  return objects > 0 && html`<li><a href="/problems">${text}</a></li>`;
}

function noCronJobs({ cluster }: Frame): Html {
  const where = cluster.scope === 'cluster' ? 'the whole cluster' : `the namespaces ${cluster.scope.join(', ')}`;
  return note(
    'warn',
    html`<b>No CronJob was seen in ${where} yet.</b> If there are some, run <code>lifecycle-bridge check</code>: it
      tests the Kubernetes API, the permissions and the Collector's port.`,
  );
}

function notInSync({ outbox }: Frame): Child {
  const count = outbox.reduce((sum, row) => sum + row.notInSync, 0);
  return (
    count > 0 &&
    html`<li><a href="/desired">${count} ${count === 1 ? 'vendor object' : 'vendor objects'} not in sync</a></li>`
  );
}

function stateFilter({ query, counts }: RunsView): Html {
  const { status, cursor: _, ...rest } = parameters(query);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const states = Object.entries(RUN_LOOKS).map(([name, { sign, tone, label }]) => {
    const count = isStatus(name) ? (counts[name] ?? 0) : 0;
    if (count === 0 && name !== status) return undefined;
    return html`<a
      class="${tone}"
      href="${href('/', { ...rest, status: name })}"
      aria-current="${String(name === status)}"
      ><span aria-hidden="true">${sign}</span> ${label} <b>${count}</b></a
    >`;
  });
  return html`<nav class="filter" aria-label="States">
    <a href="${href('/', rest)}" aria-current="${String(status === undefined)}">all <b>${total}</b></a
    >${states}
  </nav>`;
}

function isStatus(name: string): name is RunStatus {
  return Object.hasOwn(RUN_LOOKS, name);
}

function activeFilters(query: RunsQuery): Child {
  const { cursor: _, ...rest } = parameters(query);
  const active = (['namespace', 'owner'] as const).filter((name) => query[name] !== undefined);
  if (active.length === 0) return undefined;
  return html`<p class="active">
    ${active.map(
      (name) =>
        html`<span
          >${name === 'owner' ? 'CronJob' : name} <b>${query[name]}</b>
          <a
            href="${href('/', { ...rest, [name]: undefined })}"
            aria-label="Remove this filter"
            title="Remove this filter"
            >✕</a
          ></span
        > `,
    )}
  </p>`;
}

function runsTable(runs: readonly RunView[], query: RunsQuery, now: Instant): Html {
  return html`<table class="list runs" aria-label="Runs">
    <thead>
      <tr>
        <th>State</th>
        <th>Run</th>
        <th>CronJob</th>
        <th>Started</th>
        <th>Took</th>
        <th>Why</th>
      </tr>
    </thead>
    <tbody>
      ${runs.map((run) => runRow(run, query, now))}
    </tbody>
  </table>`;
}

function runRow(run: RunView, query: RunsQuery, now: Instant): Html {
  const { cursor: _, ...rest } = parameters(query);
  const owner = run.ownedBy === undefined ? run.ownerName : undefined;
  const ownerLink =
    owner !== undefined && html`<a href="${href('/', { ...rest, namespace: run.namespace, owner })}">${owner}</a>`;
  return html`<tr id="run-${run.uid}">
    <td>${badge(RUN_LOOKS[run.status])}</td>
    <td class="name">
      <a class="namespace" href="${href('/', { ...rest, namespace: run.namespace })}">${run.namespace}</a>/<a
        href="${runHref(run.uid)}"
        >${run.name}</a
      >
      ${run.revision !== undefined && html`<small>${run.kind}, revision ${run.revision}</small>`}
    </td>
    <td class="owner">${ownerLink}</td>
    <td class="when">${time(run.startedAt ?? missedAt(run), 'not started')}</td>
    <td class="took">${took(run, now)}</td>
    <td class="why">${shortened(run.cause ?? run.reason)}</td>
  </tr>`;
}

/** The whole cause stands on the run's own page. */
function shortened(cause: string | undefined): Child {
  if (cause === undefined || cause.length <= MAX_WHY) return cause;
  return html`<span title="${cause}">${cause.slice(0, MAX_WHY).toWellFormed()}…</span>`;
}

/** Scheduled time of a run that never got a Job. */
function missedAt({ status, scheduledAt }: Run): Instant | undefined {
  return status === 'missed' || status === 'skipped' ? scheduledAt : undefined;
}

/** How long a run or a pod took, or takes up to now. */
export function took({ startedAt, endedAt }: Pick<Run, 'startedAt' | 'endedAt'>, now: Instant): Child {
  if (startedAt === undefined) return undefined;
  return endedAt === undefined ? elapsed(now - startedAt) : duration(endedAt - startedAt);
}
