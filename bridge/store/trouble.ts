/** Primary result codes of SQLite that speak of one statement's data, not of the file or the disk. */
const DATA_CODES = new Set([18, 19, 20, 25]); // TOOBIG, CONSTRAINT, MISMATCH, RANGE

/** True when an error comes from the store itself (disk full, I/O, corruption): trying again later may succeed. */
export function isStoreTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return false;
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  return !DATA_CODES.has(code);
}
