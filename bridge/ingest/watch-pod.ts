import type { PodState } from '../lifecycle/pod.ts';
import { runUidOf, stallDue, stallPod } from '../lifecycle/pod.ts';
import type { StuckLimits } from '../lifecycle/stall.ts';
import type { Instant } from '../lib/clock.ts';
import type { Tx } from '../store/store.ts';
import type { Destination } from './deps.ts';
import { tellPod } from './observe-pod.ts';
import { stateOf } from './state.ts';

/** Sets or clears the timer of a pod of a run that may become stuck while nothing is heard of it. */
export function watchPod(tx: Tx, previous: PodState | undefined, state: PodState, limits: StuckLimits): void {
  if (runUidOf(state.facts) === undefined) return;
  const due = stallDue(state, limits);
  if (due === (previous && stallDue(previous, limits))) return;
  const { uid } = state.facts;
  const id = `stuck/${uid}`;
  if (due === undefined) tx.clearTimer(id);
  else tx.setTimer({ id, kind: 'stuck', uid, due });
}

/** The pod's time is over: it is stuck. */
export function settleStuck(
  tx: Tx,
  destinations: readonly Destination[],
  limits: StuckLimits,
  uid: string,
  now: Instant,
): void {
  tx.clearTimer(`stuck/${uid}`);
  const row = tx.object(uid);
  if (row === undefined) return;
  const previous = stateOf<PodState>(row);
  const step = stallPod(previous, limits);
  if (step.state === previous) return;
  tx.putObject({ ...row, state: step.state });
  tellPod(tx, destinations, previous, step, now);
}
