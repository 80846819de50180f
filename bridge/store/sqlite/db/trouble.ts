import { StoreTrouble } from '../../trouble.ts';

/** Primary result codes of SQLite that speak of one statement's data, not of the file or the disk. */
const DATA_CODES = new Set([18, 19, 20, 25]); // TOOBIG, CONSTRAINT, MISMATCH, RANGE

/** What a statement threw: with its code as StoreTrouble, unless its own data are at fault. */
export function asTrouble(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  if (DATA_CODES.has(error.errcode & 0xff)) return error;
  return Object.assign(new StoreTrouble(error.message, { cause: error }), { errcode: error.errcode });
}
