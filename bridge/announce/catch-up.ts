import type { Returned } from '../store/destinations.ts';
import { announceMissed } from './announce.ts';
import { awaitSettled } from './await-settled.ts';
import type { Destination } from '../turn/destination.ts';
import { eachAlone } from '../turn/each-alone.ts';
import type { Turn } from '../turn/turn.ts';

/** They are planned before the first record is taken: a few seconds' work. */
const MAX_TRANSITIONS = 10_000;

/**
 * Plans for a destination that is back in the configuration what was recorded while it was away, as if it had been held:
 * a run that it knows as started would stay open. After `limits.maxAgeMs`, when what had waited for it was given up, it starts over.
 */
export function catchUp(turn: Turn, to: Destination, returned: Returned): void {
  const { tx, now, limits } = turn;
  if (now - returned.leftAt < limits.maxAgeMs) {
    const recorded = tx.destinations.recordedSince(returned, MAX_TRANSITIONS);
    for (const [uid, transitions] of Map.groupBy(recorded, ({ runUid }) => runUid!)) {
      eachAlone(turn, uid, () => {
        const row = tx.runs.get(uid);
        if (row === undefined) return;
        const alone = { ...turn, destinations: [to] };
        tx.runs.put({ run: row.run, memory: announceMissed(alone, row, transitions) });
        if (transitions.some(({ kind }) => kind === 'run.ended')) awaitSettled(alone, row.run);
      });
    }
  }
  tx.destinations.settleMissed(to.planner.destination, now);
}
