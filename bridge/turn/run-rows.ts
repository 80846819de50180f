import { isSameJson } from '../lib/same.ts';
import type { RunRow } from '../store/runs.ts';
import type { Tx } from '../store/tx.ts';

/** Writes a run as people see it, and what is remembered of it, unless it is as it was `before`. */
export function saveRun(tx: Tx, before: RunRow | undefined, row: RunRow): void {
  const isSame = before !== undefined && row.memory === before.memory && isSameJson(row.run, before.run);
  if (!isSame) tx.runs.put(row);
}
