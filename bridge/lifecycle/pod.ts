import { isOwnedByJob } from '../kubernetes/metadata.ts';
import type { Observation, PodFacts, Termination } from '../kubernetes/observation.ts';
import { compareVersions, isUnknownVersion } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { ContainerEnd, Stuck, StuckGroup } from './containers.ts';
import { containerEnds, isLost, isStoppedWithPod, stuckContainer, terminationText } from './containers.ts';
import type { Verdict } from './failure.ts';
import { judgePod } from './failure.ts';
import type { Gone } from './gone.ts';
import { stillGone } from './gone.ts';
import type { StuckLimits } from './stall.ts';
import { stall } from './stall.ts';
import type { ToldEnds } from './told-ends.ts';
import { wasTold, withTold } from './told-ends.ts';
import type { Attempt, Transition } from './transition.ts';
import type { LastWait } from './wait.ts';
import { asWait, nextWait, restartWait } from './wait.ts';

/**
 * The life of a pod, as an attempt of a run (or, without owner, as a run of its own: bare-pod.ts):
 *
 *   pending ──status.startTime──▶ started ──phase Succeeded | Failed──▶ ended
 *      │   ◀─ waiting reason,         │                                  ▲
 *      │      stall too long ─▶ stuck │                                  │
 *      └──────────────DELETED─────────┴──────────────────────────────────┘
 *
 * Beside it, each container: (running ──▶ terminated)*, one `container.terminated` per container and restart count,
 * read from `state` and `lastState` of any observation, old or new.
 */
export interface PodState {
  readonly facts: PodFacts;
  readonly deletedAt: Instant | undefined;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly told: readonly ToldEnds[];
  /** A record showed it as Failed before anybody asked for its deletion: it was not stopped. */
  readonly failedAlive?: boolean;
  readonly waited?: LastWait | undefined;
  /** What the pod is stuck on now, and all groups that were told, as stuck and as moving again. */
  readonly stuck: { readonly group: StuckGroup; readonly reason: string } | undefined;
  readonly stuckTold: readonly StuckGroup[];
  readonly movedTold: readonly StuckGroup[];
  readonly gone?: Gone | undefined;
  /** When a run of its own that is gone was given up as `unknown`. */
  readonly unknownAt?: Instant | undefined;
}

export interface PodStep {
  readonly state: PodState;
  readonly transitions: readonly Transition[];
}

/** The next state and what is to be announced. */
export function reducePod(
  previous: PodState | undefined,
  observation: Observation & { readonly facts: PodFacts },
): PodStep {
  const { facts, deleted, observedAt } = observation;
  const gone = stillGone(previous?.gone, observation);
  const deletedBefore = previous && !isUnknownVersion(previous.facts.resourceVersion) ? previous.deletedAt : undefined;
  const order = previous === undefined ? 1 : compareVersions(facts.resourceVersion, previous.facts.resourceVersion);
  const newer = order > 0 || (order === 0 && deleted && deletedBefore === undefined);
  const deletedAt = deletedBefore ?? (deleted ? (facts.deletionAt ?? observedAt) : undefined);
  const newest = newer || previous === undefined ? facts : previous.facts;
  // An owner that is cut off (deletion with cascade=orphan) makes no second run of the pod.
  const latest = { ...newest, owner: newest.owner ?? previous?.facts.owner ?? facts.owner };
  const ends = newEnds(previous, facts, newer, observedAt);
  const startedAt = previous?.startedAt ?? facts.startAt;
  const endedAt = previous?.endedAt ?? podEnd(latest, deletedAt, observedAt);
  const state: PodState = {
    facts: latest,
    deletedAt,
    startedAt,
    endedAt,
    told: ends.told,
    ...(isFailedAlive(previous, observation) && { failedAlive: true }),
    waited: nextWait(previous?.waited, facts, latest),
    stuck: previous?.stuck,
    stuckTold: previous?.stuckTold ?? [],
    movedTold: previous?.movedTold ?? [],
    gone,
    unknownAt: gone && previous?.unknownAt,
  };
  const stuck = newer ? stuckStep(state, observedAt) : { state, transitions: [] };
  const { started, ended } = edges(previous, state);
  return { state: stuck.state, transitions: [...started, ...stuck.transitions, ...ends.transitions, ...ended] };
}

/** Its start and its end, if they are new. */
function edges(previous: PodState | undefined, state: PodState): Record<'started' | 'ended', readonly Transition[]> {
  const { facts, startedAt, endedAt } = state;
  const isNew = (name: 'startedAt' | 'endedAt') => previous?.[name] === undefined;
  const started = startedAt !== undefined && isNew('startedAt');
  const ended = endedAt !== undefined && isNew('endedAt');
  return {
    started: started ? [podTransition(facts, 'attempt.started', startedAt, 'started', startText(facts))] : [],
    ended: ended ? [podTransition(facts, 'attempt.ended', endedAt, 'ended', podEndText(state))] : [],
  };
}

