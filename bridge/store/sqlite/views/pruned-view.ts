import type { PrunedView } from '../../read.ts';
import { parsed } from '../db/unreadable-rows.ts';

export interface TombstoneColumns {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pruned_at: number;
  readonly announced: string;
}

export function toPruned({ kind, namespace, name, pruned_at: prunedAt, announced }: TombstoneColumns): PrunedView {
  return {
    kind,
    namespace,
    name,
    prunedAt,
    announced: parsed<PrunedView['announced']>(announced, Array.isArray).value ?? [],
  };
}
