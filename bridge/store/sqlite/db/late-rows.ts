import type { Db, Kept } from './db.ts';
import type { SeenRows } from './seen-rows.ts';

/** More than these are written at once: a transaction of many records keeps no more of them. */
const MAX_LATE = 500;

/**
 * Rows of one table that a transaction writes as late as it can: a row that the next records of the same transaction change
 * again is written once. They are written before any statement that names the table, at the end of the transaction and of
 * each of its parts; a part or transaction that is undone writes none of its own.
 */
export class LateRows<Row> implements Kept {
  readonly #write: (row: Row, known: Row | undefined) => void;
  readonly #seen: SeenRows<Row> | undefined;
  readonly #rows = new Map<string, { readonly row: Row; readonly known: Row | undefined }>();
  /** What is written here is what was seen. */
  #isWriting = false;

  /**
   * `names`: whether a statement needs the table as it is. `known`: the row that is in the table, where that is known.
   * `seen` is forgotten when another statement has written the table.
   */
  constructor(db: Db, names: RegExp, write: (row: Row, known: Row | undefined) => void, seen?: SeenRows<Row>) {
    this.#write = write;
    this.#seen = seen;
    db.keep(this, names);
  }

  /** The row that waits under this key. */
  get(key: string): Row | undefined {
    return this.#rows.get(key)?.row;
  }

  put(key: string, row: Row, known?: Row): void {
    const waiting = this.#rows.get(key);
    this.#rows.set(key, { row, known: waiting === undefined ? known : waiting.known });
    if (this.#rows.size > MAX_LATE) this.write();
  }

  /** Writes all that wait. */
  write(): void {
    if (this.#rows.size === 0) return;
    const rows = [...this.#rows.values()];
    // Before they are written: the statements that write them name the table too.
    this.#rows.clear();
    this.#isWriting = true;
    try {
      for (const { row, known } of rows) this.#write(row, known);
    } finally {
      this.#isWriting = false;
    }
  }

  forget(): void {
    if (this.#isWriting) return;
    this.#rows.clear();
    this.#seen?.forget();
  }
}
