import type { MetaTx } from '../../tx.ts';
import type { Db } from './db.ts';

/** Facts about the store as a whole. The caller holds the transaction. */
export class Meta implements MetaTx {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  get(key: string): string | undefined {
    return this.#db.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value;
  }

  set(key: string, value: string): void {
    this.#db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, value);
  }

  delete(key: string): void {
    this.#db.run('DELETE FROM meta WHERE key = ?', key);
  }
}
