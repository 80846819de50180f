import { isOwnedByCronJob } from '../kubernetes/metadata.ts';
import { planDesired } from '../announce/desired.ts';
import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import type { JobState, JobStep, Replacement } from '../lifecycle/job.ts';
import { endJob, isOpen, reduceJob } from '../lifecycle/job.ts';
import { jobRun, runKeyOf, stuckReason } from '../lifecycle/run.ts';
import type { Instant } from '../lib/clock.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Tx } from '../store/tx.ts';
import { announce, markWaiting, NO_MEMORY } from '../announce/announce.ts';
import { adoptPods, asInferredRun } from './inferred-uid.ts';
import { isLate } from './late-records.ts';
import { podsOf } from './pod-run.ts';
import { saveObject, stateOf } from '../turn/object-rows.ts';
import { seeScheduledJob } from './schedule.ts';
import { saveRun } from '../turn/run-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** A Job deleted by concurrencyPolicy Replace is followed by its successor in the same sync of the controller. */
const REPLACEMENT_WAIT_MS = 30_000;
const REPLACEMENT_WITHIN_MS = 60_000;
/** How long pods may take to end with their Job, and the Job to show how it ended. */
const DELETION_WAIT_MS = 15 * 60_000;
/** A deletion mostly has the Collector's time, a schedule the control plane's: their clocks may differ by this. */
const CLOCK_SKEW_MS = 5_000;

/** Takes in a Job: its run's transitions, and the predecessor that it may replace. */
export function observeJob(turn: Turn, given: Observation & { readonly facts: JobFacts }): void {
  const { tx, now, unwritten } = turn;
  const known = unwritten.loadFor(tx, given);
  const observation = known === undefined ? asInferredRun(tx, given) : given;
  const { facts } = observation;
  const row = observation === given ? known : unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(turn, observation)) return;
  const runKey = tx.runs.get(facts.uid)?.run.runKey ?? claimRunKey(tx, facts);
  const previous = row && stateOf<JobState>(row);
  const step = reduceJob(previous, observation, runKey, (job, at) => replacement(tx, job, at, true));
  const { deletedAt, gone } = step.state;
  // The audit does not look for a UID that is ours.
  const isOver = deletedAt !== undefined || gone !== undefined || observation !== given;
  const isNews = saveObject(turn, row, observation, step.state, isOver ? now : undefined);
  const hasPods = observation !== given && adoptPods(tx, given.facts.uid, facts.uid);
  if (!isNews && step.transitions.length === 0 && !hasPods) return;
  const hasOwner = previous !== undefined && isAdopted(previous, step.state);
  if (hasOwner) claimRunKey(tx, step.state.facts);
  planDesired(turn, step.state.facts, !isOver);
  announceJob(turn, step, runKey, hasOwner || hasPods);
  if (isUndecided(step.state) && (previous === undefined || !isUndecided(previous))) {
    const id = timerId(step.state.facts);
    tx.timers.set({ id, kind: 'replacement', uid: facts.uid, due: now + REPLACEMENT_WAIT_MS });
    markWaiting(turn, { id: `${runKey}/ended`, kind: 'run.ended' }, 'awaiting_replacement');
  }
  if (isHeldByDeletion(step.state) && (previous === undefined || !isHeldByDeletion(previous)))
    awaitDeletion(turn, facts);
  if (row !== undefined || !isOwnedByCronJob(facts.owner)) return;
  settlePredecessors(turn, facts);
  if (facts.scheduledAt !== undefined && !facts.manual) seeScheduledJob(turn, facts.owner.uid, facts.scheduledAt);
}

/** Being deleted, in the foreground or with a finalizer, and not over yet. */
export function isHeldByDeletion({ facts, deletedAt, gone, ended }: JobState): boolean {
  return facts.deletionAt !== undefined && deletedAt === undefined && gone === undefined && ended === undefined;
}

/** Looks at a Job that is being deleted again then: a finalizer may keep it for hours, and its run is over before. */
export function awaitDeletion(turn: Turn, { uid }: JobFacts): void {
  const { tx, now } = turn;
  setGoneTimer(tx, uid, now + DELETION_WAIT_MS);
}

export const goneTimer = (uid: string): string => `gone/${uid}`;

/** Looks at an object that is gone, or is being deleted, then. */
export function setGoneTimer(tx: Tx, uid: string, due: Instant): void {
  tx.timers.set({ id: goneTimer(uid), kind: 'gone', uid, due });
}

/** Ends a deleted Job whose wait for a successor is over, as cancelled unless one was seen meanwhile. */
export function settleReplacement(turn: Turn, timer: string): void {
  const { tx } = turn;
  const row = tx.objects.get(timer.slice(timer.lastIndexOf('/') + 1));
  if (row !== undefined) settle(turn, row, false);
  tx.timers.clear(timer);
}

