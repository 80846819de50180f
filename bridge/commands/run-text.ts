import { logName, logOutcome } from '../lib/log-text.ts';
import { pageLink } from '../lib/page-link.ts';
import { eventText } from '../lifecycle/event.ts';
import { waitText } from '../lifecycle/cause.ts';
import type { Attempt, Transition } from '../lifecycle/transition.ts';
import { iso } from '../lib/clock.ts';
import { reasonText, undecidedText } from '../lib/reasons.ts';
import type { DeliveryView } from '../store/delivery-view.ts';
import type { CronJobView, DesiredView, PrunedView, RunDetail, RunView } from '../store/read.ts';
import type { ProblemView } from '../store/problems.ts';
import type { UnjudgedView } from '../store/unjudged.ts';
import type { Decision } from '../store/timeline.ts';
import { columns } from './terminal.ts';

/** One run as readable text: what was seen, what was sent, and what was not and why. `publicUrl` is `web.publicUrl`. */
export function runText(detail: RunDetail, publicUrl?: string): string {
  const { run, transitions } = detail;
  const notSent = detail.decisions.filter(({ verdict }) => verdict !== 'planned');
  const remarked = detail.decisions.filter(({ verdict, reason }) => verdict === 'planned' && reason !== undefined);
  return [
    `${run.namespace}/${runName(run)}: ${run.status.replaceAll('_', ' ')}`,
    columns(facts(run, publicUrl)),
    section(
      'Seen',
      transitions.map((seen) => seenLine(seen, detail.attempts.length > 1)),
      'nothing yet',
    ),
    section('Attempts', detail.attempts.map(attemptLine), 'no pod was seen'),
    ...journalLines(detail.journals),
    ...logLines(detail.logs),
    ...eventLines(detail.events),
    section(
      'Sent',
      detail.deliveries.flatMap((row) => [deliveryLine(row, transitions), ...historyLines(row)]),
      'nothing',
    ),
    ...(remarked.length === 0
      ? []
      : [
          section(
            'Sent all the same, and why',
            remarked.map((row) => decisionLine(row, transitions)),
            '',
          ),
        ]),
    section(
      'Not sent, and why',
      notSent.map((row) => decisionLine(row, transitions)),
      detail.decisions.length === 0 ? undecidedText(run.status) : 'nothing was held back',
    ),
    ...again(detail.deliveries),
  ].join('\n');
}

/** The logs of its containers, if a destination takes them. */
function logLines(logs: RunDetail['logs']): string[] {
  if (logs.length === 0) return [];
  const lines = logs.map((log) => [log.podName, logName(log), `exit ${log.exitCode}`, logOutcome(log)]);
  return [section('Logs', lines, '')];
}

/** What a destination that follows everything has not taken yet. */
function journalLines(journals: RunDetail['journals']): string[] {
  const open = journals.filter(({ waiting }) => waiting > 0);
  if (open.length === 0) return [];
  const lines = open.map(({ destination, waiting, reason, detail }) => {
    return ['○ waiting', destination, `${waiting} of the lines above`, reasonText(reason, detail)];
  });
  return [section('Not exported yet', lines, '')];
}

/** What Kubernetes said about it, as long as that is kept. */
function eventLines(events: RunDetail['events']): string[] {
  if (events.length === 0) return [];
  const lines = events.map((event) => [iso(event.lastAt), event.type, eventText(event), event.regarding.name]);
  return [section('Kubernetes Events', lines, '')];
}

/** What to do about what was given up. */
function again(deliveries: readonly DeliveryView[]): string[] {
  const given = deliveries.filter(({ status }) => status === 'dropped');
  return given.length === 0
    ? []
    : [`\nSend again what was given up: lifecycle-bridge resend ${given.map(({ seq }) => seq).join(' | ')}`];
}

/** A CronJob: when it runs, and what the vendors know of it. */
export function cronJobText({ facts, deleted, desired, problems, unjudged }: CronJobView): string {
  const { schedule, timeZone, suspend } = facts;
  const rows = [
    ['UID', facts.uid],
    ['schedule', `${schedule}${timeZone === undefined ? '' : ` ${timeZone}`}${suspend ? ', suspended' : ''}`],
  ];
  return [
    `${facts.namespace}/${facts.name}: CronJob${deleted ? ', deleted' : ''}`,
    columns(rows),
    ...(unjudged === undefined ? [] : [section('Missed runs are not judged', [unjudgedLine(unjudged)], '')]),
    section(
      'Vendor objects',
      desired.map((row) => rowLine(row, `${facts.namespace}/${facts.name}`)),
      'none: no destination is concerned with this CronJob',
    ),
    ...(problems.length === 0 ? [] : [section('Annotations that cannot be read', problems.map(problemLine), '')]),
  ].join('\n');
}

function unjudgedLine({ reason, detail, sinceAt }: UnjudgedView): string[] {
  return [`since ${iso(sinceAt)}`, reasonText(reason, detail)];
}

function rowLine(row: DesiredView, cronJob: string): string[] {
  const { inSync, destination, key, reason, detail, attempts, objects } = row;
  const [owner] = objects;
  if (owner !== undefined && owner !== cronJob)
    return ['! not the owner', destination, key, `${reasonText('key_conflict')}: ${owner}`];
  if (inSync) return ['✓ in sync', destination, key];
  const why = reason === undefined || reason === 'delivered' ? 'not sent yet' : reasonText(reason, detail);
  return ['○ not in sync', destination, key, attempts > 1 ? `${why}, ${attempts} tries` : why];
}

