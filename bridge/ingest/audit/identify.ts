import type { Identity } from '../../policy/identity.ts';
import { IDENTITY_MARKS, matchIdentity } from '../../policy/identity.ts';
import type { Store } from '../../store/store.ts';

const metaKey = (mark: string): string => `identity/${mark}`;

/** Compares with the cluster that the store belongs to, and remembers what is seen unless it is another one. */
export function identify(store: Store, found: Identity): 'same' | 'other' | 'unclear' {
  return store.transaction((tx) => {
    const stored: Identity = Object.fromEntries(
      IDENTITY_MARKS.flatMap((mark) => {
        const value = tx.meta.get(metaKey(mark));
        return value === undefined ? [] : [[mark, value]];
      }),
    );
    const match = matchIdentity(stored, found);
    if (match !== 'other') {
      for (const mark of IDENTITY_MARKS) if (found[mark] !== undefined) tx.meta.set(metaKey(mark), found[mark]);
    }
    return match;
  });
}
