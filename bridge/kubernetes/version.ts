/**
 * Order of two resourceVersions of one resource: by length, then as text, as Kubernetes compares them (KEP-5504).
 * Negative when `a` is older.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * What stored versions become when etcd was restored and counts from a lower number again: older than any other. An
 * observation that follows is taken at face value, also where the stored one said deleted.
 */
export const UNKNOWN_VERSION = '';

export function isUnknownVersion(version: string): boolean {
  return version === UNKNOWN_VERSION;
}
