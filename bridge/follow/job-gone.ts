import { planDesired } from '../announce/desired.ts';
import { markWaiting } from '../announce/announce.ts';
import { isOwnedByCronJob } from '../kubernetes/metadata.ts';
import type { JobFacts } from '../kubernetes/observation.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import { provenSuccess } from '../lifecycle/gone.ts';
import type { Ending, JobState } from '../lifecycle/job.ts';
import { concludeJob, endJob } from '../lifecycle/job.ts';
import type { Instant } from '../lib/clock.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Tx } from '../store/tx.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { awaitDeletion, isHeldByDeletion, replacement, setGoneTimer, announceJob } from './job.ts';
import { refreshRun } from './pod-run.ts';

/** Shows the run of a Job as gone; its ending, if not known, may still come. */
export function loseJob(turn: Turn, row: ObjectRow): void {
  const { tx, now, limits } = turn;
  const state = stateOf<JobState>(row);
  planDesired(turn, state.facts, false);
  const run = tx.runs.get(row.uid);
  if (run === undefined) return;
  refreshRun(tx, row.uid, run.run.runKey, run.memory);
  if (state.ended !== undefined) return;
  if (isOwnedByCronJob(state.facts.owner))
    markWaiting(turn, { id: `${run.run.runKey}/ended`, kind: 'run.ended' }, 'awaiting_outcome');
  setGoneTimer(tx, row.uid, now + limits.graceMs);
}

/**
 * The grace of a Job that is gone is over: it succeeded if its CronJob proves that, else its ending is unknown. One that
 * is being deleted is looked at again.
 */
export function settleGoneJob(turn: Turn, row: ObjectRow): void {
  const { tx } = turn;
  const state = stateOf<JobState>(row);
  const run = tx.runs.get(row.uid);
  if (run !== undefined && isHeldByDeletion(state)) return settleDeletion(turn, row, run.run.runKey);
  const { gone, ended, deletedAt } = state;
  if (gone === undefined || ended !== undefined || deletedAt !== undefined || run === undefined) return;
  const provenAt = provenSuccess(state.facts, state.startedAt, ...witnesses(tx, state.facts));
  const why = { reason: undefined, message: undefined };
  const ending: Ending =
    provenAt === undefined
      ? { outcome: 'unknown', at: gone.at, ...why }
      : { outcome: 'succeeded', at: provenAt, inferred: true, ...why };
  const step = concludeJob(state, run.run.runKey, ending);
  tx.objects.put({ ...row, state: step.state });
  announceJob(turn, step, run.run.runKey);
}

/** A Job that is being deleted for long ends as if it were deleted, once none of its pods is active. */
function settleDeletion(turn: Turn, row: ObjectRow, runKey: string): void {
  const { tx, now } = turn;
  const state = stateOf<JobState>(row);
  if (state.facts.active > 0) return awaitDeletion(turn, state.facts);
  const step = endJob({ ...state, deletedAt: state.facts.deletionAt }, runKey, now, (job, at) =>
    replacement(tx, job, at, false),
  );
  const settled = { ...step, state: { ...step.state, deletedAt: undefined } };
  tx.objects.put({ ...row, state: settled.state });
  announceJob(turn, settled, runKey);
}

/** The CronJob of a Job, and when its other runs succeeded. */
function witnesses(tx: Tx, { uid, owner }: JobFacts): [CronJobState['facts'] | undefined, Instant[]] {
  const cronJob = isOwnedByCronJob(owner) ? tx.objects.get(owner.uid) : undefined;
  if (cronJob?.kind !== 'CronJob') return [undefined, []];
  const others = tx.objects.children(cronJob.uid, 'Job').filter((row) => row.uid !== uid);
  const ends = others.flatMap((row) => stateOf<JobState>(row).ended?.at ?? []);
  return [stateOf<CronJobState>(cronJob).facts, ends];
}
