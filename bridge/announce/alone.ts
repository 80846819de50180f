import type { Transition } from '../lifecycle/transition.ts';
import type { Turn } from '../turn/turn.ts';
import { planFor } from './announce.ts';
import { Known } from './known-run.ts';
import { wantLogOfPod } from './want-logs.ts';

/** Records what happened to an object that belongs to no run, and plans it for every destination that hears of it. */
export function announceAlone(turn: Turn, transition: Transition): void {
  const { tx, now, destinations } = turn;
  if (!tx.timeline.add(transition, now)) return;
  const known = new Known(tx, undefined);
  if (transition.kind === 'container.terminated') wantLogOfPod(turn, known, transition);
  for (const to of destinations) {
    if (to.planner.hears.has(transition.kind)) planFor(turn, to, { known }, transition);
  }
}
