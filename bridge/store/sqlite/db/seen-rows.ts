/** A transaction that looks at every CronJob keeps no more of them than one of many records does. */
const MAX_KEPT = 2_000;

/**
 * Rows as one transaction has read and written them: a record needs its Job, CronJob and run several times, and so does
 * the next record.
 */
export class SeenRows<Row> {
  readonly #rows = new Map<string, Row | undefined>();

  /** The rows may be others now: a transaction begins, or a part of it was rolled back. */
  forget(): void {
    this.#rows.clear();
  }

  get(uid: string, read: (uid: string) => Row | undefined): Row | undefined {
    if (this.#rows.has(uid)) return this.#rows.get(uid);
    const row = read(uid);
    this.keep(uid, row);
    return row;
  }

  /** The row without reading it. */
  known(uid: string): Row | undefined {
    return this.#rows.get(uid);
  }

  keep(uid: string, row: Row | undefined): void {
    if (this.#rows.size >= MAX_KEPT) this.#rows.clear();
    this.#rows.set(uid, row);
  }
}
