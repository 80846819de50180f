import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { LeftWork } from './left-work.ts';
import { asTrouble } from './trouble.ts';

/** How long a statement waits for another connection's lock, in ms. */
const BUSY_MS = 10_000;

/** What is kept of tables beside them, from transaction to transaction. */
export interface Kept {
  /** Writes what waits to be written. */
  write?(): void;
  /** The tables may be others than they were read and written as, and what waits is not to be written. */
  forget(): void;
}

/** Statements that may change a row: after them what is kept is forgotten. */
const WRITES = /\b(?:INSERT|UPDATE|DELETE|REPLACE)\b/i;

interface Prepared {
  readonly statement: StatementSync;
  /** What is kept of the tables that it names; what waits is written before it. */
  readonly kept: readonly Kept[];
  /** Those of them that are forgotten after it. */
  readonly others: readonly Kept[];
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
  readonly #kept: { readonly kept: Kept; readonly names: RegExp | undefined }[] = [];
  /** Of the database that what is kept was read from. */
  #version: number | undefined;
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

  /**
   * From now on `kept` is written before every statement that `names` a table of its own, and with its transaction. It is
   * forgotten once such a statement has written, another connection has committed, or anything was undone.
   */
  keep(kept: Kept, names?: RegExp): void {
    this.#kept.push({ kept, names });
    this.#statements.clear();
  }

  /** The first row, of the shape that the statement's author names. */
  get<T>(sql: string, ...params: SQLInputValue[]): T | undefined {
    try {
      const { statement, others } = this.#ready(sql);
      const row = statement.get(...params) as T | undefined;
      if (row !== undefined) forgetAll(others);
      return row;
    } catch (error) {
      throw asTrouble(error);
    }
  }

  all<T>(sql: string, ...params: SQLInputValue[]): T[] {
    try {
      const { statement, others } = this.#ready(sql);
      const rows = statement.all(...params) as T[];
      if (rows.length > 0) forgetAll(others);
      return rows;
    } catch (error) {
      throw asTrouble(error);
    }
  }

  /** Number of rows changed. */
  run(sql: string, ...params: SQLInputValue[]): number {
    try {
      const { statement, others } = this.#ready(sql);
      const changes = Number(statement.run(...params).changes);
      if (changes > 0) forgetAll(others);
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
   * Gives another number once rows of a table that `names` has were changed, or may have been: what was read of these
   * tables before is as it was while the number is the same.
   */
  writesOf(names: RegExp): () => number {
    let count = 0;
    this.keep({ forget: () => void count++ }, names);
    return () => count;
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
      this.#forget();
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
    this.#lookForOthers();
    this.exec('BEGIN');
    try {
      const result = work();
      this.#writeLate();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#forget();
      if (this.#connection.isTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  /** Another connection may have committed since the last transaction. Not within one: to look begins to read. */
  #lookForOthers(): void {
    const version = this.dataVersion();
    if (version !== this.#version) this.#forget();
    this.#version = version;
  }

  #writeLate(): void {
    for (const { kept } of this.#kept) kept.write?.();
  }

  #forget(): void {
    for (const { kept } of this.#kept) kept.forget();
  }

  /** The statement, after what has to be written before it. */
  #ready(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (prepared === undefined) {
      const statement = this.#connection.prepare(sql);
      const kept = this.#kept.filter(({ names }) => names?.test(sql)).map((one) => one.kept);
      prepared = { statement, kept, others: WRITES.test(sql) ? kept : [] };
      this.#statements.set(sql, prepared);
    }
    for (const kept of prepared.kept) kept.write?.();
    return prepared;
  }
}

function forgetAll(others: readonly Kept[]): void {
  for (const kept of others) kept.forget();
}
