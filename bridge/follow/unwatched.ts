import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { sinceKey } from '../turn/followed-since.ts';
import type { Turn } from '../turn/turn.ts';

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
