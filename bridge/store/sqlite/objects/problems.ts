import type { Kind } from '../../../kubernetes/observation.ts';
import type { Instant } from '../../../lib/clock.ts';
import { sha256Hex } from '../../../lib/ids.ts';
import { canonicalJson } from '../../../lib/json.ts';
import type { DueEvent, Problem, ProblemsTx, ProblemSubject, ProblemView, SettledEvent } from '../../problems.ts';
import type { Db } from '../db/db.ts';
import type { NewsOfCommits } from '../db/news.ts';
import { shortDetail } from '../db/short-detail.ts';
import { readOrRemove } from '../db/unreadable-rows.ts';

const DAY_MS = 86_400_000;

export interface ProblemColumns {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly problems: string;
  readonly set_hash: string;
  readonly attempts: number;
  readonly event_at: number | null;
  readonly event_error: string | null;
}

const PUT = `INSERT INTO annotation_problems (uid, namespace, name, problems, set_hash, next_at, kind)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (uid) DO UPDATE SET problems = ?4, set_hash = ?5,
    attempts = iif(set_hash = ?5, attempts, 0), next_at = iif(set_hash = ?5, next_at, ?6),
    event_at = iif(set_hash = ?5, event_at, NULL), event_error = iif(set_hash = ?5, event_error, NULL)`;

/** Annotations that cannot be read. The caller holds the transaction. */
export class Problems implements ProblemsTx {
  readonly #db: Db;
  readonly #news: NewsOfCommits;

  constructor(db: Db, news: NewsOfCommits) {
    this.#db = db;
    this.#news = news;
  }

  set({ kind, uid, namespace, name }: ProblemSubject, problems: readonly Problem[], at: Instant): void {
    const row = this.#db.get<ProblemColumns>('SELECT * FROM annotation_problems WHERE uid = ?', uid);
    if (row === undefined && problems.length === 0) return;
    if (problems.length === 0) {
      this.#db.run('DELETE FROM annotation_problems WHERE uid = ?', uid);
      return;
    }
    const known = new Map(
      (row === undefined ? [] : toProblems(this.#db, row)).map((problem) => [textOf(problem), problem]),
    );
    const now = problems.map((problem) => ({ ...problem, sinceAt: known.get(textOf(problem))?.sinceAt ?? at }));
    const text = JSON.stringify(now);
    if (text === row?.problems) return;
    const setHash = sha256Hex([uid, ...new Set(problems.map(textOf))].toSorted().join('\n'));
    this.#db.run(PUT, uid, namespace, name, text, setHash, at, kind);
    this.#db.work.events();
    const fresh = problems.filter((problem) => !known.has(textOf(problem)));
    this.#news.add('problems', ...fresh.map((problem) => ({ ...problem, kind, uid, namespace, name })));
  }

  forgetDead(): void {
    this.#db.run(`DELETE FROM annotation_problems AS problems
      WHERE NOT EXISTS (SELECT 1 FROM objects WHERE objects.uid = problems.uid AND deleted = 0)`);
  }

  /** What failed is tried at once after a start: people restart what they have repaired. */
  recover(now: Instant): void {
    this.#db.run('UPDATE annotation_problems SET next_at = ? WHERE event_error IS NOT NULL', now);
  }

  due(limit: number, now: Instant): DueEvent[] {
    const rows = this.#db.all<ProblemColumns>(
      'SELECT * FROM annotation_problems WHERE next_at <= ? ORDER BY next_at, uid LIMIT ? + 0',
      now,
      limit,
    );
    return rows.flatMap((row) => {
      const { uid, kind, namespace, name, set_hash: setHash, attempts } = row;
      const problems = toProblems(this.#db, row);
      return problems.length === 0 ? [] : [{ kind, uid, namespace, name, problems, setHash, attempt: attempts + 1 }];
    });
  }

  /** The result of another set than the one that is there now says nothing. */
  settle({ uid, setHash, failed }: SettledEvent, now: Instant): void {
    this.#db.run(
      `UPDATE annotation_problems SET attempts = iif(?3 IS NULL, 0, attempts + 1), event_error = ?3, next_at = ?4,
         event_at = iif(?3 IS NULL, ?5, event_at) WHERE uid = ?1 AND set_hash = ?2`,
      uid,
      setHash,
      shortDetail(failed?.error),
      now + (failed?.delayMs ?? DAY_MS),
      now,
    );
  }
}

/** None that can be read: they are found again when the object is planned. */
export function toProblems(db: Db, { uid, problems }: Pick<ProblemColumns, 'uid' | 'problems'>): ProblemView[] {
  const place = { table: 'annotation_problems', column: 'uid', value: uid } as const;
  return readOrRemove<ProblemView[]>(db, place, problems, Array.isArray) ?? [];
}

/** What a person reads of a problem: the same for every destination that says the same. */
function textOf({ annotation, value, allowed, used }: Problem): string {
  return canonicalJson([annotation, value, allowed, used]);
}
