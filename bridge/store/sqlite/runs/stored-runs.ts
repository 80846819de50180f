import type { Attempt, Run, RunStatus, Transition } from '../../../lifecycle/transition.ts';
import { REASONS } from '../../../lib/reasons.ts';
import { UNREADABLE_ROW } from '../../quarantine.ts';
import type { RunMemory, RunRow } from '../../runs.ts';
import type { Db } from '../db/db.ts';
import { readOrReplace } from '../db/unreadable-rows.ts';

export interface RunColumns {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner_uid: string | null;
  readonly owner_name: string | null;
  readonly status: RunStatus;
  readonly sort_at: number;
  readonly waiting_for: RunMemory['waitingFor'] | null;
  readonly run: string;
}

export type RunRowColumns = RunColumns & { readonly memory: string };

export const RUN = 'SELECT uid, namespace, name, owner_uid, owner_name, status, sort_at, waiting_for, run FROM runs';
export const RUN_ROW = RUN.replace(' run FROM', ' run, memory FROM');

export function readRun(db: Db, row: RunColumns): Run {
  const place = { table: 'runs', column: 'uid', value: row.uid } as const;
  const isSound = (run: Run | null): boolean => run?.uid === row.uid;
  return readOrReplace<Run>(db, place, { column: 'run', text: row.run }, isSound, () => fromColumns(db, row));
}

/** A run with what is remembered beside it. */
export function runOf(db: Db, uid: string): RunRow | undefined {
  const row = db.get<RunRowColumns>(`${RUN_ROW} WHERE uid = ?`, uid);
  return row && readRunRow(db, row);
}

/** With what is remembered beside it. */
export function readRunRow(db: Db, row: RunRowColumns): RunRow {
  const place = { table: 'runs', column: 'uid', value: row.uid } as const;
  const memory = readOrReplace<RunMemory>(db, place, { column: 'memory', text: row.memory }, isMemory, () => ({
    memos: {},
    // What waited is among what was recorded; what of it is planned already stays as it is.
    waiting: row.waiting_for === null ? [] : transitionsOf(db, row.uid),
    waitingFor: row.waiting_for ?? undefined,
  }));
  return { run: readRun(db, row), memory };
}

function isMemory(memory: Partial<RunMemory> | null): boolean {
  return typeof memory?.memos === 'object' && memory.memos !== null && Array.isArray(memory.waiting);
}

/** What is known of a run from the columns beside its JSON. */
function fromColumns(db: Db, { uid, namespace, name, status, ...row }: RunColumns): Run {
  const held = db.get<{ key: string }>(
    'SELECT min(run_key) AS key FROM run_keys WHERE uid = ? HAVING key IS NOT NULL',
    uid,
  );
  const object = db.get<{ kind: 'Job' | 'Pod' }>('SELECT kind FROM objects WHERE uid = ?', uid);
  const unknown = { createdAt: undefined, scheduledAt: undefined, endedAt: undefined, deleted: false };
  const owner = { ownerUid: row.owner_uid ?? undefined, ownerName: row.owner_name ?? undefined };
  return {
    ...unknown,
    ...owner,
    uid,
    namespace,
    name,
    status,
    kind: object?.kind ?? 'Job',
    // Under any other key its transitions would be reported a second time.
    runKey: held?.key ?? uid,
    ownerKind: row.owner_name === null ? undefined : 'CronJob',
    startedAt: row.sort_at === 0 ? undefined : row.sort_at,
    reason: UNREADABLE_ROW,
    message: REASONS.unreadable_row,
  };
}

export interface AttemptColumns {
  readonly pod_uid: string;
  readonly started_at: number | null;
  readonly attempt: string;
}

const ATTEMPTS =
  'SELECT pod_uid, started_at, attempt FROM attempts WHERE run_uid = ? ORDER BY started_at IS NULL, started_at, id';

/** Attempts of a run by start, those that did not start last; `limit` at most, where one is given. */
export function attemptsOf(db: Db, runUid: string, limit?: number): Attempt[] {
  // SQLite sorts for a bound LIMIT in another way, which costs six times as much for the few attempts of a run.
  const rows =
    limit === undefined
      ? db.all<AttemptColumns>(ATTEMPTS, runUid)
      : db.all<AttemptColumns>(`${ATTEMPTS} LIMIT ?`, runUid, limit);
  return rows.map((row) => readAttempt(db, row));
}

/** One attempt of a run; empty when the pod was not seen as one. */
export function attemptOf(db: Db, runUid: string, podUid: string): Attempt[] {
  const sql = 'SELECT pod_uid, started_at, attempt FROM attempts WHERE pod_uid = ? AND run_uid = ?';
  return db.all<AttemptColumns>(sql, podUid, runUid).map((row) => readAttempt(db, row));
}

export function readAttempt(db: Db, row: AttemptColumns): Attempt {
  const place = { table: 'attempts', column: 'pod_uid', value: row.pod_uid } as const;
  const isSound = (attempt: Attempt | null): boolean => attempt?.podUid === row.pod_uid;
  return readOrReplace<Attempt>(db, place, { column: 'attempt', text: row.attempt }, isSound, () => unreadable(row));
}

function unreadable({ pod_uid: podUid, started_at: startedAt }: AttemptColumns): Attempt {
  const unknown = {
    nodeName: undefined,
    index: undefined,
    endedAt: undefined,
    container: undefined,
    exitCode: undefined,
  };
  return {
    ...unknown,
    podUid,
    podName: podUid,
    phase: 'Unknown',
    startedAt: startedAt ?? undefined,
    reason: REASONS.unreadable_row,
  };
}

export interface TransitionColumns {
  readonly id: string;
  readonly at: number;
  readonly transition: string;
}

/** All transitions of a run in the order of their times. */
export function transitionsOf(db: Db, runUid: string): Transition[] {
  const sql = 'SELECT id, at, transition FROM transitions WHERE run_uid = ? ORDER BY at, seq';
  return db.all<TransitionColumns>(sql, runUid).map((row) => readTransition(db, runUid, row));
}

export function readTransition(db: Db, runUid: string, { id, at, transition: text }: TransitionColumns): Transition {
  const place = { table: 'transitions', column: 'id', value: id } as const;
  const isSound = (transition: Transition | null): boolean => transition?.id === id && 'about' in transition;
  const about = { kind: 'Job', namespace: '', name: '', uid: runUid } as const;
  // Of a kind that is not reported by itself.
  const instead = (): Transition => ({ id, kind: 'attempt.ended', at, about, runUid, text: REASONS.unreadable_row });
  return readOrReplace<Transition>(db, place, { column: 'transition', text }, isSound, instead);
}
