import { sha256Hex } from '../../lib/ids.ts';
import { canonicalJson } from '../../lib/json.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import type { ClaimedDesired, Delivery, Desired } from '../../sinks/sink.ts';
import type { SettledDesired } from '../outbox-store.ts';
import type { Claimant, DesiredRules } from '../store.ts';
import { nextAssertion } from './assertion.ts';
import type { Db } from './db.ts';
import type { Holds } from './holds.ts';
import type { Intents } from './intents.ts';
import type { Retirements } from './retirements.ts';
import { refuseAll } from './refusals.ts';
import { NOTHING, NOTHING_HASH, postponeRemovals, SHOWN_MS } from './removals.ts';
import { shortDetail } from './rows.ts';
import { parsed, readJson } from './unreadable-rows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface DesiredColumns {
  readonly id: number;
  readonly destination: string;
  readonly key: string;
  readonly wanted: string;
  readonly wanted_hash: string;
  readonly retired: number;
  readonly attempts: number;
}

type Drop = Extract<Delivery, { outcome: 'drop' }>;
type Retry = Extract<Delivery, { outcome: 'retry' }>;

const ROW =
  'SELECT id, destination, key, wanted, wanted_hash, retired, attempts FROM desired WHERE destination = ? AND key = ?';

interface ClaimColumns {
  readonly uid: string;
  readonly wanted: string;
}

const OLDEST_CLAIM =
  'SELECT uid, wanted FROM claims WHERE destination = ? AND key = ? ORDER BY created_at, uid LIMIT 1';

/** Without its name SQLite takes the primary key, and reads every claim of the destination. */
const OF_OBJECT = 'FROM claims INDEXED BY claims_uid WHERE destination = ? AND uid = ?';

/** What was refused comes last: it may cost a search for it. What is retired or removed is not asserted again. */
const CLAIM = `SELECT * FROM desired WHERE destination = ?1 AND sending = 0 AND next_at <= ?2
    AND NOT ((retired = 1 OR wanted = ?4) AND not_in_sync_since IS NULL)
  ORDER BY refused, next_at, id LIMIT ?3`;

const CHANGE = `UPDATE desired SET wanted = ?2, wanted_hash = ?3, retired = ?4, attempts = 0, refused = 0, reason = NULL,
    detail = NULL, next_at = ?5,
    not_in_sync_since = iif(accepted_hash IS ?3, NULL, coalesce(not_in_sync_since, ?5))
  WHERE id = ?1`;

/** One that is in sync is shown for its time once it is retired, and asserted as others when it no longer is. */
const RETIRED = `UPDATE desired SET retired = ?1, next_at = iif(not_in_sync_since IS NULL, ?2, next_at) WHERE id = ?3`;

/** The desired-state rows and who claims them. The caller holds the transaction. */
export class DesiredRows {
  readonly #db: Db;
  readonly #holds: Holds;
  readonly #intents: Intents;
  readonly #retirements: Retirements;

  constructor(db: Db, holds: Holds, intents: Intents, retirements: Retirements) {
    this.#db = db;
    this.#holds = holds;
    this.#intents = intents;
    this.#retirements = retirements;
  }

  wanted(destination: string, key: string): Json | undefined {
    const row = this.#row(destination, key);
    return row === undefined ? this.#former(destination, key) : wantedOf(this.#db, row);
  }

  claimFor(
    { destination, uid, createdAt, alive }: Claimant,
    claims: readonly Desired[],
    rules: DesiredRules,
    at: Instant,
  ): void {
    const wanted = new Map(claims.map((claim) => [claim.key, claim.wanted]));
    const texts = new Map(alive ? claims.map((claim) => [claim.key, canonicalJson(claim.wanted)]) : []);
    const earlier = this.#db.all<{ key: string; wanted: string }>(`SELECT key, wanted ${OF_OBJECT}`, destination, uid);
    const same = earlier.length === texts.size && earlier.every((claim) => texts.get(claim.key) === claim.wanted);
    if (alive && same) return;
    this.#db.run(`DELETE ${OF_OBJECT}`, destination, uid);
    for (const [key, text] of texts) {
      this.#db.run('INSERT INTO claims VALUES (?, ?, ?, ?, ?)', destination, key, uid, createdAt, text);
    }
    const cause = alive && claims.length === 0 ? 'left' : 'unclaimed';
    for (const key of new Set([...earlier.map((claim) => claim.key), ...wanted.keys()])) {
      this.#recompute(destination, key, wanted.get(key), rules, at, cause);
    }
  }

