import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Turn } from '../turn/turn.ts';

const UNWATCHED = 'unwatched';

/**
 * From now on these kinds are followed and no others. What the store holds of others is unwatched: nobody knows what becomes
 * of it, so that it is neither gone nor reported, and the retention removes it.
 */
export function followKinds({ tx, now }: Turn, kinds: readonly Kind[]): void {
  const before = JSON.parse(tx.meta.get(UNWATCHED) ?? '[]') as Kind[];
  const unwatched = (Object.keys(KINDS) as Kind[]).filter((kind) => !kinds.includes(kind));
  for (const kind of unwatched) tx.versions.setUnwatched(kind, now);
  for (const kind of before) if (kinds.includes(kind)) tx.versions.setUnwatched(kind, undefined);
  tx.meta.set(UNWATCHED, JSON.stringify(unwatched));
}
