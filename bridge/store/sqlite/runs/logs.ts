import { gunzipSync } from 'node:zlib';
import type { LogEnd, LogOutcome, RunLog } from '../../../lifecycle/logs.ts';
import type { Instant } from '../../../lib/clock.ts';
import { errorText } from '../../../lib/errors.ts';
import type { KeptLog } from '../../../sinks/story.ts';
import type { LogLimits, LogResult, LogTx, WantedLog } from '../../logs.ts';
import type { LogView } from '../../read.ts';
import type { Db } from '../db/db.ts';
import { shortDetail } from '../db/short-detail.ts';

const END = 'run_uid, namespace, pod_uid, pod_name, container, instance, exit_code, ended_at, restarts';
const OF_RUN = `FROM logs WHERE run_uid = ? ORDER BY ended_at, id`;

const SETTLE = `UPDATE logs SET outcome = ?, detail = ?, text = ?, stored = ?, bytes = ?, cut = ?, settled_at = ?
  WHERE id = ? AND outcome IS NULL RETURNING run_uid`;

/** The first log of a run to be removed: of containers that succeeded before those that failed, the oldest first. */
const LEAST =
  "SELECT id FROM logs WHERE run_uid = ? AND outcome = 'kept' ORDER BY exit_code <> 0, ended_at, id LIMIT 1";

interface LogColumns {
  readonly id: number;
  readonly run_uid: string;
  readonly namespace: string;
  readonly pod_uid: string;
  readonly pod_name: string;
  readonly container: string;
  readonly instance: number;
  readonly exit_code: number;
  readonly ended_at: number;
  readonly restarts: number;
  readonly wanted_at: number;
  readonly attempts: number;
  readonly outcome: LogOutcome | null;
  readonly detail: string | null;
  readonly bytes: number;
  readonly cut: number;
  readonly text?: Uint8Array | null;
}

/** The logs of runs: which are wanted, and the tails of those that were read. The caller holds the transaction. */
export class Logs implements LogTx {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  want(end: LogEnd, now: Instant): void {
    const added = this.#db.run(
      `INSERT OR IGNORE INTO logs (${END}, wanted_at, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?10)`,
      end.runUid,
      end.namespace,
      end.podUid,
      end.podName,
      end.container,
      end.instance,
      end.exitCode,
      end.endedAt,
      Number(end.restarts),
      now,
    );
    if (added > 0) this.#db.work.logs();
  }

  ofRun(runUid: string): RunLog[] {
    return logsOf(this.#db, runUid);
  }

  waitingSince(runUid: string): Instant | undefined {
    const sql = 'SELECT min(wanted_at) AS at FROM logs WHERE run_uid = ? AND outcome IS NULL';
    return this.#db.get<{ at: number | null }>(sql, runUid)?.at ?? undefined;
  }

  giveUp(runUid: string, detail: string, now: Instant): void {
    this.#db.run(
      "UPDATE logs SET outcome = 'log_unavailable', detail = ?, settled_at = ? WHERE run_uid = ? AND outcome IS NULL",
      detail,
      now,
      runUid,
    );
  }

  wanted(limit: number, now: Instant, reading: readonly number[]): WantedLog[] {
    const rows = this.#db.all<LogColumns>(
      `SELECT id, ${END}, wanted_at, attempts FROM logs WHERE outcome IS NULL AND next_at <= ?
         AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at, id LIMIT ? + 0`,
      now,
      JSON.stringify(reading),
      limit,
    );
    return rows.map((row) => ({ id: row.id, ...toEnd(row), wantedAt: row.wanted_at, attempts: row.attempts }));
  }

  settle(result: LogResult, limits: LogLimits, now: Instant): void {
    const { id, outcome, detail } = result;
    if (outcome === 'retry') {
      const retry = 'UPDATE logs SET next_at = ?, attempts = attempts + 1, detail = ? WHERE id = ? AND outcome IS NULL';
      this.#db.run(retry, now + result.delayMs, shortDetail(detail), id);
      return;
    }
    const { text, bytes = 0, cut = false } = result;
    const stored = text?.length ?? 0;
    const kept = this.#db.get<{ run_uid: string }>(
      SETTLE,
      outcome,
      shortDetail(detail),
      text ?? null,
      stored,
      bytes,
      Number(cut),
      now,
      id,
    );
    if (kept === undefined || text === undefined) return;
    const ofRun = "SELECT sum(bytes) AS sum FROM logs WHERE run_uid = ? AND outcome = 'kept'";
    while (this.#sum(ofRun, kept.run_uid) > limits.maxRunBytes) this.#drop(LEAST, 'log_limit', kept.run_uid);
    const all = "SELECT sum(stored) AS sum FROM logs WHERE outcome = 'kept'";
    const oldest = "SELECT id FROM logs WHERE outcome = 'kept' ORDER BY settled_at LIMIT 1";
    while (this.#sum(all) > limits.maxStoredBytes) this.#drop(oldest, 'log_expired');
  }

  /** Removes the texts that were read before. */
  expire(before: Instant): void {
    this.#db.run(
      "UPDATE logs SET outcome = 'log_expired', text = NULL WHERE outcome = 'kept' AND settled_at < ?",
      before,
    );
  }

  #sum(sql: string, ...params: string[]): number {
    return this.#db.get<{ sum: number | null }>(sql, ...params)?.sum ?? 0;
  }

  #drop(which: string, outcome: LogOutcome, ...params: string[]): void {
    this.#db.run(`UPDATE logs SET outcome = ?, text = NULL WHERE id = (${which})`, outcome, ...params);
  }
}

/** The logs of a run without their texts. */
export function logsOf(db: Db, runUid: string): RunLog[] {
  return db.all<LogColumns>(`SELECT id, ${END}, outcome, detail, bytes, cut ${OF_RUN}`, runUid).map(toLog);
}

/** The logs of a run with their texts. */
export function keptLogsOf(db: Db, runUid: string): KeptLog[] {
  const rows = db.all<LogColumns>(`SELECT * ${OF_RUN}`, runUid);
  return rows.map((row) => ({ ...toLog(row), ...(row.text && { text: row.text }) }));
}

/** With its text unpacked. */
export function toLogView({ text, ...log }: KeptLog): LogView {
  try {
    return { ...log, text: text && gunzipSync(text).toString() };
  } catch (error) {
    return {
      ...log,
      outcome: 'log_unavailable',
      detail: `the stored text cannot be read: ${errorText(error)}`,
      text: undefined,
    };
  }
}

function toLog(row: LogColumns): RunLog {
  const { outcome, detail, bytes, cut } = row;
  return { ...toEnd(row), outcome: outcome ?? undefined, detail: detail ?? undefined, bytes, cut: cut === 1 };
}

function toEnd(row: LogColumns): LogEnd {
  return {
    runUid: row.run_uid,
    namespace: row.namespace,
    podUid: row.pod_uid,
    podName: row.pod_name,
    container: row.container,
    instance: row.instance,
    exitCode: row.exit_code,
    endedAt: row.ended_at,
    restarts: row.restarts === 1,
  };
}
