import { canonicalJson } from '../../../lib/json.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Json } from '../../../lib/json.ts';
import type { Desired } from '../../../sinks/sink.ts';
import { FORGET, HOLD } from '../../../sinks/sink.ts';
import type { Claim, Claimant, DesiredRules, DesiredTx, ObjectName } from '../../desired.ts';
import type { Db } from '../db/db.ts';
import type { RowKey } from './desired-row.ts';
import { desiredRow, formerRow, putRow, retireRow, wantedOf } from './desired-row.ts';
import type { Intents } from '../outbox/intents.ts';
import type { Retirements } from '../outbox/retirements.ts';
import { parsed, readJson } from '../db/unreadable-rows.ts';

const DAY_MS = 86_400_000;

interface ClaimColumns {
  readonly uid: string;
  readonly wanted: string;
}

interface OwnColumns {
  readonly key: string;
  readonly of_uid: string;
  readonly of_rank: number;
  readonly rank: number;
  readonly wanted: string | null;
}

const OWN_COLUMNS = ['key', 'of_uid', 'of_rank', 'rank', 'wanted'] as const;

const ELECTED = `SELECT uid, wanted FROM claims INDEXED BY claims_elected
  WHERE destination = ? AND key = ? AND wanted IS NOT NULL ORDER BY of_rank, of_uid, rank, uid LIMIT 1`;

/** Without its name SQLite takes the primary key, and reads every claim of the destination. */
const OF_OBJECT = 'FROM claims INDEXED BY claims_uid WHERE destination = ? AND uid = ?';

const STICKY_KEY = 'SELECT key FROM sticky_keys WHERE destination = ? AND kind = ? AND namespace = ? AND name = ?';

/** Who claims the desired rows, and what these are to be by it. The caller holds the transaction. */
export class Claims implements DesiredTx {
  readonly #db: Db;
  readonly #intents: Intents;
  readonly #retirements: Retirements;
  readonly #onKeys: () => void;

  /** `onKeys` is called when there is another sticky key. */
  constructor(db: Db, intents: Intents, retirements: Retirements, onKeys: () => void) {
    this.#db = db;
    this.#intents = intents;
    this.#retirements = retirements;
    this.#onKeys = onKeys;
  }

  stickyKey(destination: string, { kind, namespace, name }: ObjectName): string | undefined {
    return this.#db.get<{ key: string }>(STICKY_KEY, destination, kind, namespace, name)?.key;
  }

  setStickyKey(destination: string, { kind, namespace, name }: ObjectName, key: string): void {
    const sql = 'INSERT OR IGNORE INTO sticky_keys (destination, kind, namespace, name, key) VALUES (?, ?, ?, ?, ?)';
    if (this.#db.run(sql, destination, kind, namespace, name, key) > 0) this.#onKeys();
  }

  wanted(destination: string, key: string): Json | undefined {
    const row = desiredRow(this.#db, destination, key);
    return row === undefined ? formerRow(this.#db, { destination, key }) : wantedOf(this.#db, row);
  }

  claim(claimant: Claimant, claims: readonly Desired[], rules: DesiredRules, at: Instant): void {
    const { destination, uid, alive } = claimant;
    const wanted = new Map<string, Desired['wanted']>(claims.map((claim) => [claim.key, claim.wanted]));
    const columns = new Map(alive ? claims.map((claim) => [claim.key, columnsOf(claimant, claim, rules)]) : []);
    const earlier = this.#own(destination, uid);
    const same =
      earlier.length === columns.size && earlier.every((claim) => isSameClaim(claim, columns.get(claim.key)));
    if (alive && same) return;
    this.#db.run(`DELETE ${OF_OBJECT}`, destination, uid);
    for (const { key, of_uid: ofUid, of_rank: ofRank, rank, wanted } of columns.values()) {
      const sql =
        'INSERT INTO claims (destination, key, uid, of_uid, of_rank, rank, wanted) VALUES (?, ?, ?, ?, ?, ?, ?)';
      this.#db.run(sql, destination, key, uid, ofUid, ofRank, rank, wanted);
    }
    const cause = alive && claims.length === 0 ? 'left' : 'unclaimed';
    for (const key of new Set([...earlier.map((claim) => claim.key), ...wanted.keys()])) {
      const dead = wanted.get(key);
      this.#recompute({ destination, key }, dead === HOLD ? undefined : dead, rules, at, cause);
    }
  }

  claimsOf(destination: string, uid: string): Claim[] {
    return this.#own(destination, uid).flatMap(({ key, of_uid, of_rank, rank, wanted }) => {
      const payload = wanted === null ? HOLD : parsed<Json>(wanted).value;
      return payload === undefined
        ? []
        : [{ key, of: { uid: of_uid, createdAt: Math.abs(of_rank) }, rank, wanted: payload }];
    });
  }

  #own(destination: string, uid: string): OwnColumns[] {
    return this.#db.all<OwnColumns>(`SELECT ${OWN_COLUMNS.join(', ')} ${OF_OBJECT}`, destination, uid);
  }

