import type { ClaimedDesired, Delivery } from '../sink.ts';
import type { Account } from './account.ts';

/** Makes monitors what they should be. */
export function converge(
  _account: Account,
  rows: readonly ClaimedDesired[],
  _signal: AbortSignal,
): Promise<Delivery[]> {
  return Promise.resolve(rows.map(() => ({ outcome: 'drop', reason: 'bad_request' })));
}
