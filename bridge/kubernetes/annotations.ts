/** Annotations that the readers of this room read. */
const OWN = ['batch.kubernetes.io/', 'cronjob.kubernetes.io/', 'kubernetes.io/config.mirror'];

/**
 * Whether an annotation is kept, and `address`: with what stands before the host in its value. Others never are: people put
 * credentials into them.
 */
export type KeepsAnnotation = (name: string) => boolean | 'address';

/** True for what the readers of this room need. */
export const isOwnAnnotation: KeepsAnnotation = keeper(OWN);

/**
 * What is kept when `names` are read beside what this room needs. One that ends with / is every name below it; one that ends
 * with @ is an address, such as https://KEY@HOST/1, that is useless without its key.
 */
export function keeping(names: readonly string[]): KeepsAnnotation {
  return keeper([...OWN, ...names]);
}

function keeper(names: readonly string[]): KeepsAnnotation {
  const exact = new Set(names);
  const prefixes = names.filter((name) => name.endsWith('/'));
  const addresses = new Set(names.filter((name) => name.endsWith('@')).map((name) => name.slice(0, -1)));
  return (name) =>
    addresses.has(name) ? 'address' : exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * A facts schema that is another one whenever `names` are: an annotation is missing from facts that were read without it, and the audit
 * reads them again. `schema` is the kind's own number.
 */
export function schemaWith(schema: number, names: readonly string[]): number {
  return names.length === 0 ? schema : schema * 2 ** 32 + hash([...new Set(names)].toSorted().join('\n'));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}
