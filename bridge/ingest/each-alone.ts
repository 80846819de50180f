import type { Instant } from '../lib/clock.ts';
import type { Tx } from '../store/store.ts';
import { isStoreTrouble } from '../store/trouble.ts';
import { unprocessed } from './batch.ts';

/**
 * Does what follows from one object as a part of a transaction. False when it threw: nothing of it is left but a row in
 * quarantine.
 */
export function eachAlone(tx: Tx, uid: string, now: Instant, work: () => void): boolean {
  try {
    tx.attempt(work);
    return true;
  } catch (error) {
    if (isStoreTrouble(error)) throw error;
    tx.quarantine(unprocessed(uid, error, now));
    return false;
  }
}