function isFailedAlive(previous: PodState | undefined, { facts, deleted }: Observation & { facts: PodFacts }): boolean {
  return previous?.failedAlive === true || (facts.phase === 'Failed' && facts.deletionAt === undefined && !deleted);
}

/** UID of the run that a pod belongs to: its Job, itself without an owner, none for other controllers' pods. */
export function runUidOf(facts: PodFacts): string | undefined {
  if (isOwnedByJob(facts.owner)) return facts.owner.uid;
  return facts.owner === undefined && !facts.mirror ? facts.uid : undefined;
}

/** The pod as people see it: one attempt of a run. */
export function podAttempt(state: PodState): Attempt {
  const { facts, startedAt, endedAt, deletedAt, gone, waited } = state;
  const isOver = endedAt !== undefined || gone !== undefined;
  const { failure, end, isLate = false } = podVerdict(state);
  const reason = facts.reason ?? (failure === 'disrupted' ? facts.disruption?.reason : undefined);
  const message = attemptMessage(state, failure, end?.termination);
  const waiting = waited ?? (isOver ? undefined : restartWait(facts));
  return {
    podUid: facts.uid,
    podName: facts.name,
    nodeName: facts.nodeName,
    phase: facts.phase,
    index: facts.completionIndex,
    startedAt,
    endedAt,
    container: end?.container.name,
    exitCode: end?.termination.exitCode,
    reason: reason ?? end?.termination.reason,
    ...(message !== undefined && { message }),
    ...(failure !== undefined && { failed: failure }),
    ...(isLate && { failedLate: true }),
    ...(waiting !== undefined && { waiting: asWait(waiting) }),
    ...(deletedAt !== undefined && { deleted: true }),
    ...(gone !== undefined && endedAt === undefined && { goneAt: gone.at }),
  };
}

/** How the pod ended or what failed in it, by all that was seen. */
export function podVerdict({ facts, deletedAt, gone, failedAlive = false }: PodState): Verdict {
  return judgePod(facts, { isOver: deletedAt !== undefined || gone !== undefined, failedAlive });
}

/** Said more often than it explains anything. */
const PLAIN_ENDS: ReadonlySet<string | undefined> = new Set(['Error', 'Completed', 'OOMKilled', undefined]);

function attemptMessage({ facts }: PodState, failure: Verdict['failure'], end?: Termination): string | undefined {
  if (failure === 'disrupted') return facts.message ?? facts.disruption?.message ?? end?.message;
  return PLAIN_ENDS.has(end?.reason) ? undefined : end?.message;
}

/** The ends that were not told yet, and what is told with them. */
function newEnds(
  previous: PodState | undefined,
  facts: PodFacts,
  newer: boolean,
  observedAt: Instant,
): { readonly told: PodState['told']; readonly transitions: Transition[] } {
  let told = previous?.told ?? [];
  const transitions = containerEnds(facts).flatMap((end) => {
    const { name } = end.container;
    const key = { container: name, instance: end.instance, id: end.termination.containerId };
    const verdict = isSameLoss(previous?.facts, end) ? 'yes' : wasTold(told, key, newer);
    if (verdict === 'yes') return [];
    told = withTold(told, key, newer);
    const number = verdict === 'recounted' ? `${key.instance}/${key.id}` : `${key.instance}`;
    return [endTransition(facts, end, `${name}/${number}/terminated`, observedAt)];
  });
  return { told, transitions };
}

/** Once the pod is deleted, nothing says whether kubelet had raised the restart count of a container that it lost. */
function isSameLoss(previous: PodFacts | undefined, { container, termination }: ContainerEnd): boolean {
  if (!isLost(termination)) return false;
  const before = previous?.containers.find(({ name }) => name === container.name);
  const isKnown = previous?.deletionAt === undefined && before?.restartCount === container.restartCount;
  return isKnown && isLost(before.lastTerminated);
}

function endTransition(
  facts: PodFacts,
  { container, termination }: ContainerEnd,
  suffix: string,
  observedAt: Instant,
): Transition {
  const at = termination.finishedAt ?? facts.deletionAt ?? observedAt;
  const stopped = isStoppedWithPod(termination, facts.deletionAt);
  const text = `container ${container.name}: ${terminationText(termination, stopped)}`;
  return {
    ...podTransition(facts, 'container.terminated', at, suffix, text),
    container: container.name,
    exitCode: termination.exitCode,
    ...(termination.reason !== undefined && { reason: termination.reason }),
    ...(termination.message !== undefined && { message: termination.message }),
  };
}

