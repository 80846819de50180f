import type { Instant } from '../../../lib/clock.ts';
import type { Db } from '../db/db.ts';
import { gateKeys } from './due.ts';

const SUM_MS = `SELECT coalesce(sum(total_ms - max(0, until - ?)), 0) AS ms FROM holds
  WHERE destination = ? AND key IN (SELECT value FROM json_each(?))`;
const LAST_END = `SELECT coalesce(max(until), 0) AS at FROM holds
  WHERE destination = ? AND key IN (SELECT value FROM json_each(?))`;

/** The destination's own are few. */
const OVER = 'SELECT destination, key FROM holds WHERE until <= ? AND key <> destination';
const AGEING =
  'SELECT DISTINCT gate FROM intents INDEXED BY intents_lane WHERE destination = ? AND settled_at IS NULL AND age_from IS NOT NULL';
const DAY_MS = 86_400_000;

/**
 * Pauses by destination and key (a limit key or the destination's own name), and the time they took in all: what waits
 * behind one does not age. The time in which no bridge ran counts as a pause of everything.
 */
export class Holds {
  readonly #db: Db;
  #openedAt: Instant;
  readonly #awayMs: number;

  constructor(db: Db, now: Instant) {
    this.#db = db;
    this.#openedAt = now;
    const aliveAt = this.#meta('alive_at') ?? now;
    this.#awayMs = (this.#meta('away_ms') ?? 0) + Math.max(0, now - aliveAt);
    db.write(() => {
      this.#setMeta('away_ms', this.#awayMs);
      this.alive(now);
    });
  }

  /** The clock was set by `ms`, and what is stored of holds was moved with it. */
  shifted(ms: number): void {
    this.#openedAt += ms;
  }

  /** Remembers, inside a transaction, that the bridge runs. */
  alive(now: Instant): void {
    this.#setMeta('alive_at', now);
  }

  /** Begins a hold or makes it longer; never shorter. */
  set(destination: string, key: string, until: Instant, now: Instant): void {
    this.#db.run(
      `INSERT INTO holds (destination, key, until, total_ms) VALUES (?1, ?2, ?3, max(0, ?3 - ?4))
       ON CONFLICT (destination, key) DO UPDATE SET
         total_ms = total_ms + max(0, ?3 - max(until, ?4)), until = max(until, ?3)`,
      destination,
      key,
      until,
      now,
    );
  }

  /** Ends holds before their time. */
  end(destination: string, keys: readonly string[], now: Instant): void {
    this.#db.run(
      `UPDATE holds SET total_ms = total_ms - max(0, until - ?1), until = min(until, ?1)
       WHERE destination = ?2 AND key IN (SELECT value FROM json_each(?3))`,
      now,
      destination,
      JSON.stringify(keys),
    );
  }

  /** Forgets the holds that are over for a day of keys behind which nothing ages; of what waits behind one, it is age. */
  forget(now: Instant): void {
    const over = this.#db.all<{ destination: string; key: string }>(OVER, now - DAY_MS);
    for (const [destination, holds] of Map.groupBy(over, (hold) => hold.destination)) {
      const gates = this.#db.all<{ gate: string }>(AGEING, destination);
      const used = new Set(gates.flatMap(({ gate }) => JSON.parse(gate) as string[]));
      for (const { key } of holds) {
        if (!used.has(key)) this.#db.run('DELETE FROM holds WHERE destination = ? AND key = ?', destination, key);
      }
    }
  }

  /** Keys that are held now. */
  active(destination: string, now: Instant): string[] {
    return this.#db
      .all<{ key: string }>('SELECT key FROM holds WHERE destination = ? AND until > ?', destination, now)
      .map(({ key }) => key);
  }

  /** Whether a destination is held now, or one of these limit keys of it. */
  isHeld(destination: string, limitKeys: readonly string[], now: Instant): boolean {
    return this.active(destination, now).some((key) => key === destination || limitKeys.includes(key));
  }

  /** Ms that what passes `gate` was held up to `now`. Holds of several keys at once add up: it ages slower, not faster. */
  elapsedMs(destination: string, gate: string, now: Instant): number {
    return (
      this.#awayMs + this.#db.get<{ ms: number }>(SUM_MS, now, destination, withDestination(destination, gate))!.ms
    );
  }

  /** When what passes `gate` was last held, maybe in the future; at least the start of this bridge. */
  lastEnd(destination: string, gate: string): Instant {
    const { at } = this.#db.get<{ at: number }>(LAST_END, destination, withDestination(destination, gate))!;
    return Math.max(at, this.#openedAt);
  }

  #meta(key: string): number | undefined {
    return this.#db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', key)?.value;
  }

  #setMeta(key: string, value: number): void {
    this.#db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, value);
  }
}

/** A gate is the JSON list of an intent's limit keys. */
function withDestination(destination: string, gate: string): string {
  return JSON.stringify([destination, ...gateKeys(gate)]);
}
