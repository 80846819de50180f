import type { Db } from './db.ts';

/** More than these are written at once: a transaction of many records keeps no more of them. */
const MAX_LATE = 500;

/**
 * Rows of one table that a transaction writes as late as it can: a row that the next records of the same transaction change
 * again is written once. They are written before any statement that names the table, at the end of the transaction and of
 * each of its parts; a part or transaction that is undone writes none of its own.
 */
export class LateRows<Row> {
  readonly #write: (row: Row, known: Row | undefined) => void;
  readonly #rows = new Map<string, { readonly row: Row; readonly known: Row | undefined }>();

  /** `names`: whether a statement needs the table as it is. `known`: the row that is in the table, where that is known. */
  constructor(db: Db, names: RegExp, write: (row: Row, known: Row | undefined) => void) {
    this.#write = write;
    db.addLate(names, this);
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
    for (const { row, known } of rows) this.#write(row, known);
  }

  discard(): void {
    this.#rows.clear();
  }
}
