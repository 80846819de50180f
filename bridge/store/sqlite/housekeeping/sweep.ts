import type { Instant } from '../../../lib/clock.ts';
import type { Db } from '../db/db.ts';
import type { Destinations } from '../destinations/destinations.ts';
import { expire, expireOrphans, giveUpAll, supersede } from '../outbox/giving-up.ts';
import type { Holds } from '../outbox/holds.ts';
import type { Journals } from '../journal/journals.ts';
import type { Intents } from '../outbox/intents.ts';
import { forgetRows, removeDue } from '../desired/removals.ts';
import type { Retirements } from '../outbox/retirements.ts';
import { UnusedKeys } from '../destinations/unused-keys.ts';

const HOUR_MS = 3_600_000;

/** What the outbox gives up, removes and forgets as time goes by. The caller holds the transaction. */
export class Sweep {
  readonly #db: Db;
  readonly #holds: Holds;
  readonly #intents: Intents;
  readonly #journals: Journals;
  readonly #retirements: Retirements;
  readonly #destinations: Destinations;
  readonly #unusedKeys: UnusedKeys;
  #forgotAt: Instant = -Infinity;

  constructor(
    db: Db,
    holds: Holds,
    intents: Intents,
    journals: Journals,
    retirements: Retirements,
    destinations: Destinations,
    onKeys: () => void,
  ) {
    this.#db = db;
    this.#holds = holds;
    this.#intents = intents;
    this.#journals = journals;
    this.#retirements = retirements;
    this.#destinations = destinations;
    this.#unusedKeys = new UnusedKeys(db, onKeys);
  }

  run(now: Instant, maxAgeMs: number, supersedeMs: number, followers: readonly string[] | undefined): void {
    this.#holds.alive(now);
    const isRetired = this.#retirements.current() !== undefined;
    if (isRetired) giveUpAll(this.#db, this.#intents, now);
    expire(this.#db, this.#intents, this.#holds, maxAgeMs, now);
    supersede(this.#db, this.#intents, this.#holds, supersedeMs, now);
    this.#journals.sweep(now, maxAgeMs, followers);
    this.#destinations.sweep(now, maxAgeMs);
    if (!isRetired) removeDue(this.#db, maxAgeMs, now);
    this.#unusedKeys.step(now);
    // Also after a clock that was set back.
    if (Math.abs(now - this.#forgotAt) < HOUR_MS) return;
    this.#forgotAt = now;
    expireOrphans(this.#db, this.#intents, maxAgeMs, now);
    forgetRows(this.#db, now);
    this.#holds.forget(now);
  }
}
