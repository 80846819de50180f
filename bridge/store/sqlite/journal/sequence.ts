import type { Db, Kept } from '../db/db.ts';

/**
 * The last number in use. A cursor counts too: what it has passed may be pruned, and a number that was used again would be
 * passed unseen.
 */
const LAST = `SELECT max(coalesce((SELECT max(seq) FROM transitions), 0), coalesce((SELECT max(seq) FROM events), 0),
  coalesce((SELECT max(cursor) FROM journals), 0)) AS seq`;

/** Numbers what is committed, transitions and Events together: the order that journals follow. One writer, so no gap is filled later. */
export class Sequence implements Kept {
  readonly #db: Db;
  #last: number | undefined;

  constructor(db: Db) {
    this.#db = db;
    db.keep(this);
  }

  /** The number of the next row; `used` says that it was written. */
  next(): number {
    this.#last ??= this.#db.get<{ seq: number }>(LAST)!.seq;
    return this.#last + 1;
  }

  used(): void {
    this.#last = this.next();
    this.#db.work.journal();
  }

  /** Something was undone, or another connection wrote: nobody else numbers. */
  forget(): void {
    this.#last = undefined;
  }
}
