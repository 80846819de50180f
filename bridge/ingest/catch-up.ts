import type { Instant } from '../lib/clock.ts';
import type { Returned, Tx } from '../store/store.ts';
import { announceMissed } from './announce.ts';
import type { Destination } from './deps.ts';
import { eachAlone } from './each-alone.ts';

/** They are planned before the first record is taken: a few seconds' work. */
const MAX_TRANSITIONS = 10_000;

/**
 * Plans for a destination that is back in the configuration what was recorded while it was away, as if it had been held:
 * a run that it knows as started would stay open. After `maxAgeMs`, when what had waited for it was given up, it begins anew.
 */
export function catchUp(tx: Tx, to: Destination, returned: Returned, maxAgeMs: number, now: Instant): void {
  if (now - returned.leftAt < maxAgeMs) {
    const recorded = tx.destinations.recordedSince(returned, MAX_TRANSITIONS);
    for (const [uid, transitions] of Map.groupBy(recorded, ({ runUid }) => runUid!)) {
      eachAlone(tx, uid, now, () => {
        const row = tx.run(uid);
        if (row !== undefined) tx.putRun({ run: row.run, memory: announceMissed(tx, [to], row, transitions, now) });
      });
    }
  }
  tx.destinations.settleMissed(to.planner.destination, now);
}