  /** Recomputes every row of a destination from its claims. */
  recompute(destination: string, rules: DesiredRules, at: Instant): void {
    const rows = this.#db.all<{ key: string }>(
      'SELECT key FROM desired WHERE destination = ?1 UNION SELECT key FROM claims WHERE destination = ?1',
      destination,
    );
    for (const { key } of rows) this.#recompute({ destination, key }, undefined, rules, at);
  }

  /** What the elected live claim of a key wants. One that cannot be read does not count; the audit has its object read again. */
  elected({ destination, key }: RowKey): Json | undefined {
    for (;;) {
      const row = this.#db.get<ClaimColumns>(ELECTED, destination, key);
      if (row === undefined) return undefined;
      const place = { table: 'claims', column: 'uid', value: row.uid } as const;
      const wanted = readJson<Json>(this.#db, place, row.wanted, isAny);
      if (wanted !== undefined) return wanted;
      this.#db.run('DELETE FROM claims WHERE destination = ? AND key = ? AND uid = ?', destination, key, row.uid);
      this.#db.run('UPDATE objects SET facts_schema = 0 WHERE uid = ?', row.uid);
    }
  }

  /** Gives a row the payload of its elected live claim, or retires it. `dead` is what a deleted object last claimed. */
  #recompute(
    of: RowKey,
    dead: Json | undefined,
    rules: DesiredRules,
    at: Instant,
    cause: 'left' | 'unclaimed' = 'unclaimed',
  ): void {
    const row = desiredRow(this.#db, of.destination, of.key);
    const before = row && wantedOf(this.#db, row);
    const elected = this.elected(of);
    if (elected !== undefined) {
      const known = row === undefined ? formerRow(this.#db, of) : before;
      const wanted = known === undefined ? elected : (rules.adopt?.(elected, known) ?? elected);
      return this.#want(of, row !== undefined, wanted, rules, at);
    }
    // A claim without payload: the row stays as it is while its object lives.
    if (row?.retired === 1 || this.#isHeld(of)) return;
    const assertEveryMs = periodOf(rules);
    const last = dead ?? before;
    const retired = last === undefined ? null : rules.retire(last, cause);
    const removeAfterMs = cause === 'unclaimed' ? rules.removeAfterMs : undefined;
    if (retired === FORGET) this.#forget(of, at);
    else if (retired !== null) putRow(this.#db, of, retired, { retired: true, assertEveryMs, removeAfterMs }, at);
    else if (row) retireRow(this.#db, row, 1, at);
    // A run may wait for it.
    else if (last !== undefined) putRow(this.#db, of, last, { retired: true, assertEveryMs }, at);
  }

  #want(of: RowKey, isThere: boolean, wanted: Json, rules: DesiredRules, at: Instant): void {
    const assertEveryMs = periodOf(rules);
    if (this.#retirements.current() === undefined) return putRow(this.#db, of, wanted, { assertEveryMs }, at);
    // What the vendor never heard of needs no retirement: nothing is made there now.
    if (!isThere && !this.#retirements.isInherited()) return;
    const retired = rules.retire(wanted, 'bridge');
    if (retired === FORGET) this.#forget(of, at);
    else putRow(this.#db, of, retired ?? wanted, { assertEveryMs }, at);
  }

  #isHeld({ destination, key }: RowKey): boolean {
    return (
      this.#db.get('SELECT 1 FROM claims WHERE destination = ? AND key = ? LIMIT 1', destination, key) !== undefined
    );
  }

  /** Nothing is wanted any more, and nothing of it is remembered; an answer that comes still finds no row. */
  #forget({ destination, key }: RowKey, at: Instant): void {
    this.#db.run('DELETE FROM desired WHERE destination = ? AND key = ?', destination, key);
    this.#intents.release(destination, key, at);
  }
}

function periodOf({ assertEveryMs = DAY_MS }: DesiredRules): number | null {
  return assertEveryMs === 'never' ? null : assertEveryMs;
}

function columnsOf(
  { uid, createdAt }: Claimant,
  { key, of, rank = 0, wanted }: Desired,
  rules: DesiredRules,
): OwnColumns {
  const { uid: ofUid, createdAt: at } = of ?? { uid, createdAt };
  return { key, of_uid: ofUid, of_rank: rules.elect === 'newest' ? -at : at, rank, wanted: textOf(wanted) };
}

function isSameClaim(a: OwnColumns, b: OwnColumns | undefined): boolean {
  return b !== undefined && OWN_COLUMNS.every((column) => a[column] === b[column]);
}

function textOf(wanted: Desired['wanted']): string | null {
  return wanted === HOLD ? null : canonicalJson(wanted);
}

const isAny = (): boolean => true;
