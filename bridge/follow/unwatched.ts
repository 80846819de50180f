import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Turn } from '../turn/turn.ts';

const UNWATCHED = 'unwatched';

const sinceKey = (kind: Kind): string => `followed/${kind}`;

/**
 * From now on these kinds are followed and no others. What the store holds of others is unwatched: it is not known what becomes
 * of it, so that it is neither gone nor reported, and the retention removes it.
 */
export function followKinds({ tx, now, kinds, limits }: Turn): void {
  const before = JSON.parse(tx.meta.get(UNWATCHED) ?? '[]') as Kind[];
  const unwatched = (Object.keys(KINDS) as Kind[]).filter((kind) => !kinds.has(kind));
  for (const kind of unwatched) tx.versions.setUnwatched(kind, now);
  for (const kind of before) if (kinds.has(kind)) tx.versions.setUnwatched(kind, undefined);
  tx.meta.set(UNWATCHED, JSON.stringify(unwatched));
  for (const kind of unwatched) tx.meta.set(sinceKey(kind), '');
  for (const kind of kinds)
    if (!tx.meta.get(sinceKey(kind))) tx.meta.set(sinceKey(kind), String(now - limits.lookbackMs));
}

/** Since when a kind is followed, and a little before; undefined when that is not known. */
export function followedSince({ tx }: Pick<Turn, 'tx'>, kind: Kind): Instant | undefined {
  const since = tx.meta.get(sinceKey(kind));
  return since ? Number(since) : undefined;
}
