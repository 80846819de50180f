import type { EventFacts } from '../../../kubernetes/kinds/event.ts';
import type { KeptEvent } from '../../../lifecycle/event.ts';
import { eventSubjects } from '../../../lifecycle/event.ts';
import type { Attempt, Run } from '../../../lifecycle/transition.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { EventsTx } from '../../events.ts';
import type { Db } from '../db/db.ts';
import { PASSED } from '../journal/journal-entries.ts';
import type { Journals } from '../journal/journals.ts';
import type { Sequence } from '../journal/sequence.ts';
import { readOrRemove } from '../db/unreadable-rows.ts';

/** The API server removes an Event an hour after it was said last. */
const KEPT_MS = 2 * 3_600_000;
const MAX_EVENTS = 50_000;
/** How many new ones there are before their number is looked at. */
const LOOK_AFTER = 1_000;
const PER_STEP = 2_000;
/** Of one object. */
const RING = 20;

const REMOVED = 'events_removed_up_to';

interface EventColumns {
  readonly seq: number;
  readonly uid: string;
  readonly about: string;
  readonly version: string;
  readonly at: number;
  readonly count: number;
  readonly step: number;
  readonly taken_at: number;
  readonly event: string;
}

const ADD = `INSERT INTO events (seq, uid, about, version, at, count, step, taken_at, event)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (uid) DO NOTHING`;
const MOVE = 'UPDATE events SET seq = ? WHERE uid = ? AND step <> ?';
const UPDATE = 'UPDATE events SET version = ?, at = ?, count = ?, step = ? WHERE uid = ?';
const ABOUT = `SELECT * FROM events WHERE about = ? ORDER BY at DESC LIMIT ${RING}`;
const OLDEST = `SELECT seq FROM events WHERE at <= ? ORDER BY at LIMIT ${PER_STEP}`;
const REMOVE = `DELETE FROM events WHERE seq IN (${OLDEST})`;
/** Not before every journal has passed it. */
const REMOVE_OLD = `DELETE FROM events WHERE seq IN (${OLDEST}) AND seq <= ${PASSED}`;

export class EventRows implements EventsTx {
  readonly #db: Db;
  readonly #sequence: Sequence;
  readonly #journals: Journals;
  readonly #most: number;
  /** Since their number was looked at; those of a transaction that failed count too. */
  #added = Infinity;
  #removedUpTo: Instant;

  constructor(db: Db, sequence: Sequence, journals: Journals, most = MAX_EVENTS) {
    this.#db = db;
    this.#sequence = sequence;
    this.#journals = journals;
    this.#most = most;
    this.#removedUpTo = db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', REMOVED)?.value ?? -Infinity;
  }

  add({ uid, about, version, at, count, step, takenAt, event }: KeptEvent): boolean {
    const seq = this.#sequence.next();
    const values = [seq, uid, about, version, at, count, step, takenAt, JSON.stringify(event)];
    if (this.#db.run(ADD, ...values) === 0) return false;
    this.#sequence.used();
    this.#added++;
    return true;
  }

  event(uid: string): KeptEvent | undefined {
    const row = this.#db.get<EventColumns>('SELECT * FROM events WHERE uid = ?', uid);
    const event = row && readEvent(this.#db, row);
    if (row === undefined || event === undefined) return undefined;
    const { about, version, at, count, step, taken_at: takenAt } = row;
    return { uid, about, version, at, count, step, takenAt, event };
  }

  update({ uid, version, at, count, step }: KeptEvent): void {
    // At a step it is another entry of the journals: it moves to their end.
    const moved = this.#db.run(MOVE, this.#sequence.next(), uid, step);
    if (moved > 0) this.#sequence.used();
    this.#db.run(UPDATE, version, at, count, step, uid);
  }

  about(uids: readonly string[]): EventFacts[] {
    return eventsAbout(this.#db, uids);
  }

  removedUpTo(now: Instant): Instant {
    return Math.max(this.#removedUpTo, now - KEPT_MS);
  }

  /** Whether there may be too many: their number is to be looked at. */
  get mayBeMany(): boolean {
    return this.#added >= LOOK_AFTER;
  }

  /** Removes what is too old or too much, a few at a time. */
  expire(now: Instant): void {
    this.#db.run(REMOVE_OLD, now - KEPT_MS);
    if (!this.mayBeMany) return;
    this.#added = 0;
    const beyond = 'SELECT at FROM events ORDER BY at DESC LIMIT 1 OFFSET ?';
    const last = this.#db.get<{ at: number }>(beyond, this.#most)?.at;
    if (last === undefined) return;
    // It may be more than one step.
    this.#journals.overrun(last, PER_STEP, now);
    if (this.#db.run(REMOVE, last) === PER_STEP) this.#added = Infinity;
    this.#db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', REMOVED, last);
    this.#removedUpTo = last;
  }
}

/** The last Events about each of these UIDs, together in the order of their times. */
export function eventsAbout(db: Db, uids: readonly string[]): EventFacts[] {
  const rows = [...new Set(uids)].flatMap((uid) => db.all<EventColumns>(ABOUT, uid));
  return rows.toSorted((a, b) => a.at - b.at || a.seq - b.seq).flatMap((row) => toFacts(db, row) ?? []);
}

/** Of a run and its pods. */
export function eventsOfRun(db: Db, run: Run, attempts: readonly Attempt[]): EventFacts[] {
  return eventsAbout(db, eventSubjects(run, attempts));
}

/** As of its newest version. */
function toFacts(db: Db, row: EventColumns): EventFacts | undefined {
  const event = readEvent(db, row);
  return event && { ...event, resourceVersion: row.version, count: row.count, lastAt: row.at };
}

function readEvent(db: Db, { uid, event: text }: EventColumns): EventFacts | undefined {
  const isSound = (event: EventFacts | null): boolean => event?.uid === uid && typeof event.regarding === 'object';
  return readOrRemove<EventFacts>(db, { table: 'events', column: 'uid', value: uid }, text, isSound);
}
