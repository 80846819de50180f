import { readSync, statSync } from 'node:fs';
import type { Db } from '../db/db.ts';

/** A store up to this size is always checked: that takes a moment. A larger one only after an unclean end. */
const ALWAYS_BYTES = 64 * 1024 * 1024;
/** No further table is begun after this. */
const CHECK_MS = 20_000;

/**
 * Whether to check the store before it is opened. SQLite removes the write-ahead log when the last connection is closed:
 * one that is still there shows that there was a crash, without a write of ours.
 */
export function needsCheck(path: string): boolean {
  return sizeOf(path) <= ALWAYS_BYTES || sizeOf(`${path}-wal`) > 0;
}

/** The first problem found, or undefined. Small tables first; what is not begun within 20 s is left unchecked. */
export function findCorruption(db: Db): string | undefined {
  const deadline = performance.now() + CHECK_MS;
  const tables = db.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0");
  for (const { name } of tables.toSorted((a, b) => weight(a.name) - weight(b.name))) {
    if (performance.now() > deadline) return undefined;
    const [row] = db.all<{ quick_check: string }>(`PRAGMA quick_check('${name}')`);
    if (row !== undefined && row.quick_check !== 'ok') return row.quick_check;
  }
  return undefined;
}

const LARGE = ['attempts', 'decisions', 'runs', 'transitions', 'objects', 'intents'];

function weight(table: string): number {
  return LARGE.indexOf(table);
}

/** 0 when there is no such file. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Whether an open file begins as every SQLite database does. */
export function hasHeader(file: number): boolean {
  const header = Buffer.alloc(16);
  readSync(file, header, 0, 16, 0);
  return header.toString('latin1') === 'SQLite format 3\0';
}
