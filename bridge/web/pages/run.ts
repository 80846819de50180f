import { waitText } from '../../lifecycle/cause.ts';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Answer, DeliveryView } from '../../store/delivery-view.ts';
import type { QuarantineView, RunDetail, RunView } from '../../store/read.ts';
import type { DestinationLink } from '../../sinks/index.ts';
import type { Decision } from '../../store/timeline.ts';
import type { UnjudgedView } from '../../store/unjudged.ts';
import { type Child, type Html, html } from '../html.ts';
import { reasonText, undecidedText } from '../../lib/reasons.ts';
import { badge, DELIVERY_LOOKS, facts, href, payload, RUN_LOOKS, time } from '../parts.ts';
import { events } from './events.ts';
import { runJournals } from './journals.ts';
import { logs } from './logs.ts';
import { type Frame, note, type PageContent } from './layout.ts';
import { took } from './runs.ts';
import { unjudgedNote } from './unjudged.ts';

/** What is known of a run beside what the store has of it. */
interface More {
  readonly quarantined?: QuarantineView | undefined;
  readonly unjudged?: UnjudgedView | undefined;
  readonly links?: readonly DestinationLink[];
}

/** One run: what was seen, what was decided, what was sent, and why not. */
export function runPage(
  detail: RunDetail,
  { now }: Pick<Frame, 'now'>,
  { quarantined, unjudged, links = [] }: More = {},
): PageContent {
  const { run, transitions } = detail;
  return {
    title: run.revision === undefined ? run.name : `${run.name}, revision ${run.revision}`,
    tab: '/',
    body: html`
      <p class="crumb"><a href="/">Runs</a></p>
      <h1>${run.namespace}/${run.name} ${badge(RUN_LOOKS[run.status])}</h1>
      ${why(run)} ${quarantined && notUnderstood(quarantined)} ${unjudgedNote(unjudged)} ${runFacts(run, now, links)}
      <h2>Timeline</h2>
      ${transitions.length === 0 ? html`<p class="empty">Nothing happened yet.</p>` : timeline(transitions, detail.attempts.length > 1)}
      <h2>Attempts</h2>
      ${detail.attempts.length === 0 ? html`<p class="empty">No pod was seen.</p>` : attempts(detail.attempts, now)}
      <h2>Deliveries</h2>
      ${detail.deliveries.length === 0 ? html`<p class="empty">${noDelivery(detail)}</p>` : deliveries(detail)}
      ${decided(detail)} ${runJournals(detail)} ${logs(detail)} ${events(detail)}
    `,
  };
}

function notUnderstood({ id, at, reason, error }: QuarantineView): Html {
  return note(
    'warn',
    html`A version of this object is in <a href="/quarantine/${id}">quarantine</a> since ${time(at)}:
      ${reasonText(reason, error)}`,
  );
}

function noDelivery({ run, decisions }: RunDetail): string {
  return decisions.length === 0 ? undecidedText(run.status) : 'Nothing was sent; the reasons are below.';
}

function why({ status, reason, message, cause }: RunView): Child {
  if ((cause ?? reason ?? message) === undefined) return undefined;
  const text = cause ?? html`${reason !== undefined && html`<b>${reason}</b> `}${message}`;
  if (status === 'failed' || status === 'missed') return note('bad', text);
  return status === 'stuck' || status === 'cancelled' ? note('warn', text) : html`<p>${text}</p>`;
}

function runFacts(run: Run, now: Instant, links: readonly DestinationLink[]): Html {
  const owner = run.ownedBy === undefined ? run.ownerName : undefined;
  const made = run.status !== 'missed' && run.status !== 'skipped';
  const rows: readonly (readonly [string, Child])[] = [
    ['CronJob', owner !== undefined && html`<a href="${href('/', { namespace: run.namespace, owner })}">${owner}</a>`],
    ['Owner', run.ownedBy],
    ['Revision', run.revision],
    ['Scheduled', run.scheduledAt !== undefined && time(run.scheduledAt)],
    ['Started', made && time(run.startedAt, 'not yet')],
    ['Ended', made && time(run.endedAt, 'not yet')],
    ['Took', took(run, now)],
    ['Backend', links.length > 0 && links.map(backendLink)],
    ['UID', html`<code>${run.uid}</code>`],
    ['Object', made && `${run.kind}${run.deleted ? ', deleted' : ''}`],
  ];
  return facts(rows);
}

/** Which destination it is shows when the pointer is over it. */
function backendLink({ destination, label, url }: DestinationLink): Html {
  return html`<a href="${url}" rel="noreferrer" title="${label} in ${destination}">${label}</a> `;
}

/** With several pods each line says which. */
function timeline(transitions: readonly Transition[], pods: boolean): Html {
  return html`<ol class="timeline">
    ${transitions.map(
      (transition) =>
        html`<li id="transition-${transition.id}" class="${tone(transition)}">
          ${time(transition.at)}
          <span
            >${transition.text}
            ${pods && transition.about.kind === 'Pod' && html`<small>${transition.about.name}</small>`}
            ${message(transition)}</span
          >
        </li>`,
    )}
  </ol>`;
}

function message({ message, text }: Transition): Child {
  return message !== undefined && !text.includes(message) && html`<small>${message}</small>`;
}

function tone({ kind, outcome, container }: Transition): string {
  const { exitCode } = container ?? {};
  if (outcome === 'succeeded' || exitCode === 0) return 'good';
  if (outcome === 'failed' || (exitCode ?? 0) !== 0) return 'bad';
  if (kind === 'cronjob.missed') return 'bad';
  return kind === 'run.stuck' || kind === 'event.warned' || outcome === 'cancelled' ? 'warn' : 'quiet';
}

