import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { LeftWork } from './left-work.ts';
import { asTrouble } from './trouble.ts';

/** How long a statement waits for another connection's lock, in ms. */
const BUSY_MS = 10_000;

/** What waits to be written (late-rows.ts). */
interface Late {
  write(): void;
  discard(): void;
}

const RETURNS = /\bRETURNING\b/;

/** How often the tables that `names` has were written, or may have been. */
interface Writes {
  readonly names: RegExp;
  count: number;
}

interface Prepared {
  readonly statement: StatementSync;
  /** What counts it when it changes a row; `returns`: it says which. */
  readonly counts: readonly Writes[];
  readonly returns: boolean;
  /** What is written before it. */
  readonly late: readonly Late[];
}

/**
 * One connection with its prepared statements, kept by their text. What fails beside the data throws StoreTrouble. SQLite
 * looks at what is bound as LIMIT, and at what is compared with a column that a partial index is about, and then compiles
 * the statement again at every call: of a short one that is nearly all of its cost. `LIMIT ? + 0` and `= +?` keep it from
 * looking.
 */
export class Db {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();
  readonly #late: { readonly names: RegExp; readonly late: Late }[] = [];
  readonly #writes: Writes[] = [];
  readonly #objectWrites = this.writesOf(/\bobjects\b/);
  readonly path: string;
  readonly isReadOnly: boolean;
  readonly work = new LeftWork();
  /** Rows that could not be read since the last time it was asked for. */
  unreadable = 0;

  constructor(path: string, readOnly: boolean) {
    this.path = path;
    this.isReadOnly = readOnly;
    this.#connection = new DatabaseSync(path, { readOnly, timeout: BUSY_MS, enableForeignKeyConstraints: false });
  }

  /** From now on `late` is written before every statement that `names` a table of its own, and with its transaction. */
  addLate(names: RegExp, late: Late): void {
    this.#late.push({ names, late });
    this.#statements.clear();
  }

  /** The first row, of the shape that the statement's author names. */
  get<T>(sql: string, ...params: SQLInputValue[]): T | undefined {
    try {
      const prepared = this.#ready(sql);
      const row = prepared.statement.get(...params) as T | undefined;
      if (prepared.returns && row !== undefined) count(prepared.counts);
      return row;
    } catch (error) {
      throw asTrouble(error);
    }
  }

  all<T>(sql: string, ...params: SQLInputValue[]): T[] {
    try {
      const prepared = this.#ready(sql);
      const rows = prepared.statement.all(...params) as T[];
      if (prepared.returns && rows.length > 0) count(prepared.counts);
      return rows;
    } catch (error) {
      throw asTrouble(error);
    }
  }

  /** Number of rows changed. */
  run(sql: string, ...params: SQLInputValue[]): number {
    try {
      const { statement, counts } = this.#ready(sql);
      const changes = Number(statement.run(...params).changes);
      if (changes > 0) count(counts);
      return changes;
    } catch (error) {
      throw asTrouble(error);
    }
  }

  /** Another text once a row of `objects` may have been written since, by `run` or by another connection. */
  objectsStamp(): string {
    this.#writeLate();
    return `${this.dataVersion()} ${this.#objectWrites()}`;
  }

  /** Another number once another connection has committed anything. */
  dataVersion(): number {
    return this.get<{ data_version: number }>('PRAGMA data_version')!.data_version;
  }

  /**
   * Gives another number once rows of a table that `names` has were changed, or may have been, and once anything was
   * undone: what was read of these tables before is as it was while the number is the same.
   */
  writesOf(names: RegExp): () => number {
    const writes = { names, count: 0 };
    this.#writes.push(writes);
    this.#statements.clear();
    return () => writes.count;
  }

  takeUnreadable(): number {
    const count = this.unreadable;
    this.unreadable = 0;
    return count;
  }

  exec(sql: string): void {
    try {
      this.#connection.exec(sql);
    } catch (error) {
      throw asTrouble(error);
    }
  }

  /**
   * All of `work` durably, or nothing when it throws. The write lock is taken by the first statement that writes: most of
   * what looks for something to do finds nothing, and there is no other writer that could come in between.
   */
  write<T>(work: () => T): T {
    return this.#within(work);
  }

  /** A part of `write`: when it throws, nothing of that part is left, and the rest can go on. */
  part<T>(work: () => T): T {
    this.#writeLate();
    this.exec('SAVEPOINT part');
    try {
      const result = work();
      this.#writeLate();
      this.exec('RELEASE part');
      return result;
    } catch (error) {
      this.#undone();
      // A full disk or a broken file ends the whole transaction by itself.
      if (this.#connection.isTransaction) this.exec('ROLLBACK TO part; RELEASE part');
      throw error;
    }
  }

  /** Several reads of one state of the database. */
  snapshot<T>(work: () => T): T {
    return this.#within(work);
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #within<T>(work: () => T): T {
    this.exec('BEGIN');
    try {
      const result = work();
      this.#writeLate();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#undone();
      if (this.#connection.isTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  #writeLate(): void {
    for (const { late } of this.#late) late.write();
  }

  #undone(): void {
    count(this.#writes);
    for (const { late } of this.#late) late.discard();
  }

  /** The statement, after what has to be written before it. */
  #ready(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (prepared === undefined) {
      const statement = this.#connection.prepare(sql);
      const late = this.#late.filter(({ names }) => names.test(sql)).map((one) => one.late);
      const counts = this.#writes.filter(({ names }) => names.test(sql));
      prepared = { statement, counts, returns: RETURNS.test(sql), late };
      this.#statements.set(sql, prepared);
    }
    for (const late of prepared.late) late.write();
    return prepared;
  }
}

function count(written: readonly Writes[]): void {
  for (const writes of written) writes.count++;
}
