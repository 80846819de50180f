/** A mapping as YAML gives it. */
export interface Tree {
  readonly [key: string]: unknown;
}

/** True for a mapping, false for lists and scalars. */
export function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** What stands under a key of a mapping or at an index of a list; undefined when there is nothing. */
export function entry(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isTree(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}
