import { isOwnedByCronJob } from '../kubernetes/metadata.ts';
import type { JobFacts } from '../kubernetes/observation.ts';
import { failedFirst } from '../lifecycle/cause.ts';
import { isAttemptOver } from '../lifecycle/transition.ts';
import type { Run, Transition } from '../lifecycle/transition.ts';
import type { Json } from '../lib/json.ts';
import type { Reason } from '../lib/reasons.ts';
import { cutoffReason } from '../policy/cutoff.ts';
import type { Intent, Planned, Planner } from '../sinks/sink.ts';
import type { RunMemory, RunRow } from '../store/runs.ts';
import type { Tx } from '../store/tx.ts';
import type { Destination } from '../turn/destination.ts';
import { hears } from '../turn/destination.ts';
import { askAgain } from './active.ts';
import { awaitNamespace, isAwaited } from './await-namespace.ts';
import { awaitSettled } from './await-settled.ts';
import { countEnded } from './ended.ts';
import { cronJobOf, Known } from './known-run.ts';
import { withinBudget } from './storm.ts';
import type { PlannedRun } from './want-logs.ts';
import { wantLogs } from './want-logs.ts';
import { factsOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** A CronJob that exists comes with the stream or, within minutes, with an audit. */
const OWNER_WAIT_MS = 15 * 60_000;
const PODS_WAIT_MS = 5_000;
/** With more failed pods than this, the rest is not waited for: those seen suffice, and each new pod would recount all. */
const MAX_AWAITED_PODS = 100;

export const NO_MEMORY: RunMemory = { memos: {}, waiting: [], waitingFor: undefined };

/**
 * Records new transitions of a run and plans them for every destination. `early` are transitions that were recorded before
 * the run (a pod before its Job) or its owner was known: they are planned too, and what is queued already stays. While the
 * owning CronJob is unseen everything waits: its annotations decide what is reported, and where. Returns the memory of the run.
 */
export function announce(
  turn: Turn,
  { run, memory }: RunRow,
  transitions: readonly Transition[],
  early: readonly Transition[] = [],
): RunMemory {
  const { tx, now } = turn;
  const added = transitions.filter((transition) => tx.timeline.add(transition, now));
  const end = added.find(({ kind }) => kind === 'run.ended');
  if (end !== undefined) {
    awaitSettled(turn, run);
    countEnded(turn, run, end);
  }
  const fresh = early.length === 0 ? added : [...early, ...added].toSorted((a, b) => a.at - b.at);
  if (fresh.length === 0) return memory;
  if (isWaiting(tx, run)) {
    // Every sink takes starts and ends; which sinks take the rest is known only when it is planned.
    const edges = fresh.filter(({ kind }) => kind === 'run.started' || kind === 'run.ended');
    for (const edge of edges) markWaiting(turn, edge, 'owner_unknown');
    if (edges.length > 0)
      tx.timers.set({ id: ownerTimer(run.uid), kind: 'owner', uid: run.uid, due: now + OWNER_WAIT_MS });
    return { ...memory, waiting: [...memory.waiting, ...fresh], waitingFor: 'owner' };
  }
  return planOrHold(turn, { run, memory }, fresh);
}

/**
 * A failure is reported with the exit code of its pod, and Job and pods come by watches of their own: it waits a moment
 * for the pods that its Job counts as failed. What else is new is planned at once.
 */
function planOrHold(turn: Turn, row: RunRow, fresh: readonly Transition[]): RunMemory {
  const { tx, now } = turn;
  const { run, memory } = row;
  const isHeld = memory.waitingFor === 'pods';
  const open = isHeld ? [...fresh, ...memory.waiting] : fresh;
  const failure = open.find((transition) => awaitsPods(tx, run, transition));
  if (failure === undefined) {
    if (!isHeld) return planAll(turn, row, fresh);
    tx.timers.clear(podsTimer(run.uid));
    return announceWaiting(turn, { run, memory: { ...memory, waiting: open } });
  }
  if (!isHeld) {
    markWaiting(turn, failure, 'awaiting_pods');
    tx.timers.set({ id: podsTimer(run.uid), kind: 'pods', uid: run.uid, due: now + PODS_WAIT_MS });
  }
  const ready = open.filter((transition) => transition !== failure);
  return { ...planAll(turn, row, ready), waiting: [failure], waitingFor: 'pods' };
}

/** Whether pods that its Job counts as failed are not known as ended yet. */
function awaitsPods(tx: Tx, run: Run, { kind, outcome, inferred, reason }: Transition): boolean {
  if (kind !== 'run.ended' || outcome !== 'failed' || inferred || cronJobOf(tx, run) === undefined) return false;
  const job = tx.objects.get(run.uid);
  const failed = job === undefined ? 0 : factsOf<JobFacts>(job).failed;
  if (failed === 0 || failed > MAX_AWAITED_PODS) return false;
  const attempts = tx.runs.attempts(run.uid);
  const over = attempts.filter(isAttemptOver);
  if (over.filter(({ phase }) => phase !== 'Succeeded').length < failed) return true;
  // Those that were stopped with the Job may come before the one that failed it. A deadline stops all.
  return reason !== 'DeadlineExceeded' && over.length < attempts.length && !over.some(failedFirst);
}

/** The pods of a failed run did not come in time: it is reported without them. */
export function settlePods(turn: Turn, runUid: string): void {
  const { tx } = turn;
  tx.timers.clear(podsTimer(runUid));
  const row = tx.runs.get(runUid);
  if (row?.memory.waitingFor !== 'pods') return;
  tx.runs.put({ run: row.run, memory: announceWaiting(turn, row) });
}

const podsTimer = (runUid: string): string => `pods/${runUid}`;

/**
 * The CronJob of a run did not come in time, which is recorded. What waits goes on waiting: if the CronJob comes after all,
 * with an audit or when its watch works again, everything is reported as usual.
 */
export function settleOwner(turn: Turn, runUid: string): void {
  const { tx, destinations } = turn;
  tx.timers.clear(ownerTimer(runUid));
  const row = tx.runs.get(runUid);
  if (row?.memory.waitingFor !== 'owner') return;
  const { ownerName, ownerUid } = row.run;
  const detail = `CronJob ${row.run.namespace}/${ownerName} with the UID ${ownerUid}`;
  for (const { id, kind } of row.memory.waiting) {
    if (kind !== 'run.started' && kind !== 'run.ended') continue;
    for (const { planner } of destinations)
      if (planner.hears.has(kind)) decide(turn, id, planner.destination, 'dropped', 'owner_unseen', detail);
  }
}

const ownerTimer = (runUid: string): string => `owner/${runUid}`;

/** Plans what waited for the CronJob of a run, which is seen now; a failure waits on for its pods. */
export function announceOwned(turn: Turn, { run, memory }: RunRow): RunMemory {
  turn.tx.timers.clear(ownerTimer(run.uid));
  const { waiting, ...rest } = memory;
  return planOrHold(turn, { run, memory: { ...rest, waiting: [], waitingFor: undefined } }, waiting);
}

/** Plans what waited, whatever else it waits for. */
function announceWaiting(turn: Turn, row: RunRow): RunMemory {
  const memory = planAll(turn, row, row.memory.waiting);
  return { ...memory, waiting: [], waitingFor: undefined };
}

/** Plans for destinations that were away what of a run was recorded meanwhile and waits for nothing. */
export function announceMissed(turn: Turn, row: RunRow, transitions: readonly Transition[]): RunMemory {
  const waiting = new Set(row.memory.waiting.map(({ id }) => id));
  const open = transitions.filter(({ id }) => !waiting.has(id));
  return planAll(turn, row, open);
}

/** Records for every destination that hears of such transitions that the decision on this one is still open. */
export function markWaiting(turn: Turn, { id, kind }: Pick<Transition, 'id' | 'kind'>, reason: Reason): void {
  for (const { planner } of turn.destinations)
    if (planner.hears.has(kind)) decide(turn, id, planner.destination, 'waiting', reason);
}

function isWaiting(tx: Tx, run: Run): boolean {
  return run.kind === 'Job' && run.ownerKind === 'CronJob' && cronJobOf(tx, run) === undefined && ownedByBatch(tx, run);
}

/** The owner's API group decides, not its kind's name alone. */
function ownedByBatch(tx: Tx, run: Run): boolean {
  const row = tx.objects.get(run.uid);
  return row === undefined || isOwnedByCronJob(factsOf<JobFacts>(row).owner);
}

function planAll(turn: Turn, { run, memory }: RunRow, transitions: readonly Transition[]): RunMemory {
  const { tx, destinations } = turn;
  const memos = { ...memory.memos };
  const known = new Known(tx, run);
  const pods: PlannedRun['pods'] = new Map();
  for (const transition of transitions) {
    wantLogs(turn, { run, known, memos, pods }, transition);
    for (const to of destinations) {
      if (!hears(to, transition.kind, run)) continue;
      const { destination } = to.planner;
      const memo = planFor(turn, to, { run, known, memo: memos[destination] }, transition);
      if (memo !== undefined) memos[destination] = memo;
    }
  }
  return { ...memory, memos };
}

/** Plans a transition for a destination that hears of it, and queues that; returns what it wants to be given back. */
export function planFor(turn: Turn, to: Destination, of: Planning, transition: Transition): Json | undefined {
  const { planner } = to;
  const { run, known, memo } = of;
  if (isAwaited(turn, to, transition.about.namespace)) {
    awaitNamespace(turn, to, transition);
    return undefined;
  }
  const context = known.contextOf(planner.destination, memo, transition.about);
  const planned = planner.plan(asPlanned(transition, planner), context);
  return planned === null ? undefined : takePlan(turn, to, run, transition, planned);
}

/** What a transition is planned with. */
interface Planning {
  readonly run?: Run;
  readonly known: Pick<Known, 'contextOf'>;
  readonly memo?: Json | undefined;
}

/** Records what a destination makes of a transition, and queues it. */
function takePlan(
  turn: Turn,
  to: Destination,
  run: Run | undefined,
  transition: Transition,
  planned: NonNullable<Planned>,
): Json | undefined {
  const { tx } = turn;
  const { planner, rule } = to;
  const { destination } = planner;
  const drop = (reason: Reason, detail?: string): void =>
    decide(turn, transition.id, destination, 'dropped', reason, detail);
  const late = lateReason(turn, transition);
  // What becomes of a start depends on no other edge.
  const start =
    run && transition.kind !== 'run.started' ? tx.timeline.decision(`${run.runKey}/started`, destination) : undefined;
  if ('drop' in planned && planned.once === true) {
    if (start?.reason !== planned.drop) drop(planned.drop, planned.detail ?? late);
    return undefined;
  }
  const silence = cutoffReason(transition, run, start?.verdict === 'planned', rule) ?? unknownReason(transition, to);
  if (silence !== undefined) drop(silence);
  else if ('drop' in planned) drop(planned.drop, planned.detail ?? late);
  else if (tx.retirement.covers(transition.at)) drop('retired');
  else {
    enqueue(turn, to, transition, planned.intents);
    if (run !== undefined && planned.again !== undefined) askAgain(turn, destination, run, planned.again);
    return planned.memo;
  }
  return undefined;
}

/** Queues what the destination's storm budget lets pass; a decision that nothing is sent is one like any other. */
function enqueue(turn: Turn, to: Destination, transition: Transition, intents: readonly Intent[]): void {
  const { tx, now } = turn;
  const { destination } = to.planner;
  const passed = withinBudget(turn, to, transition, intents);
  const left = intents.length - passed.length;
  if (left === 0) decide(turn, transition.id, destination, 'planned', plannedReason(turn, transition));
  else if (passed.length === 0) decide(turn, transition.id, destination, 'dropped', 'storm');
  else decide(turn, transition.id, destination, 'planned', 'storm', `${left} of ${intents.length} reports`);
  for (const intent of passed) tx.timeline.enqueue(destination, transition.id, intent, now);
}

function unknownReason({ outcome }: Transition, { planner, onUnknown = 'none' }: Destination): Reason | undefined {
  const isSilent = outcome === 'unknown' && planner.reportsUnknown !== true && onUnknown === 'none';
  return isSilent ? 'outcome_unknown' : undefined;
}

function plannedReason(turn: Turn, transition: Transition): Reason | undefined {
  if (transition.corrects) return 'corrects_inferred';
  return transition.inferred ? 'inferred' : lateReason(turn, transition);
}

/** Why something is planned without its namespace. */
function lateReason({ unseen }: Turn, { about }: Transition): Reason | undefined {
  return unseen !== undefined && about.namespace === unseen ? 'namespace_unseen' : undefined;
}

/** For a vendor that knows no unknown ending it is a failure, if it is reported at all. */
function asPlanned(transition: Transition, { reportsUnknown }: Pick<Planner, 'reportsUnknown'>): Transition {
  if (transition.outcome !== 'unknown' || reportsUnknown === true) return transition;
  return { ...transition, outcome: 'failed', reason: 'OutcomeUnknown', message: transition.text, inferred: true };
}

function decide(
  turn: Turn,
  transitionId: string,
  destination: string,
  verdict: 'planned' | 'waiting' | 'dropped',
  reason?: Reason,
  detail?: string,
): void {
  const { tx, now: at } = turn;
  tx.timeline.decide({ transitionId, destination, verdict, reason, detail, at });
}