/** Told once per pod and group; all that are open are closed when the pod moves on, silently when it ends. */
function stuckStep(state: PodState, observedAt: Instant): PodStep {
  const stalled =
    state.stuck !== undefined && state.stuck.group === stall(state.facts)?.group ? state.stuck : undefined;
  const container = state.endedAt === undefined ? stuckContainer(state.facts) : undefined;
  const now = container ?? (state.endedAt === undefined ? stalled : undefined);
  const next = { ...state, stuck: now && { group: now.group, reason: now.reason } };
  if (now === undefined) {
    // A pod that is being deleted goes back to ContainerCreating: it does not move, it ends.
    if (state.endedAt !== undefined || state.facts.deletionAt !== undefined) return { state: next, transitions: [] };
    const open = state.stuckTold.filter((group) => !state.movedTold.includes(group));
    const at = latestStart(state.facts) ?? state.startedAt ?? observedAt;
    const transitions = open.map((group) =>
      podTransition(state.facts, 'run.unstuck', at, `unstuck/${group}`, 'moves again'),
    );
    return { state: { ...next, movedTold: [...state.movedTold, ...open] }, transitions };
  }
  if (container === undefined) return { state: next, transitions: [] };
  const at = state.facts.startAt ?? state.facts.createdAt ?? 0;
  return tellStuck(next, container, at, `stuck: container ${container.container} waits with ${container.reason}`);
}

/** When a pod that waits becomes stuck; undefined when it moves or is stuck already. */
export function stallDue({ facts, endedAt, stuck }: PodState, limits: StuckLimits): Instant | undefined {
  const stalled = endedAt === undefined ? stall(facts) : undefined;
  return stalled === undefined || stalled.group === stuck?.group ? undefined : stalled.since + limits[stalled.group];
}

/** The step of a pod whose wait is over: it is stuck since its limit. */
export function stallPod(state: PodState, limits: StuckLimits): PodStep {
  const at = stallDue(state, limits);
  const stalled = stall(state.facts);
  if (at === undefined || stalled === undefined) return { state, transitions: [] };
  const { group, reason } = stalled;
  const what = group === 'pending' ? 'no container started' : 'no node takes the pod';
  const text = `stuck: ${what} for ${Math.round(limits[group] / 1000)} s`;
  return tellStuck({ ...state, stuck: { group, reason } }, stalled, at, text);
}

/** Told once per pod and group. */
function tellStuck(
  state: PodState,
  { group, reason, message, container }: Omit<Stuck, 'container'> & { readonly container?: string },
  at: Instant,
  text: string,
): PodStep {
  if (state.stuckTold.includes(group)) return { state, transitions: [] };
  const transition: Transition = {
    ...podTransition(state.facts, 'run.stuck', at, `stuck/${group}`, text),
    ...(container !== undefined && { container }),
    reason,
    ...(message !== undefined && { message }),
  };
  return { state: { ...state, stuckTold: [...state.stuckTold, group] }, transitions: [transition] };
}

function latestStart(facts: PodFacts): Instant | undefined {
  const starts = facts.containers.flatMap(({ runningSince }) => runningSince ?? []);
  return starts.length === 0 ? undefined : Math.max(...starts);
}

function podEnd(facts: PodFacts, deletedAt: Instant | undefined, observedAt: Instant): Instant | undefined {
  if (facts.phase !== 'Succeeded' && facts.phase !== 'Failed') return deletedAt;
  const finished = facts.containers.flatMap(({ terminated }) => terminated?.finishedAt ?? []);
  return finished.length > 0 ? Math.max(...finished) : (deletedAt ?? observedAt);
}

/** Its node took it: whether a container of it ever runs is another matter. */
function startText({ nodeName }: PodFacts): string {
  return nodeName === undefined ? 'pod taken by its node' : `pod taken by node ${nodeName}`;
}

function podEndText(state: PodState): string {
  const { phase, reason } = state.facts;
  if (phase === 'Succeeded') return 'pod succeeded';
  if (phase !== 'Failed') return state.deletedAt === undefined ? 'pod ended' : 'pod deleted while active';
  if (reason !== undefined) return `pod failed: ${reason}`;
  return podVerdict(state).failure === 'stopped' ? 'pod stopped' : 'pod failed';
}

function podTransition(
  facts: PodFacts,
  kind: Transition['kind'],
  at: Instant,
  suffix: string,
  text: string,
): Transition {
  const id = `${facts.uid}/${kind === 'attempt.started' || kind === 'attempt.ended' ? `attempt-${suffix}` : suffix}`;
  return { id, kind, at, runUid: runUidOf(facts), text, podUid: facts.uid, podName: facts.name };
}
