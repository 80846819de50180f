import type { Observation, PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { SeenEnd } from './containers.ts';
import { containerEnds, isLost, isStoppedWithPod, terminationText } from './containers.ts';
import { stillGone } from './gone.ts';
import { mergeRecord } from './merge.ts';
import { wasReported, withReported } from './reported-ends.ts';
import type { ContainerEnd, Transition } from './transition.ts';
import { nextWait } from './wait.ts';

import type { PodState, PodStep } from './pod-state.ts';
import { podTransition } from './pod-state.ts';
import { podAttempt, podOutcome, podVerdict } from './pod-attempt.ts';
import { stuckStep } from './pod-stuck.ts';

/** The next state and what is to be announced. */
export function reducePod(
  previous: PodState | undefined,
  observation: Observation & { readonly facts: PodFacts },
): PodStep {
  const { facts, observedAt } = observation;
  const gone = stillGone(previous?.gone, observation);
  const { isNewer, latest: newest, deletedAt } = mergeRecord(previous, observation);
  // A pod whose owner was cut off (deletion with cascade=orphan) does not become a second run.
  const latest = { ...newest, owner: newest.owner ?? previous?.facts.owner ?? facts.owner };
  const ends = newEnds(previous, facts, isNewer, observedAt);
  const state: PodState = {
    facts: latest,
    deletedAt,
    startedAt: previous?.startedAt ?? facts.startAt,
    endedAt: previous?.endedAt ?? podEnd(latest, deletedAt, observedAt),
    reportedEnds: ends.reportedEnds,
    ...(isFailedAlive(previous, observation) && { failedAlive: true }),
    ...(isPartlyOwned(previous, observation, latest) && { partlyOwned: true as const }),
    waited: nextWait(previous?.waited, facts, latest),
    stuck: previous?.stuck,
    stuckReported: previous?.stuckReported ?? [],
    movedReported: previous?.movedReported ?? [],
    gone,
    unknownAt: gone && previous?.unknownAt,
  };
  const stuck = isNewer ? stuckStep(state, observedAt) : { state, transitions: [] };
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
    ended: ended ? [attemptEnded(state, endedAt)] : [],
  };
}

function attemptEnded(state: PodState, at: Instant): Transition {
  const { reason } = podAttempt(state);
  const ended = podTransition(state.facts, 'attempt.ended', at, 'ended', podEndText(state));
  return { ...ended, outcome: podOutcome(state), ...(reason !== undefined && { reason }) };
}

function isFailedAlive(previous: PodState | undefined, { facts, deleted }: Observation & { facts: PodFacts }): boolean {
  return previous?.failedAlive === true || (facts.phase === 'Failed' && facts.deletionAt === undefined && !deleted);
}

function isPartlyOwned(previous: PodState | undefined, { facts }: { facts: PodFacts }, latest: PodFacts): boolean {
  if (latest.owner === undefined) return false;
  const before = previous?.facts ?? latest;
  return previous?.partlyOwned === true || facts.owner === undefined || before.owner === undefined;
}

/** The ends that were not reported yet, as transitions, and all that were reported with them. */
function newEnds(
  previous: PodState | undefined,
  facts: PodFacts,
  newer: boolean,
  observedAt: Instant,
): { readonly reportedEnds: PodState['reportedEnds']; readonly transitions: Transition[] } {
  let reportedEnds = previous?.reportedEnds ?? [];
  const transitions = containerEnds(facts).flatMap((end) => {
    const { name } = end.container;
    const key = { container: name, instance: end.instance, id: end.termination.containerId };
    const verdict = isSameLoss(previous?.facts, end) ? 'yes' : wasReported(reportedEnds, key, newer);
    if (verdict === 'yes') return [];
    reportedEnds = withReported(reportedEnds, key, newer);
    const number = verdict === 'recounted' ? `${key.instance}/${key.id}` : `${key.instance}`;
    return [endTransition(facts, end, `${name}/${number}/terminated`, observedAt)];
  });
  return { reportedEnds, transitions };
}

/** Once the pod is deleted, nothing says whether kubelet had raised the restart count of a container that it lost. */
function isSameLoss(previous: PodFacts | undefined, { container, termination }: SeenEnd): boolean {
  if (!isLost(termination)) return false;
  const before = previous?.containers.find(({ name }) => name === container.name);
  const isKnown = previous?.deletionAt === undefined && before?.restartCount === container.restartCount;
  return isKnown && isLost(before.lastTerminated);
}

function endTransition(facts: PodFacts, end: SeenEnd, suffix: string, observedAt: Instant): Transition {
  const { container, termination } = end;
  const at = termination.finishedAt ?? facts.deletionAt ?? observedAt;
  const stopped = isStoppedWithPod(termination, facts.deletionAt);
  const text = `container ${container.name}: ${terminationText(termination, stopped)}`;
  return {
    ...podTransition(facts, 'container.terminated', at, suffix, text),
    container: containerEnd(end, stopped),
    ...(termination.reason !== undefined && { reason: termination.reason }),
    ...(termination.message !== undefined && { message: termination.message }),
  };
}

function containerEnd({ container, instance, termination }: SeenEnd, stopped: boolean): ContainerEnd {
  const { exitCode, signal, reason, message, startedAt } = termination;
  return {
    name: container.name,
    type: container.type,
    instance,
    image: container.image,
    exitCode,
    ...(signal !== undefined && { signal }),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(startedAt !== undefined && { startedAt }),
    ...(stopped && { stopped }),
  };
}

function podEnd(facts: PodFacts, deletedAt: Instant | undefined, observedAt: Instant): Instant | undefined {
  if (facts.phase !== 'Succeeded' && facts.phase !== 'Failed') return deletedAt;
  const finished = facts.containers.flatMap(({ terminated }) => terminated?.finishedAt ?? []);
  return finished.length > 0 ? Math.max(...finished) : (deletedAt ?? observedAt);
}

/** Its node accepted it, which does not mean that a container of it runs. */
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
