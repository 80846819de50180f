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

/** `over` laid on `base`, mapping by mapping; lists and scalars are replaced whole. */
export function merge(base: Tree, over: Tree): Tree {
  const merged = new Map<string, unknown>(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    if (value === undefined) continue;
    merged.set(key, isTree(value) && isTree(below) ? merge(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** A mapping with one value at this path. */
export function nest(path: readonly string[], value: unknown): Tree {
  const inner = path.slice(1).reduceRight<unknown>((below, key) => Object.fromEntries([[key, below]]), value);
  return Object.fromEntries([[path[0] ?? '', inner]]);
}
