import type { Kind } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Turn } from './turn.ts';

/** Where it is kept. */
export const sinceKey = (kind: Kind): string => `followed/${kind}`;

/** Since when a kind is followed, and a little before; undefined when that is not known. */
export function followedSince({ tx }: Pick<Turn, 'tx'>, kind: Kind): Instant | undefined {
  const since = Number(tx.meta.get(sinceKey(kind)) || NaN);
  return Number.isNaN(since) ? undefined : since;
}
