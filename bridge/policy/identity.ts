/** What distinguishes one cluster from another. */
export const IDENTITY_MARKS = ['kubeSystemUid', 'namespaceUid', 'caHash'] as const;

export type Identity = { readonly [mark in (typeof IDENTITY_MARKS)[number]]?: string };

/**
 * Whether a store that knows `stored` belongs to the cluster that shows `found`: one match is enough; `unclear` when
 * there is nothing to compare.
 */
export function matchIdentity(stored: Identity, found: Identity): 'same' | 'other' | 'unclear' {
  const comparable = IDENTITY_MARKS.filter((mark) => stored[mark] !== undefined && found[mark] !== undefined);
  if (comparable.length === 0) return 'unclear';
  return comparable.some((mark) => stored[mark] === found[mark]) ? 'same' : 'other';
}
