import type { Instant } from '../lib/clock.ts';
import type { Timer } from '../store/timers.ts';
import type { Tx } from '../store/tx.ts';

/** Sets a timer to when it is due now; clears it when it never is. `before`: when it was due so far. */
export function keepTimer(
  tx: Tx,
  timer: Omit<Timer, 'due'>,
  before: Instant | undefined,
  due: Instant | undefined,
): void {
  if (due === before) return;
  if (due === undefined) tx.timers.clear(timer.id);
  else tx.timers.set({ ...timer, due });
}
