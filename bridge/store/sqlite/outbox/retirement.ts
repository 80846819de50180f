import type { Instant } from '../../../lib/clock.ts';
import type { RetirementTx } from '../../operations.ts';
import type { Db } from '../db/db.ts';
import type { Journals } from '../journal/journals.ts';
import { giveUpAll } from './giving-up.ts';
import type { Intents } from './intents.ts';
import type { Retirements } from './retirements.ts';
import { beginRetirement, endRetirement } from './retirements.ts';

/** Retires the bridge, or ends that. The caller holds the transaction. */
export class Retirement implements RetirementTx {
  readonly #db: Db;
  readonly #retirements: Retirements;
  readonly #intents: Intents;
  readonly #journals: Journals;
  readonly #onKeys: () => void;

  constructor(db: Db, retirements: Retirements, intents: Intents, journals: Journals, onKeys: () => void) {
    this.#db = db;
    this.#retirements = retirements;
    this.#intents = intents;
    this.#journals = journals;
    this.#onKeys = onKeys;
  }

  set(on: boolean, by: string, at: Instant): void {
    this.#onKeys();
    this.#journals.giveUpAll('retired', at);
    if (!on) return endRetirement(this.#db, by, at);
    beginRetirement(this.#db, by, at);
    giveUpAll(this.#db, this.#intents, at);
  }

  covers(at: Instant): boolean {
    return this.#retirements.covers(at);
  }
}
