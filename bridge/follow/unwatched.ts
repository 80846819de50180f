import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Turn } from '../turn/turn.ts';

const sinceKey = (kind: Kind): string => `followed/${kind}`;
/** Instead of a time, of a kind that is not followed. */
const NOT_FOLLOWED = '';

/**
 * From now on these kinds are followed and no others. What the store holds of others is unwatched: it is not known what becomes
 * of it, so that it is neither gone nor reported, and the retention removes it.
 */
export function followKinds({ tx, now, kinds, limits }: Turn): void {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const before = tx.meta.get(sinceKey(kind));
    if (!kinds.has(kind)) {
      tx.versions.setUnwatched(kind, now);
      tx.meta.set(sinceKey(kind), NOT_FOLLOWED);
    } else if (!before) {
      if (before === NOT_FOLLOWED) tx.versions.setUnwatched(kind, undefined);
      tx.meta.set(sinceKey(kind), String(now - limits.lookbackMs));
    }
  }
}

/** Since when a kind is followed, and a little before; undefined when that is not known. */
export function followedSince({ tx }: Pick<Turn, 'tx'>, kind: Kind): Instant | undefined {
  const since = Number(tx.meta.get(sinceKey(kind)) || NaN);
  return Number.isNaN(since) ? undefined : since;
}