/** A new Job may be the successor that a deleted one of its CronJob waits for; those that wait have a timer. */
function settlePredecessors(turn: Turn, { owner }: JobFacts): void {
  const { tx } = turn;
  if (!isOwnedByCronJob(owner)) return;
  for (const { uid, id } of tx.timers.below(`replacement/${owner.uid}`)) {
    const row = tx.objects.get(uid);
    if (row !== undefined && settle(turn, row, true)) tx.timers.clear(id);
  }
}

/** False when the Job still waits. */
function settle(turn: Turn, row: ObjectRow, mayWait: boolean): boolean {
  const { tx, now } = turn;
  const before = stateOf<JobState>(row);
  const runKey = tx.runs.get(row.uid)?.run.runKey ?? row.uid;
  const step = endJob(before, runKey, now, (job, at) => replacement(tx, job, at, mayWait));
  if (step.state === before) return false;
  tx.objects.put({ ...row, state: step.state });
  announceJob(turn, step, runKey);
  return true;
}

/** Announces a step and writes the run as people see it. */
export function announceJob(turn: Turn, step: JobStep, runKey: string, adopted = false): void {
  const { tx } = turn;
  const { uid } = step.state.facts;
  const before = tx.runs.get(uid);
  const stuckOn =
    before === undefined ? stuckReason(podsOf(tx, uid)) : before.run.status === 'stuck' ? before.run.reason : undefined;
  const run = jobRun(step.state, runKey, stuckOn);
  const early = before === undefined || adopted ? tx.timeline.ofRun(uid) : [];
  const known = { run, memory: before?.memory ?? NO_MEMORY };
  const memory = announce(turn, known, step.transitions, early);
  saveRun(tx, before, { run, memory });
}

/** The first UID of a scheduled instant owns its key; another one with the same annotation is a run of its own. */
function claimRunKey(tx: Tx, facts: JobFacts): string {
  const key = runKeyOf(facts);
  return tx.runs.claimKey(key, facts.uid) === facts.uid ? key : facts.uid;
}

/** Its owner shows only now: what was seen first is the Job without it (`kubectl delete cronjob --cascade=orphan`). */
function isAdopted(previous: JobState, state: JobState): boolean {
  return !isOwnedByCronJob(previous.facts.owner) && isOwnedByCronJob(state.facts.owner);
}

function isUndecided(state: JobState): boolean {
  return state.deletedAt !== undefined && isOpen(state);
}

/** Found by its CronJob: of thousands of deleted Jobs a successor is asked about those of its own. */
function timerId({ uid, owner }: JobFacts): string {
  return `replacement/${owner?.uid ?? ''}/${uid}`;
}

/** Whether another Job took this one's place. Nobody knows before its CronJob is seen, which may have Replace. */
export function replacement(tx: Tx, facts: JobFacts, deletedAt: Instant, mayWait: boolean): Replacement {
  if (!isOwnedByCronJob(facts.owner) || facts.manual) return 'none';
  const owner = tx.objects.get(facts.owner.uid);
  if (owner === undefined && mayWait) return 'wait';
  const cronJob = owner && stateOf<CronJobState>(owner).facts;
  if (cronJob !== undefined && cronJob.concurrencyPolicy !== 'Replace') return 'none';
  const seen = tx.objects
    .children(facts.owner.uid, 'Job')
    .some((row) => isSuccessor(stateOf<JobState>(row).facts, facts, deletedAt));
  // A CronJob that was being deleted by then makes no successor.
  const mayCome = (cronJob?.deletionAt ?? Infinity) + CLOCK_SKEW_MS > deletedAt;
  return seen ? 'seen' : mayWait && mayCome ? 'wait' : 'none';
}

/**
 * The controller deletes the active Job when the next one is due, then creates that. A Job that became due only later
 * did not replace it: it had been deleted by hand. Where no deletionTimestamp but the time of the record dates the deletion,
 * that may be long after it: a watch that was cut brings both later.
 */
function isSuccessor(candidate: JobFacts, replaced: JobFacts, deletedAt: Instant): boolean {
  const { manual, createdAt } = candidate;
  if (manual || createdAt === undefined || dueAt(candidate) <= dueAt(replaced)) return false;
  const earliest = replaced.deletionAt === undefined ? -Infinity : deletedAt - REPLACEMENT_WITHIN_MS;
  const isInTime = createdAt >= earliest && createdAt <= deletedAt + REPLACEMENT_WITHIN_MS;
  return isInTime && dueAt(candidate) <= deletedAt + CLOCK_SKEW_MS;
}

/** Its scheduled instant, or (Kubernetes before 1.32 does not say) when it was created. */
function dueAt({ scheduledAt, createdAt }: JobFacts): Instant {
  return scheduledAt ?? createdAt ?? 0;
}
