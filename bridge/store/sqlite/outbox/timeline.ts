import type { EndedRun } from '../../../lifecycle/ended-run.ts';
import type { Transition } from '../../../lifecycle/transition.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { Intent } from '../../../sinks/sink.ts';
import type { Decision, TimelineTx } from '../../timeline.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';
import type { NewsOfCommits } from '../db/news.ts';
import type { Sequence } from '../journal/sequence.ts';
import { transitionsOf } from '../runs/stored-runs.ts';
import type { Intents } from './intents.ts';

export interface DecisionColumns {
  readonly transition_id: string;
  readonly destination: string;
  readonly verdict: Decision['verdict'];
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly at: number;
}

export function toDecision(row: DecisionColumns): Decision {
  return {
    transitionId: row.transition_id,
    destination: row.destination,
    verdict: row.verdict,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    at: row.at,
  };
}

const ADD = `INSERT INTO transitions (seq, id, run_uid, at, recorded_at, transition) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO NOTHING`;

const MOVE = `UPDATE transitions SET run_uid = ?2,
    transition = iif(json_valid(transition), json_set(transition, '$.runUid', ?2), transition)
  WHERE run_uid = ?1`;

const RECORDED = 'SELECT transition FROM transitions WHERE id IN (SELECT value FROM json_each(?)) ORDER BY seq';

const hasId = (value: Transition | null): boolean => typeof value?.id === 'string';

/** A decision that waits, or that was taken while no CronJob was known, gives way to the next. */
const DECIDE = `INSERT INTO decisions (transition_id, destination, verdict, reason, detail, at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (transition_id, destination) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason,
    detail = excluded.detail, at = excluded.at
  WHERE decisions.verdict = 'waiting' OR decisions.reason IN ('no_cronjob', 'owner_unseen')`;

/** What happened and what was decided on it. The caller holds the transaction. */
export class Timeline implements TimelineTx {
  readonly #db: Db;
  readonly #sequence: Sequence;
  readonly #intents: Intents;
  readonly #news: NewsOfCommits;

  constructor(db: Db, sequence: Sequence, intents: Intents, news: NewsOfCommits) {
    this.#db = db;
    this.#sequence = sequence;
    this.#intents = intents;
    this.#news = news;
  }

  add(transition: Transition, recordedAt: Instant): boolean {
    const { id, runUid = null, at, kind } = transition;
    const seq = this.#sequence.next();
    if (this.#db.run(ADD, seq, id, runUid, at, recordedAt, JSON.stringify(transition)) === 0) return false;
    this.#sequence.used();
    this.#news.add('transitions', kind);
    return true;
  }

  recorded(ids: readonly string[]): Transition[] {
    const rows = this.#db.all<{ transition: string }>(RECORDED, JSON.stringify(ids));
    return rows.flatMap(({ transition }) => parsed<Transition>(transition, hasId).value ?? []);
  }

  ended(run: EndedRun): void {
    this.#news.add('ended', run);
  }

  ofRun(runUid: string): Transition[] {
    return transitionsOf(this.#db, runUid);
  }

  move(fromRun: string, toRun: string): void {
    this.#db.run(MOVE, fromRun, toRun);
  }

  decide({ transitionId, destination, verdict, reason, detail, at }: Decision): void {
    const isKept = this.#db.run(DECIDE, transitionId, destination, verdict, reason ?? null, detail ?? null, at) > 0;
    if (isKept && verdict === 'dropped' && reason) this.#news.add('dropped', { destination, reason });
  }

  takeBack(transitionId: string, destination: string): boolean {
    const sql = "DELETE FROM decisions WHERE transition_id = ? AND destination = ? AND verdict = 'waiting'";
    return this.#db.run(sql, transitionId, destination) > 0;
  }

  decision(transitionId: string, destination: string): Decision | undefined {
    const sql = 'SELECT * FROM decisions WHERE transition_id = ? AND destination = ?';
    const row = this.#db.get<DecisionColumns>(sql, transitionId, destination);
    return row && toDecision(row);
  }

  enqueue(destination: string, transitionId: string, intent: Intent, at: Instant): boolean {
    return this.#intents.enqueue(destination, transitionId, intent, at);
  }
}