  /** Every row of a destination anew from its claims. */
  recompute(destination: string, rules: DesiredRules, at: Instant): void {
    const rows = this.#db.all<{ key: string }>(
      'SELECT key FROM desired WHERE destination = ?1 UNION SELECT key FROM claims WHERE destination = ?1',
      destination,
    );
    for (const { key } of rows) this.#recompute(destination, key, undefined, rules, at);
  }

  claim(destination: string, limit: number, now: Instant, limitKeys: readonly string[]): ClaimedDesired[] {
    const held = this.#holds.active(destination, now);
    if (held.some((key) => key === destination || limitKeys.includes(key))) return [];
    const rows = this.#db.all<DesiredColumns>(CLAIM, destination, now, limit, NOTHING);
    for (const { id } of rows) {
      // Whatever becomes of the request: until it is answered, nobody knows what the vendor has.
      this.#db.run(
        `UPDATE desired SET sending = 1, accepted_hash = NULL, attempts = attempts + 1,
           not_in_sync_since = coalesce(not_in_sync_since, ?) WHERE id = ?`,
        now,
        id,
      );
    }
    return rows.flatMap((row) => {
      const wanted = wantedOf(this.#db, row);
      if (wanted === undefined) this.#replace(row, now);
      const { key, wanted_hash: wantedHash, attempts } = row;
      return wanted === undefined ? [] : [{ destination, key, wanted, wantedHash, attempt: attempts + 1 }];
    });
  }

  /** A row that cannot be read gives way to what a live object claims, if one does. */
  #replace({ id, destination, key }: DesiredColumns, now: Instant): void {
    this.#db.run('DELETE FROM desired WHERE id = ?', id);
    const claimed = this.#claimed(destination, key);
    if (claimed !== undefined) this.#put(destination, key, claimed, undefined, now);
    else this.#intents.release(destination, key, now);
  }

  /** What the oldest live claim of a key wants. One that cannot be read is no claim; the audit has its object read again. */
  #claimed(destination: string, key: string): Json | undefined {
    for (;;) {
      const row = this.#db.get<ClaimColumns>(OLDEST_CLAIM, destination, key);
      if (row === undefined) return undefined;
      const place = { table: 'claims', column: 'uid', value: row.uid } as const;
      const wanted = readJson<Json>(this.#db, place, row.wanted, isAny);
      if (wanted !== undefined) return wanted;
      this.#db.run('DELETE FROM claims WHERE destination = ? AND key = ? AND uid = ?', destination, key, row.uid);
      this.#db.run('UPDATE objects SET facts_schema = 0 WHERE uid = ?', row.uid);
    }
  }

  settle({ destination, key, sentHash, delivery, delayMs = 0 }: SettledDesired, now: Instant): void {
    const row = this.#db.get<DesiredColumns>(`${ROW} AND sending = 1`, destination, key);
    if (row === undefined) return;
    const changed = row.wanted_hash !== sentHash;
    if (delivery.outcome === 'delivered') this.#accepted(row, sentHash, changed, delivery.detail, now);
    else if (delivery.outcome === 'drop') this.#refused(row, changed, delivery, now);
    else this.#retry(row, changed, delivery, delayMs, now);
  }

  /** What a crash left in flight has an unknown outcome: it is asserted again. */
  recover(now: Instant): void {
    this.#db.run('UPDATE desired SET sending = 0, next_at = ? WHERE sending = 1', now);
    postponeRemovals(this.#db, now);
  }

  #accepted(row: DesiredColumns, sentHash: string, changed: boolean, detail: string | undefined, now: Instant): void {
    const isRemoved = sentHash === NOTHING_HASH;
    this.#db.run(
      `UPDATE desired SET sending = 0, accepted_hash = ?2, attempts = 0, refused = 0, reason = NULL, detail = ?3,
         next_at = ?4, first_accepted_at = iif(?6, NULL, coalesce(first_accepted_at, ?5)),
         not_in_sync_since = iif(wanted_hash = ?2, NULL, not_in_sync_since) WHERE id = ?1`,
      row.id,
      sentHash,
      shortDetail(detail),
      changed ? now : isRemoved || row.retired === 1 ? now + SHOWN_MS : nextAssertion(row, now),
      now,
      Number(isRemoved),
    );
    if (!isRemoved) this.#intents.release(row.destination, row.key, now);
  }

  #refused(row: DesiredColumns, changed: boolean, delivery: Drop, now: Instant): void {
    const { reason, detail, hold, afterMs } = delivery;
    const againMs = afterMs ?? Math.min(DAY_MS, HOUR_MS * 2 ** Math.min(row.attempts - 1, 10));
    if (hold) this.#holds.set(row.destination, hold.key, now + againMs, now);
    // A refusal of what is no longer wanted says nothing about what is.
    this.#db.run(
      'UPDATE desired SET sending = 0, refused = ?, reason = ?, detail = ?, next_at = ? WHERE id = ?',
      Number(!changed),
      reason,
      shortDetail(detail),
      changed ? now : now + againMs,
      row.id,
    );
    if (!changed) this.#intents.release(row.destination, row.key, now);
    if (hold) refuseAll(this.#db, this.#intents, row.destination, delivery, now + againMs, now);
  }

  #retry(row: DesiredColumns, changed: boolean, delivery: Retry, delayMs: number, now: Instant): void {
    const { reason, detail, hold } = delivery;
    if (hold) this.#holds.set(row.destination, hold.key, now + delayMs, now);
    this.#db.run(
      'UPDATE desired SET sending = 0, reason = ?, detail = ?, next_at = ?, attempts = max(0, attempts - ?) WHERE id = ?',
      reason,
      shortDetail(detail),
      changed ? now : now + delayMs,
      Number(hold !== undefined),
      row.id,
    );
  }

  /** Gives a row the payload of its oldest live claim, or retires it. `dead` is what a deleted object last claimed. */
  #recompute(
    destination: string,
    key: string,
    dead: Json | undefined,
    rules: DesiredRules,
    at: Instant,
    cause: 'left' | 'unclaimed' = 'unclaimed',
  ): void {
    const row = this.#row(destination, key);
    const before = row && wantedOf(this.#db, row);
    const wanted = this.#claimed(destination, key);
    if (wanted !== undefined) {
      const known = row === undefined ? this.#former(destination, key) : before;
      const adopted = known === undefined ? wanted : (rules.adopt?.(wanted, known) ?? wanted);
      if (this.#retirements.current() === undefined) this.#put(destination, key, adopted, undefined, at);
      // What the vendor never heard of needs no retirement: nothing is made there now.
      else if (row !== undefined || this.#retirements.isInherited())
        this.#put(destination, key, rules.retire(adopted, 'bridge') ?? adopted, undefined, at);
      return;
    }
    if (row?.retired === 1) return;
    const last = dead ?? before;
    const retired = last === undefined ? null : rules.retire(last, cause);
    const unclaimed = cause === 'left' ? {} : { removeAfterMs: rules.removeAfterMs };
    if (retired !== null) this.#put(destination, key, retired, unclaimed, at);
    else if (row) this.#db.run(RETIRED, 1, at + SHOWN_MS, row.id);
    // A run may wait for it.
    else if (last !== undefined) this.#put(destination, key, last, {}, at);
  }

  /** `unclaimed`: no live object claims it. */
  #put(
    destination: string,
    key: string,
    wanted: Json,
    unclaimed: Pick<DesiredRules, 'removeAfterMs'> | undefined,
    at: Instant,
  ): void {
    const text = canonicalJson(wanted);
    const hash = sha256Hex(text);
    const row = this.#row(destination, key);
    const retired = Number(unclaimed !== undefined);
    if (row === undefined) {
      this.#db.run('DELETE FROM former_rows WHERE destination = ? AND key = ?', destination, key);
      this.#db.run(
        `INSERT INTO desired (destination, key, wanted, wanted_hash, retired, next_at, not_in_sync_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)`,
        destination,
        key,
        text,
        hash,
        retired,
        at,
      );
    } else if (row.wanted_hash !== hash) {
      this.#db.run(CHANGE, row.id, text, hash, retired, at);
    } else if (row.retired !== retired) {
      this.#db.run(RETIRED, retired, retired === 1 ? at + SHOWN_MS : nextAssertion(row, at), row.id);
    }
    const removeAt = unclaimed?.removeAfterMs === undefined ? null : at + unclaimed.removeAfterMs;
    this.#db.run(
      'UPDATE desired SET remove_at = ?1 WHERE destination = ?2 AND key = ?3 AND remove_at IS NOT ?1',
      removeAt,
      destination,
      key,
    );
  }

  /** What a row was that is forgotten: the vendor may have it still, as it was left. */
  #former(destination: string, key: string): Json | undefined {
    const sql = 'SELECT wanted FROM former_rows WHERE destination = ? AND key = ?';
    const row = this.#db.get<{ wanted: string }>(sql, destination, key);
    return row && parsed<Json>(row.wanted).value;
  }

  #row(destination: string, key: string): DesiredColumns | undefined {
    return this.#db.get<DesiredColumns>(ROW, destination, key);
  }
}

function wantedOf(db: Db, row: DesiredColumns): Json | undefined {
  return readJson<Json>(db, { table: 'desired', column: 'id', value: row.id }, row.wanted, isAny);
}

const isAny = (): boolean => true;
