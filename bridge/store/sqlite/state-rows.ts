import { KINDS } from '../../kubernetes/kinds.ts';
import type { Kind } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import type { ObjectRow, RunRow } from '../store.ts';
import { forgetVersions, setUnwatched } from './objects/audit-rows.ts';
import type { Db } from './db/db.ts';
import { childrenOf, objectOf, putObject } from './objects/object-rows.ts';
import { putRun } from './runs/run-rows.ts';
import { readRunRow, RUN_ROW, runOf } from './runs/stored-runs.ts';
import type { RunRowColumns } from './runs/stored-runs.ts';

/** A transaction that looks at every CronJob keeps no more of them than one of many records does. */
const MAX_KEPT = 2_000;

/**
 * Objects and runs as one transaction reads and writes them. What it has seen is not read again, and of what has hardly
 * changed only that is written: a record needs its Job, CronJob and run several times, and the next record too.
 */
export class StateRows {
  readonly #db: Db;
  readonly #objects = new Map<string, ObjectRow | undefined>();
  readonly #runs = new Map<string, RunRow | undefined>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** The rows may be others now: a transaction begins, or a part of it was rolled back. */
  forget(): void {
    this.#objects.clear();
    this.#runs.clear();
  }

  object(uid: string): ObjectRow | undefined {
    return seen(this.#objects, uid, () => objectOf(this.#db, uid));
  }

  putObject(row: ObjectRow): void {
    const known = this.#objects.get(row.uid);
    putObject(this.#db, row, known);
    // The first time at which it was over counts.
    const overAt = row.deleted ? (known?.overAt ?? row.overAt) : undefined;
    keep(this.#objects, row.uid, { ...row, overAt, factsSchema: row.factsSchema ?? KINDS[row.kind].schema });
  }

  children(ownerUid: string, kind: Kind): ObjectRow[] {
    return childrenOf(this.#db, ownerUid, kind);
  }

  forgetVersions(kind: Kind): void {
    forgetVersions(this.#db, kind);
    this.#objects.clear();
  }

  setUnwatched(kind: Kind, since: Instant | undefined): void {
    setUnwatched(this.#db, kind, since);
    this.#objects.clear();
  }

  run(uid: string): RunRow | undefined {
    return seen(this.#runs, uid, () => runOf(this.#db, uid));
  }

  putRun(row: RunRow): void {
    putRun(this.#db, row, this.#runs.get(row.run.uid));
    keep(this.#runs, row.run.uid, row);
  }

  runsWaitingForOwner(ownerUid: string): RunRow[] {
    const rows = this.#db.all<RunRowColumns>(
      `${RUN_ROW} WHERE waiting_for = 'owner' AND owner_uid = ? ORDER BY sort_at, uid`,
      ownerUid,
    );
    return rows.map((row) => readRunRow(this.#db, row));
  }
}

function seen<Row>(rows: Map<string, Row | undefined>, uid: string, read: () => Row | undefined): Row | undefined {
  if (rows.has(uid)) return rows.get(uid);
  const row = read();
  keep(rows, uid, row);
  return row;
}

function keep<Row>(rows: Map<string, Row | undefined>, uid: string, row: Row | undefined): void {
  if (rows.size >= MAX_KEPT) rows.clear();
  rows.set(uid, row);
}
