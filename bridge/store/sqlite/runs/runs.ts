import type { Attempt } from '../../../lifecycle/transition.ts';
import type { RunRow, RunsTx } from '../../runs.ts';
import type { Db } from '../db/db.ts';
import { LateRows } from '../db/late-rows.ts';
import { SeenRows } from '../db/seen-rows.ts';
import { attemptOf, attemptsOf, readRunRow, RUN_ROW, runOf } from './stored-runs.ts';
import type { RunRowColumns } from './stored-runs.ts';

const WAITING = `${RUN_ROW} WHERE waiting_for = 'owner' AND owner_uid = ? ORDER BY sort_at, uid`;

/** Runs as transactions read and write them: of one that has hardly changed only that is written. The caller holds the transaction. */
export class Runs implements RunsTx {
  readonly #db: Db;
  readonly #seen = new SeenRows<RunRow>();
  readonly #late: LateRows<RunRow>;
  readonly #lateAttempts: LateRows<AttemptOfRun>;

  constructor(db: Db) {
    this.#db = db;
    this.#late = new LateRows(db, /\b(?:runs|run_counts)\b/, (row, known) => putRun(db, row, known), this.#seen);
    this.#lateAttempts = new LateRows(db, /\battempts\b/, ({ runUid, attempt }) => putAttempt(db, runUid, attempt));
  }

  get(uid: string): RunRow | undefined {
    return this.#seen.get(uid, (uid) => runOf(this.#db, uid));
  }

  put(row: RunRow): void {
    this.#late.put(row.run.uid, row, this.#seen.known(row.run.uid));
    this.#seen.keep(row.run.uid, row);
  }

  waitingForOwner(ownerUid: string): RunRow[] {
    return this.#db.all<RunRowColumns>(WAITING, ownerUid).map((row) => readRunRow(this.#db, row));
  }

  claimKey(runKey: string, uid: string): string {
    const isNew = this.#db.run('INSERT OR IGNORE INTO run_keys (run_key, uid) VALUES (?, ?)', runKey, uid) > 0;
    return isNew ? uid : this.keyHolder(runKey)!;
  }

  keyHolder(runKey: string): string | undefined {
    return this.#db.get<{ uid: string }>('SELECT uid FROM run_keys WHERE run_key = ?', runKey)?.uid;
  }

  putAttempt(runUid: string, attempt: Attempt): void {
    this.#lateAttempts.put(attempt.podUid, { runUid, attempt });
  }

  attempts(runUid: string, podUid?: string): Attempt[] {
    return podUid === undefined ? attemptsOf(this.#db, runUid) : attemptOf(this.#db, runUid, podUid);
  }
}

interface AttemptOfRun {
  readonly runUid: string;
  readonly attempt: Attempt;
}

/** Writes a run; `known` is the row that it replaces, if the caller knows it: then only columns that differ are written. */
function putRun(db: Db, row: RunRow, known?: RunRow): void {
  const next = columnsOf(row);
  const json = [JSON.stringify(row.run), JSON.stringify(row.memory)] as const;
  if (known !== undefined) {
    const before = columnsOf(known);
    const changed = COLUMNS.filter((column) => next[column] !== before[column]);
    const set = changed.map((column) => `${column} = ?, `).join('');
    const sql = `UPDATE runs SET ${set}run = ?, memory = ? WHERE uid = ?`;
    if (db.run(sql, ...changed.map((column) => next[column]), ...json, row.run.uid) > 0) return;
  }
  db.run(PUT_RUN, row.run.uid, ...COLUMNS.map((column) => next[column]), ...json);
}

/** What lists find runs by. */
const COLUMNS = ['namespace', 'name', 'owner_uid', 'owner_name', 'status', 'sort_at', 'waiting_for'] as const;

const PUT_RUN = `INSERT INTO runs (uid, ${COLUMNS.join(', ')}, run, memory) VALUES (?, ${COLUMNS.map(() => '?').join(', ')}, ?, ?)
  ON CONFLICT (uid) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')},
    run = excluded.run, memory = excluded.memory`;

function columnsOf({ run, memory }: RunRow): Record<(typeof COLUMNS)[number], string | number | null> {
  return {
    namespace: run.namespace,
    name: run.name,
    owner_uid: run.ownerUid ?? null,
    owner_name: run.ownerName ?? null,
    status: run.status,
    sort_at: run.startedAt ?? run.createdAt ?? run.scheduledAt ?? 0,
    waiting_for: memory.waitingFor ?? null,
  };
}

const CHANGE_ATTEMPT = 'UPDATE attempts SET started_at = ?, attempt = ? WHERE pod_uid = ? AND run_uid = ?';
const PUT_ATTEMPT = `INSERT INTO attempts (pod_uid, run_uid, started_at, attempt) VALUES (?, ?, ?, ?)
  ON CONFLICT (pod_uid) DO UPDATE SET
    run_uid = excluded.run_uid, started_at = excluded.started_at, attempt = excluded.attempt`;

/** Writes a pod of a run; nearly always of the run that it had, which then costs no index. */
function putAttempt(db: Db, runUid: string, attempt: Attempt): void {
  const { podUid, startedAt = null } = attempt;
  const json = JSON.stringify(attempt);
  if (db.run(CHANGE_ATTEMPT, startedAt, json, podUid, runUid) > 0) return;
  db.run(PUT_ATTEMPT, podUid, runUid, startedAt, json);
}
