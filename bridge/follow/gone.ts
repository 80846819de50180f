import { goneTimer } from './job.ts';
import { followerOf } from './table.ts';
import type { Turn } from '../turn/turn.ts';

/** For this long the real ending may still come, e.g. out of the Collector's queue. */
export const GONE_GRACE_MS = 15 * 60_000;

/**
 * The object was missing from two LISTs in a row, the last at `version`: what it claimed is retired at once, its run gets
 * `limits.graceMs` for its real ending. False when it is known to be away already.
 */
export function markGone(turn: Turn, uid: string, version: string): boolean {
  const { tx, now, unwritten } = turn;
  const row = unwritten.load(tx, uid);
  if (row === undefined || row.deleted) return false;
  const lost = { ...row, deleted: true, overAt: now, state: { ...row.state, gone: { at: now, version } } };
  unwritten.forget(uid);
  tx.objects.put(lost);
  followerOf(row.kind)?.gone(turn, lost);
  return true;
}

/** The time is over in which the ending of an object that is gone, or is being deleted, could still come. */
export function settleGone(turn: Turn, uid: string): void {
  turn.tx.timers.clear(goneTimer(uid));
  const row = turn.tx.objects.get(uid);
  if (row !== undefined) followerOf(row.kind)?.settleGone?.(turn, row);
}
