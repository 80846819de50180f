import type { Failure } from '../../checker.ts';
import type { Heard } from '../../heard.ts';
import { checkJobs } from '../../runs.ts';
import { eventsOf } from '../../shown.ts';
import type { Checking } from '../vendor.ts';
import type { SentryAccount } from './account.ts';

/** What is wrong with the check-ins and issues of a project. */
export function checkSentry(account: SentryAccount, checking: Checking): Failure[] {
  return [
    ...checkJobs(checking, checkInsOf(account), () => undefined, { lateStartsAreLeftOut: true }),
    ...droppedOf(account),
    ...checkEvents(account, checking),
    ...checkWarnings(account, checking),
  ];
}

/** The logger of issues that are made of Kubernetes Events. */
const WARNINGS = 'kubernetes.events';

/** A run that goes on is reported again and again: only its first check-in is its start. */
function checkInsOf({ checkIns }: SentryAccount): Heard[] {
  const started = new Set<string>();
  return checkIns.flatMap(({ at, checkIn: { check_in_id: id, status, contexts } }): Heard[] => {
    if (status === 'in_progress' && started.has(id)) return [];
    if (status === 'in_progress') started.add(id);
    const uid = uidOf(contexts?.trace.trace_id ?? '');
    return [{ at, said: `${id} ${status}`, uid, state: STATES[status], stamp: undefined }];
  });
}

const STATES = { in_progress: 'run', ok: 'complete', error: 'fail' } as const;

function uidOf(trace: string): string {
  return trace.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** After its 200 Sentry drops what it cannot use: a careful client sends nothing like that. */
function droppedOf({ projects }: SentryAccount): Failure[] {
  return [...projects.values()].flatMap(({ dropped }) =>
    dropped.map(({ slug, type }) => ({ what: `Sentry dropped a check-in of ${slug}: ${type}` })),
  );
}

/** No issue about what went well, and one about each Job that failed and was shown in time. */
function checkEvents({ events }: SentryAccount, { simulation, tenures }: Checking): Failure[] {
  const { readyAt } = tenures[0]!;
  const own = events.filter(({ event }) => event.logger !== WARNINGS);
  const byUid = new Map(own.map(({ event }) => [uidOf(traceOf(event.contexts) ?? ''), event]));
  return [...simulation.truth.jobs.values()].flatMap((job) => {
    const { uid, namespace, name, outcome, takenBack } = job;
    const event = byUid.get(uid);
    const isFine = outcome === 'succeeded' && job.failures === undefined && takenBack === undefined;
    if (isFine && event !== undefined)
      return [{ what: `${namespace}/${name}: an issue, and nothing failed: ${event.message}`, uid }];
    // Long enough after the start that it is not before the cut-off.
    const wasShown = (simulation.shown.get(uid)?.endedAt ?? Infinity) < Infinity && (job.endedAt ?? 0) > readyAt;
    if (outcome === 'failed' && wasShown && event === undefined && takenBack === undefined)
      return [{ what: `${namespace}/${name}: failed, and there is no issue`, uid }];
    return [];
  });
}

/** An issue about each Warning that was acknowledged; that of a Job which fails is one with its end. */
function checkWarnings({ events }: SentryAccount, { simulation, tenures }: Checking): Failure[] {
  const texts = events
    .filter(({ event }) => event.logger === WARNINGS)
    .map(({ event }) => event.message ?? event.logentry?.formatted ?? '');
  const wanted = eventsOf(simulation, tenures[0]!).filter(
    ({ type, regarding }) => type === 'Warning' && regarding?.['kind'] === 'Pod',
  );
  return wanted
    .filter(({ note }) => !texts.some((text) => text.includes(note!)))
    .map(({ metadata: { name, uid } }) => ({ what: `no issue about the Warning ${name}`, uid }));
}

/** The trace that an event names. */
export function traceOf(contexts: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return (contexts?.['trace'] as { trace_id?: string } | undefined)?.trace_id;
}
