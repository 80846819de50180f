import type { PrunedView } from '../../read.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';

interface TombstoneColumns {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pruned_at: number;
  readonly announced: string;
}

function toPruned({ kind, namespace, name, pruned_at: prunedAt, announced }: TombstoneColumns): PrunedView {
  return {
    kind,
    namespace,
    name,
    prunedAt,
    announced: parsed<PrunedView['announced']>(announced, Array.isArray).value ?? [],
  };
}

/** What is left of a run or another object that was pruned. */
export function readPruned(db: Db, uid: string): PrunedView | undefined {
  const row = db.get<TombstoneColumns>('SELECT * FROM tombstones WHERE uid = ?', uid);
  return row && toPruned(row);
}
