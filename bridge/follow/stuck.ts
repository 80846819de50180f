import { isOwnedByJob } from '../kubernetes/metadata.ts';
import type { PodState, PodStep } from '../lifecycle/pod-state.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import { stallDue, stallPod } from '../lifecycle/pod-stuck.ts';
import type { Instant } from '../lib/clock.ts';
import { keepTimer } from './keep-timer.ts';
import { announcePod } from './pod-run.ts';
import { mayRollOut, judgeWorkload } from './pod-workload.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** Sets or clears the timer of a pod that may become stuck while nothing is heard of it, if anyone wants to know. */
export function watchPod(turn: Turn, previous: PodState | undefined, state: PodState): void {
  const { tx, limits, destinations } = turn;
  const isWanted = destinations.some(({ planner }) => planner.hears.has('run.stuck') && planner.reads.kinds.has('Pod'));
  if (!isWanted && runUidOf(state.facts) === undefined && !mayRollOut(turn, state.facts)) return;
  const { uid } = state.facts;
  const dueOf = (pod: PodState): Instant | undefined => stallDue(pod, limits.stuck);
  keepTimer(tx, { id: `stuck/${uid}`, kind: 'stuck', uid }, previous && dueOf(previous), dueOf(state));
}

/** The pod's time is over: it is stuck. */
export function settleStuck(turn: Turn, uid: string): void {
  const { tx, now, limits } = turn;
  tx.timers.clear(`stuck/${uid}`);
  const row = tx.objects.get(uid);
  if (row === undefined) return;
  const previous = stateOf<PodState>(row);
  const step = stallPod(previous, limits.stuck);
  if (step.state === previous || wasOver(turn, step)) return;
  tx.objects.put({ ...row, state: step.state });
  announcePod(turn, previous, step);
  judgeWorkload(turn, previous, step.state, now);
}

/** Its Job had ended by then: the pod's own end was not seen. */
function wasOver({ tx }: Turn, { state: { facts }, transitions }: PodStep): boolean {
  const endedAt = isOwnedByJob(facts.owner) ? tx.runs.get(facts.owner.uid)?.run.endedAt : undefined;
  return endedAt !== undefined && transitions.every(({ at }) => at >= endedAt);
}
