import { StoreTrouble } from '../store/trouble.ts';
import { unprocessed } from './quarantined.ts';
import type { Turn } from './turn.ts';

/**
 * Does what follows from one object as a part of a transaction. False when it threw: nothing of it is left but a row in
 * quarantine.
 */
export function eachAlone(turn: Turn, uid: string, work: () => void): boolean {
  const { tx, now } = turn;
  try {
    tx.attempt(work);
    return true;
  } catch (error) {
    if (error instanceof StoreTrouble) throw error;
    tx.quarantine.put(unprocessed(uid, error, now));
    return false;
  }
}