function attempts(rows: readonly Attempt[], now: Instant): Html {
  const indexed = rows.some((row) => row.index !== undefined);
  return html`<table class="list attempts" aria-label="Attempts">
    <thead>
      <tr>
        <th>Pod</th>
        ${indexed && html`<th>Index</th>`}
        <th>Phase</th>
        <th>Exit</th>
        <th>Node</th>
        <th>Started</th>
        <th>Took</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr id="pod-${row.podUid}">
            <td class="name">${row.podName}</td>
            ${indexed && html`<td>${row.index}</td>`}
            <td>${row.phase}${isGone(row) && html`, ${row.goneAt === undefined ? 'deleted' : 'gone'}`}</td>
            <td>${exit(row)}</td>
            <td>${row.nodeName ?? (isGone(row) ? 'no node' : 'no node yet')}</td>
            <td class="when">${time(row.startedAt, 'not started')}</td>
            <td class="took">${took({ ...row, endedAt: row.endedAt ?? row.goneAt }, now)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function exit({ exitCode, reason, container, failed, waiting, endedAt, message }: Attempt): Child {
  const more = waiting === undefined ? message : waitText(waiting, endedAt === undefined);
  const line = more !== undefined && html`<small class="line">${more}</small>`;
  if (exitCode === undefined) return html`${reason} ${line}`;
  const where = container !== undefined && html`<small>in ${container}</small>`;
  return html`<b>${exitCode}</b> ${failed === 'stopped' ? 'stopped with its pod' : reason} ${where} ${line}`;
}

/** It exists no more. */
function isGone({ deleted, goneAt }: Attempt): boolean {
  return deleted === true || goneAt !== undefined;
}

function deliveries({ deliveries, transitions }: RunDetail): Html {
  return html`<table class="list deliveries" aria-label="Deliveries">
    <thead>
      <tr>
        <th>State</th>
        <th>What</th>
        <th>Destination</th>
        <th>Receipt</th>
        <th>When</th>
      </tr>
    </thead>
    <tbody>
      ${deliveries.map((row) => deliveryRow(row, transitions))}
    </tbody>
  </table>`;
}

function deliveryRow(row: DeliveryView, transitions: readonly Transition[]): Html {
  return html`<tr>
    <td>${badge(DELIVERY_LOOKS[row.status])}</td>
    <td>${transitionText(row.transitionId, transitions)} ${payload(`payload-${row.seq}`, 'payload', row.payload)}</td>
    <td>${row.destination}</td>
    <td>${receipt(row)}</td>
    <td class="when">${time(row.settledAt ?? row.createdAt)}</td>
  </tr>`;
}

/** What is known of a delivery beyond its state; nothing at all of one that was simply delivered. */
export function receipt(row: DeliveryView): Child {
  const tries = row.attempts > 1 ? `${row.attempts} tries` : undefined;
  const unknown = row.unknownOutcomes > 0 ? `${row.unknownOutcomes} with an unknown outcome` : undefined;
  const counts = [tries, unknown].filter(Boolean).join(', ');
  return [
    reasonText(row.reason === 'delivered' ? undefined : row.reason, row.detail),
    counts !== '' && html` <small>${counts}</small>`,
    row.status === 'pending' && row.nextAt !== undefined && html` <small>next try ${time(row.nextAt)}</small>`,
    row.status === 'dropped' && html` <small>no. ${row.seq}</small>`,
    earlierAnswers(row).map(
      ({ count, reason, detail, lastAt }) =>
        html`<small class="line">${count} × ${reasonText(reason, detail)}, last ${time(lastAt)}</small>`,
    ),
    row.resends.map(
      ({ at, by, wasReason, wasDetail }) =>
        html`<small class="line">sent again ${time(at)} by ${by}; before: ${reasonText(wasReason, wasDetail)}</small>`,
    ),
  ];
}

/** Of one that waits, the last answer is its reason already. */
export function earlierAnswers({ status, answers, reason }: DeliveryView): readonly Answer[] {
  return status === 'pending' && answers.length === 1 && answers[0]?.reason === reason ? [] : answers;
}

function transitionText(id: string, transitions: readonly Transition[]): string {
  return transitions.find((transition) => transition.id === id)?.text ?? id;
}

function decided({ decisions, transitions }: RunDetail): Child {
  const notSent = decisions.filter(({ verdict }) => verdict !== 'planned');
  const remarked = decisions.filter(({ verdict, reason }) => verdict === 'planned' && reason !== undefined);
  return html`${decisionTable('Sent all the same, and why', remarked, transitions)}
  ${decisionTable('Not sent, and why', notSent, transitions)}`;
}

function decisionTable(title: string, rows: readonly Decision[], transitions: readonly Transition[]): Child {
  if (rows.length === 0) return undefined;
  return html`<h2>${title}</h2>
    <table class="list" aria-label="${title}">
      <thead>
        <tr>
          <th>What</th>
          <th>Destination</th>
          <th>Why</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => decisionRow(row, transitions))}
      </tbody>
    </table>`;
}

function decisionRow(row: Decision, transitions: readonly Transition[]): Html {
  return html`<tr>
    <td>${transitionText(row.transitionId, transitions)}</td>
    <td>${row.destination}</td>
    <td>${reasonText(row.reason, row.detail)}</td>
  </tr>`;
}
