/** Whether two plain values are the same JSON but for the order of fields: a field that is undefined does not count. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  }
  if (Array.isArray(b)) return false;
  const [left, right] = [a as Fields, b as Fields];
  return (
    Object.keys(left).every((key) => isSameJson(left[key], right[key])) &&
    Object.keys(right).every((key) => right[key] === undefined || Object.hasOwn(left, key))
  );
}

interface Fields {
  readonly [key: string]: unknown;
}
