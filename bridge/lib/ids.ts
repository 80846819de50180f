import { createHash } from 'node:crypto';

/** Lower-case hex SHA-256 of UTF-8 text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The namespace of every UUIDv5 that the bridge makes. */
const NAMESPACE = Buffer.from('6c1f1e0c0d5b4d5e9d0a8a7f6b2c4e31', 'hex');

/** UUIDv5 (RFC 9562) of UTF-8 text in the bridge's own namespace: the same text is always the same UUID. */
export function uuidv5(text: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(text).digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Lower-case hex SHA-1 of UTF-8 text: for keys that others made so before. */
export function sha1Hex(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
