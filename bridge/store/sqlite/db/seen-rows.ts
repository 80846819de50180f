/** What looks at every CronJob keeps no more of them than many records do. */
const MAX_KEPT = 1_000;

/**
 * Rows as they were read and written last: a record needs its Job, CronJob and run several times, and so does the next
 * record, mostly in another transaction.
 */
export class SeenRows<Row> {
  readonly #rows = new Map<string, Row | undefined>();

  /** The rows may be others now. */
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
