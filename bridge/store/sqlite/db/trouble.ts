import { StoreLost, StoreTrouble } from '../../trouble.ts';

/** Primary result codes of SQLite that speak of one statement's data, not of the file or the disk. */
const DATA_CODES = new Set([18, 19, 20, 25]); // TOOBIG, CONSTRAINT, MISMATCH, RANGE
const LOST_CODES = new Set([11, 26]); // CORRUPT, NOTADB
const SQLITE_FULL = 13;
const FULL_CODES = new Set<unknown>(['ENOSPC', 'EDQUOT']);

/** What a statement threw: with its code as StoreTrouble, unless its own data are at fault. */
export function asTrouble(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const code = error.errcode & 0xff;
  if (DATA_CODES.has(code)) return error;
  const Trouble = LOST_CODES.has(code) ? StoreLost : StoreTrouble;
  return Object.assign(new Trouble(error.message, { cause: error }), { errcode: error.errcode });
}

/** True when the file is gone or not a sound database: trying again is useless. */
export function isLost(error: unknown): boolean {
  return asTrouble(error) instanceof StoreLost;
}

/** True when there is no room for what had to be written. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isFull = 'errcode' in error && error.errcode === SQLITE_FULL;
  return isFull || ('code' in error && FULL_CODES.has(error.code));
}
