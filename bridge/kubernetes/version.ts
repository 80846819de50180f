/**
 * Order of two resourceVersions of one resource: by length, then as text, as Kubernetes compares them (KEP-5504).
 * Negative when `a` is older.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}