function problemLine({ annotation, value, allowed, used, destinations }: ProblemView): string[] {
  return [`${annotation}: ${JSON.stringify(value)}`, destinations.join(', '), `allowed: ${allowed}; used: ${used}`];
}

/** What is left of a run that was removed by the retention. */
export function prunedText({ kind, namespace, name, prunedAt, announced }: PrunedView): string {
  const lines = announced.map(({ transition, destination, status, reason, at }) => [
    status,
    at === null ? '' : iso(at),
    destination,
    transition,
    reason === null ? '' : reasonText(reason),
  ]);
  return [
    `${namespace}/${name}: ${kind}, removed from the store at ${iso(prunedAt)} (store.retention)`,
    section('Sent or given up', lines, 'nothing'),
  ].join('\n');
}

/** One line per run, newest first. */
export function runsText(runs: readonly RunView[]): string {
  return columns(
    runs.map((run) => [
      iso(run.startedAt ?? run.createdAt),
      run.status,
      runName(run),
      run.uid,
      run.cause ?? run.reason ?? '',
    ]),
  );
}

/** Of a rollout with its kind and revision. */
function runName({ kind, name, revision }: RunView): string {
  return revision === undefined ? name : `${name}, revision ${revision} of the ${kind}`;
}

function section(title: string, rows: readonly string[][], empty: string): string {
  return `\n${title}\n${rows.length === 0 ? `  ${empty}` : columns(rows)}`;
}

function facts(run: RunView, publicUrl: string | undefined): string[][] {
  const rows: [string, string | undefined][] = [
    ['UID', run.uid],
    ['object', `${run.kind}${run.deleted ? ', deleted' : ''}`],
    run.ownedBy === undefined ? [run.ownerKind ?? 'owner', run.ownerName] : ['owner', run.ownedBy],
    ['scheduled', run.scheduledAt === undefined ? undefined : iso(run.scheduledAt)],
    ['started', run.startedAt === undefined ? 'not yet' : iso(run.startedAt)],
    ['ended', run.endedAt === undefined ? 'not yet' : iso(run.endedAt)],
    ['why', run.cause ?? (sentence(run.reason, run.message) || undefined)],
    ['page', pageLink(publicUrl, 'runs', run.uid)],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

/** With several pods each line says which. */
function seenLine({ at, text, message, about }: Transition, pods: boolean): string[] {
  const shown = message === undefined || text.includes(message) ? text : `${text}: ${message}`;
  return [iso(at), shown, pods && about.kind === 'Pod' ? about.name : ''];
}

function attemptLine(attempt: Attempt): string[] {
  const exit = attempt.exitCode === undefined ? '' : `exit ${attempt.exitCode}`;
  const where = attempt.container === undefined ? '' : `in ${attempt.container}`;
  const isGone = attempt.deleted === true || attempt.goneAt !== undefined;
  return [
    attempt.podName,
    isGone ? `${attempt.phase}, ${attempt.goneAt === undefined ? 'deleted' : 'gone'}` : attempt.phase,
    exit,
    attempt.failed === 'stopped' ? 'stopped' : (attempt.reason ?? ''),
    where,
    attempt.nodeName ?? (isGone ? 'no node' : 'no node yet'),
    iso(attempt.startedAt),
    attempt.waiting === undefined ? '' : waitText(attempt.waiting, attempt.endedAt === undefined && !isGone),
  ];
}

const DECISION_WORDS = { planned: '! planned', waiting: '○ waits', dropped: '– not sent' } as const;

const DELIVERY_WORDS = {
  pending: '○ waiting',
  sending: '○ being sent',
  delivered: '✓ delivered',
  dropped: '✗ given up',
} as const;

function deliveryLine(row: DeliveryView, transitions: readonly Transition[]): string[] {
  const reason = row.reason === 'delivered' ? undefined : row.reason;
  const tries = row.attempts > 1 ? `${row.attempts} tries` : undefined;
  const unknown = row.unknownOutcomes > 0 ? `${row.unknownOutcomes} with an unknown outcome` : undefined;
  const receipt = [reasonText(reason, row.detail) || undefined, tries, unknown]
    .filter((part) => part !== undefined)
    .join(', ');
  return [
    DELIVERY_WORDS[row.status],
    iso(row.settledAt),
    row.destination,
    nameOf(row.transitionId, transitions),
    receipt,
  ];
}

/** Answers that did not settle it, and who had it sent again. */
function historyLines({ answers, resends }: DeliveryView): string[][] {
  return [
    ...answers.map(({ reason, detail, count, lastAt }) => [
      '  answer',
      iso(lastAt),
      '',
      '',
      `${count} × ${reasonText(reason, detail)}`,
    ]),
    ...resends.map(({ at, by, wasReason, wasDetail }) => {
      return ['  sent again', iso(at), '', '', `by ${by}; before: ${reasonText(wasReason, wasDetail)}`];
    }),
  ];
}

function decisionLine(row: Decision, transitions: readonly Transition[]): string[] {
  return [
    DECISION_WORDS[row.verdict],
    row.destination,
    nameOf(row.transitionId, transitions),
    reasonText(row.reason, row.detail),
  ];
}

function nameOf(id: string, transitions: readonly Transition[]): string {
  return transitions.find((transition) => transition.id === id)?.text ?? id;
}

function sentence(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(': ');
}
