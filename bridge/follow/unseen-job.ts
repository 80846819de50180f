import { scheduledJobName } from '../kubernetes/metadata.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import type { Awaited } from '../lifecycle/inferred.ts';
import { inferRun, noticeRun, provenEnd } from '../lifecycle/inferred.ts';
import type { JobState } from '../lifecycle/job.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Tx } from '../store/tx.ts';
import { announceJob } from './job.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

/**
 * Awaits the Job of the instant that a version of a CronJob names as last scheduled, not before that instant; `state`
 * comes back as it is when there is nothing new. What lies before every destination's cut-off, or what retention may have forgotten, is history.
 */
export function awaitJob(
  turn: Turn,
  previous: CronJobState | undefined,
  state: CronJobState,
  facts: CronJobFacts,
): CronJobState {
  const { tx, now, limits } = turn;
  const at = facts.lastScheduleAt;
  if (at === undefined) return state;
  const others = (state.awaited ?? []).filter((other) => other.at !== at);
  const known = state.awaited?.find((awaited) => awaited.at === at);
  if (known === undefined) {
    const cutoff = Math.min(...turn.destinations.map(({ rule }) => rule.cutoff));
    if (previous?.facts.lastScheduleAt === at || at < cutoff || at <= tx.tombstones.forgottenUpTo()) return state;
    if (tx.runs.keyHolder(`${facts.uid}/${at}`) !== undefined) return state;
    const runKey = `${facts.uid}/${at}`;
    tx.timers.set({ id: timerId(runKey), kind: 'inferred', uid: runKey, due: Math.max(now, at) + limits.graceMs });
  }
  const noticed = noticeRun(known, facts, at, now);
  if (known !== undefined && noticed.uid === known.uid && noticed.successes === known.successes) return state;
  return { ...state, awaited: [...others, noticed] };
}

/** The grace of an awaited Job is over: unless it came, or is still active, its run is concluded from the CronJob's status. */
export function settleAwaited(turn: Turn, runKey: string): void {
  const { tx, now, limits } = turn;
  tx.timers.clear(timerId(runKey));
  const [cronJobUid = '', at] = runKey.split('/');
  const row = tx.objects.get(cronJobUid);
  if (row === undefined) return;
  const state = stateOf<CronJobState>(row);
  const awaited = state.awaited?.find((other) => other.at === Number(at));
  if (awaited === undefined) return;
  if (!isTakenBack(state, awaited) && !isSeen(tx, runKey, state, awaited)) {
    if (isActive(state, awaited)) {
      return tx.timers.set({ id: timerId(runKey), kind: 'inferred', uid: runKey, due: now + limits.graceMs });
    }
    announceAwaited(turn, runKey, state, awaited);
  }
  tx.objects.put({ ...row, state: { ...state, awaited: state.awaited?.filter((other) => other !== awaited) } });
}

/** It was reported before its time, by a clock that was ahead and is right again. */
function isTakenBack({ facts }: CronJobState, { at, since }: Awaited): boolean {
  return since < at && (facts.lastScheduleAt ?? 0) < at;
}

function isSeen(tx: Tx, runKey: string, { facts }: CronJobState, { at, uid }: Awaited): boolean {
  if (tx.runs.keyHolder(runKey) !== undefined) return true;
  // Not every Job holds the key of its instant: before Kubernetes 1.28 a Job does not name it.
  if (uid !== undefined && (tx.objects.get(uid) !== undefined || tx.tombstones.has(uid))) return true;
  const name = scheduledJobName(facts.name, at);
  return jobsOf(tx, facts.uid).some((job) => job.facts.name === name && (job.facts.scheduledAt ?? at) === at);
}

function isActive({ facts, deleted, gone }: CronJobState, { uid }: Awaited): boolean {
  return uid !== undefined && facts.activeUids.includes(uid) && !deleted && gone === undefined;
}

function announceAwaited(turn: Turn, runKey: string, { facts }: CronJobState, awaited: Awaited): void {
  const { tx, now } = turn;
  const own = uuidv5(runKey);
  // A Job that came too late to be no miss: the row that said so becomes its run.
  const uid = tx.runs.get(own) === undefined ? (awaited.uid ?? own) : own;
  tx.runs.claimKey(runKey, uid);
  const succeededAt = provenEnd(facts, awaited, jobsOf(tx, facts.uid));
  const step = inferRun(facts, awaited.at, { uid, runKey, succeededAt, now });
  const row: ObjectRow = {
    uid,
    kind: 'Job',
    namespace: facts.namespace,
    name: step.state.facts.name,
    ownerUid: facts.uid,
    version: step.state.facts.resourceVersion,
    deleted: true,
    overAt: now,
    state: step.state,
  };
  tx.objects.put(row);
  announceJob(turn, step, runKey);
}

function jobsOf(tx: Tx, cronJobUid: string): JobState[] {
  return tx.objects.children(cronJobUid, 'Job').map((row) => stateOf<JobState>(row));
}

function timerId(runKey: string): string {
  return `inferred/${runKey}`;
}
