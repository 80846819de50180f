import type { PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Stuck } from './containers.ts';
import { stuckContainer } from './containers.ts';
import type { PodState, PodStep } from './pod-state.ts';
import { podTransition } from './pod-state.ts';
import type { StuckLimits } from './stall.ts';
import { stall } from './stall.ts';
import type { Transition } from './transition.ts';

/** Reported once per pod and group. When the pod moves on, all that are open are closed; when it ends, silently. */
export function stuckStep(state: PodState, observedAt: Instant): PodStep {
  const stalled =
    state.stuck !== undefined && state.stuck.group === stall(state.facts)?.group ? state.stuck : undefined;
  const container = state.endedAt === undefined ? stuckContainer(state.facts) : undefined;
  const now = container ?? (state.endedAt === undefined ? stalled : undefined);
  const next = { ...state, stuck: now && { group: now.group, reason: now.reason } };
  if (now === undefined) {
    // A pod that is being deleted goes back to ContainerCreating: it does not move, it ends.
    if (state.endedAt !== undefined || state.facts.deletionAt !== undefined) return { state: next, transitions: [] };
    const open = state.stuckReported.filter((group) => !state.movedReported.includes(group));
    const at = latestStart(state.facts) ?? state.startedAt ?? observedAt;
    const transitions = open.map((group) =>
      podTransition(state.facts, 'run.unstuck', at, `unstuck/${group}`, 'moves again'),
    );
    return { state: { ...next, movedReported: [...state.movedReported, ...open] }, transitions };
  }
  if (container === undefined) return { state: next, transitions: [] };
  const at = state.facts.startAt ?? state.facts.createdAt ?? 0;
  return reportStuck(next, container, at, `stuck: container ${container.container} waits with ${container.reason}`);
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
  return reportStuck({ ...state, stuck: { group, reason } }, stalled, at, text);
}

/** Reported once per pod and group. */
function reportStuck(
  state: PodState,
  { group, reason, message, container }: Omit<Stuck, 'container'> & { readonly container?: string },
  at: Instant,
  text: string,
): PodStep {
  if (state.stuckReported.includes(group)) return { state, transitions: [] };
  const transition: Transition = {
    ...podTransition(state.facts, 'run.stuck', at, `stuck/${group}`, text),
    ...(container !== undefined && { waiting: container }),
    reason,
    ...(message !== undefined && { message }),
  };
  return { state: { ...state, stuckReported: [...state.stuckReported, group] }, transitions: [transition] };
}

function latestStart(facts: PodFacts): Instant | undefined {
  const starts = facts.containers.flatMap(({ runningSince }) => runningSince ?? []);
  return starts.length === 0 ? undefined : Math.max(...starts);
}
