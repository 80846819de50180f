import type { Instant } from '../lib/clock.ts';
import type { PodState } from './pod-state.ts';
import { podAttempt, podOutcome } from './pod-attempt.ts';
import type { Run, RunStatus, Transition } from './transition.ts';
import { refOf } from './transition.ts';

/**
 * A pod without owner is a run of its own:
 *
 *   pending ──attempt started──▶ running ──phase Succeeded──▶ succeeded
 *      │                            ├─────phase Failed─────▶ failed     (cancelled if its deletion ended it)
 *      │                            └─────DELETED──────────▶ cancelled
 *      │                            └─gone, 15 min─────────▶ unknown (a record that comes later ends it really)
 *      └──DELETED──▶ never_started
 */
export function barePodTransitions(previous: PodState | undefined, state: PodState): Transition[] {
  const { uid } = state.facts;
  const edge = (kind: 'run.started' | 'run.ended', at: Instant, text: string): Transition => ({
    id: `${uid}/${kind.slice('run.'.length)}`,
    kind,
    at,
    about: refOf(state.facts),
    runUid: uid,
    text,
  });
  const transitions: Transition[] = [];
  if (state.startedAt !== undefined && previous?.startedAt === undefined) {
    transitions.push(edge('run.started', state.startedAt, 'started'));
  }
  if (state.endedAt !== undefined && previous?.endedAt === undefined) {
    const outcome = podOutcome(state);
    const reason = podAttempt(state).reason;
    const ended = { ...edge('run.ended', state.endedAt, outcome), outcome, ...(reason !== undefined && { reason }) };
    transitions.push(ended);
  }
  return transitions;
}

/** Reported when a pod that is gone is given up; the real ending has another id. */
export function unknownPodEnd({ facts }: PodState, at: Instant): Transition {
  const { uid } = facts;
  const text = 'gone from the cluster: how it ended is not known';
  return { id: `${uid}/unknown`, kind: 'run.ended', at, about: refOf(facts), runUid: uid, text, outcome: 'unknown' };
}

/** The pod as people see it. */
export function podRun(state: PodState): Run {
  const { endedAt, unknownAt } = state;
  if (unknownAt !== undefined && endedAt === undefined)
    return { ...runOf(state), status: 'unknown', endedAt: unknownAt };
  return runOf(state);
}

function runOf(state: PodState): Run {
  const { facts, startedAt, endedAt, stuck } = state;
  const active: RunStatus = stuck !== undefined ? 'stuck' : startedAt === undefined ? 'pending' : 'running';
  return {
    uid: facts.uid,
    kind: 'Pod',
    namespace: facts.namespace,
    name: facts.name,
    runKey: facts.uid,
    ownerKind: undefined,
    ownerName: undefined,
    ownerUid: undefined,
    status: endedAt === undefined ? active : podOutcome(state),
    createdAt: facts.createdAt,
    scheduledAt: undefined,
    startedAt,
    endedAt,
    reason: endedAt === undefined ? stuck?.reason : podAttempt(state).reason,
    message: facts.message,
    deleted: state.deletedAt !== undefined || state.gone !== undefined,
  };
}
