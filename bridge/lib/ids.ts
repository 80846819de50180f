import { createHash } from 'node:crypto';

/** Lower-case hex SHA-256 of UTF-8 text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Lower-case hex SHA-1 of UTF-8 text (the old Cronitor agent's key inference by name). */
export function sha1Hex(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
