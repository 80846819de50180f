import { isOwnedByCronJob } from '../kubernetes/metadata.ts';
import type { JobFacts } from '../kubernetes/observation.ts';
import { podRun, unknownPodEnd } from '../lifecycle/bare-pod.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import { provenSuccess } from '../lifecycle/gone.ts';
import type { Ending, JobState } from '../lifecycle/job.ts';
import { concludeJob, endJob } from '../lifecycle/job.ts';
import type { PodState } from '../lifecycle/pod.ts';
import { podAttempt, runUidOf } from '../lifecycle/pod.ts';
import type { Instant } from '../lib/clock.ts';
import type { ObjectRow, Tx } from '../store/store.ts';
import { announce, markWaiting, NO_MEMORY } from './announce.ts';
import type { Destination } from './deps.ts';
import { planCronJob } from './observe-cronjob.ts';
import { awaitDeletion, goneTimer, isHeldByDeletion, replacement, tellJob } from './observe-job.ts';
import { refreshRun } from './observe-pod.ts';
import type { UnwrittenVersions } from './state.ts';
import { stateOf } from './state.ts';

/** For this long the real ending may still come, e.g. out of the Collector's queue. */
export const GONE_GRACE_MS = 15 * 60_000;

/**
 * Two LISTs in a row lacked the object, the last at `version`: its monitors are retired at once, its run gets `graceMs`
 * for its real ending. False when it is known to be away already.
 */
export function markGone(
  tx: Tx,
  destinations: readonly Destination[],
  unwritten: UnwrittenVersions,
  { uid, version, graceMs }: { readonly uid: string; readonly version: string; readonly graceMs: number },
  now: Instant,
): boolean {
  const row = unwritten.load(tx, uid);
  if (row === undefined || row.deleted) return false;
  const lost = { ...row, deleted: true, overAt: now, state: { ...row.state, gone: { at: now, version } } };
  unwritten.forget(uid);
  tx.putObject(lost);
  if (row.kind === 'CronJob') {
    planCronJob(tx, destinations, stateOf<CronJobState>(lost), now);
  } else if (loseRun(tx, destinations, lost, now)) {
    tx.setTimer({ id: goneTimer(uid), kind: 'gone', uid, due: now + graceMs });
  }
  return true;
}

/** Shows the run as gone; true when its ending is not known. */
function loseRun(tx: Tx, destinations: readonly Destination[], row: ObjectRow, now: Instant): boolean {
  const run = tx.run(row.uid);
  if (row.kind === 'Job') {
    const state = stateOf<JobState>(row);
    if (run === undefined) return false;
    refreshRun(tx, row.uid, run.run.runKey, run.memory);
    if (state.ended !== undefined) return false;
    if (isOwnedByCronJob(state.facts.owner)) {
      markWaiting(tx, destinations, { id: `${run.run.runKey}/ended`, kind: 'run.ended' }, 'awaiting_outcome', now);
    }
    return true;
  }
  const state = stateOf<PodState>(row);
  const runUid = runUidOf(state.facts);
  if (runUid !== undefined) tx.putAttempt(runUid, podAttempt(state));
  if (runUid !== row.uid) {
    const job = runUid === undefined ? undefined : tx.run(runUid);
    if (job !== undefined) refreshRun(tx, job.run.uid, job.run.runKey, job.memory);
    return false;
  }
  tx.putRun({ run: podRun(state), memory: run?.memory ?? NO_MEMORY });
  return state.endedAt === undefined;
}

/** The grace of a run that is gone is over: it succeeded if its CronJob proves that, else its ending is unknown. */
export function settleGone(tx: Tx, destinations: readonly Destination[], uid: string, now: Instant): void {
  tx.clearTimer(goneTimer(uid));
  const row = tx.object(uid);
  if (row?.kind === 'Job') settleJob(tx, destinations, row, now);
  else if (row?.kind === 'Pod') settlePod(tx, destinations, row, now);
}

function settleJob(tx: Tx, destinations: readonly Destination[], row: ObjectRow, now: Instant): void {
  const state = stateOf<JobState>(row);
  const run = tx.run(row.uid);
  if (run !== undefined && isHeldByDeletion(state)) return settleDeletion(tx, destinations, row, run.run.runKey, now);
  const { gone, ended, deletedAt } = state;
  if (gone === undefined || ended !== undefined || deletedAt !== undefined || run === undefined) return;
  const provenAt = provenSuccess(state.facts, state.startedAt, ...witnesses(tx, state.facts));
  const told = { reason: undefined, message: undefined };
  const ending: Ending =
    provenAt === undefined
      ? { outcome: 'unknown', at: gone.at, ...told }
      : { outcome: 'succeeded', at: provenAt, inferred: true, ...told };
  const step = concludeJob(state, run.run.runKey, ending);
  tx.putObject({ ...row, state: step.state });
  tellJob(tx, destinations, step, run.run.runKey, now);
}

/** A Job that is being deleted for long ends as if it were deleted, once none of its pods is active. */
function settleDeletion(
  tx: Tx,
  destinations: readonly Destination[],
  row: ObjectRow,
  runKey: string,
  now: Instant,
): void {
  const state = stateOf<JobState>(row);
  if (state.facts.active > 0) return awaitDeletion(tx, state.facts, now);
  const step = endJob({ ...state, deletedAt: state.facts.deletionAt }, runKey, now, (job, at) =>
    replacement(tx, job, at, false),
  );
  const told = { ...step, state: { ...step.state, deletedAt: undefined } };
  tx.putObject({ ...row, state: told.state });
  tellJob(tx, destinations, told, runKey, now);
}

/** The CronJob of a Job, and when its other runs succeeded. */
function witnesses(tx: Tx, { uid, owner }: JobFacts): [CronJobState['facts'] | undefined, Instant[]] {
  const cronJob = isOwnedByCronJob(owner) ? tx.object(owner.uid) : undefined;
  if (cronJob?.kind !== 'CronJob') return [undefined, []];
  const others = tx.children(cronJob.uid, 'Job').filter((row) => row.uid !== uid);
  const ends = others.flatMap((row) => stateOf<JobState>(row).ended?.at ?? []);
  return [stateOf<CronJobState>(cronJob).facts, ends];
}

function settlePod(tx: Tx, destinations: readonly Destination[], row: ObjectRow, now: Instant): void {
  const state = stateOf<PodState>(row);
  if (state.gone === undefined || state.endedAt !== undefined) return;
  const given: PodState = { ...state, unknownAt: state.gone.at };
  tx.putObject({ ...row, state: given });
  const run = podRun(given);
  const memory = tx.run(row.uid)?.memory ?? NO_MEMORY;
  tx.putRun({ run, memory: announce(tx, destinations, { run, memory }, [unknownPodEnd(given, state.gone.at)], now) });
}
