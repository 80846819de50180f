import type { Unit } from '../../policy/audit.ts';
import type { Store, Tx } from '../../store/store.ts';
import type { PassResult } from './audit-calls.ts';

interface SameList {
  /** Of its pages. */
  readonly digests: readonly string[];
  readonly objects: number;
  /** Of the store at its end. */
  readonly sum: string;
}

/**
 * The last LIST of each unit after which the store had just what it had: live objects of the same versions, and nothing
 * else. While neither the LIST nor the store is another, to compare them again tells nothing.
 */
export class SameLists {
  readonly #store: Store;
  readonly #lists = new Map<string, SameList>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** That LIST, if there is one and the store has not changed since. */
  list(unit: Unit): SameList | undefined {
    const list = this.#lists.get(keyOf(unit));
    return list !== undefined && this.#sum(unit).text === list.sum ? list : undefined;
  }

  /** After a LIST of so many objects, with the digests of its pages as far as they are known. */
  ended(unit: Unit, result: PassResult, pages: readonly (string | undefined)[], objects: number): void {
    this.#lists.delete(keyOf(unit));
    const { first, missed, stale, gone, outdated, held, epoch, again } = result;
    if (first || epoch || again || missed + stale + gone + outdated + held > 0) return;
    const digests = pages.filter((digest) => digest !== undefined);
    if (digests.length === 0 || digests.length < pages.length) return;
    const { count, text } = this.#sum(unit);
    if (count === objects) this.#lists.set(keyOf(unit), { digests, objects, sum: text });
  }

  #sum({ kind, namespace }: Unit): ReturnType<Tx['liveSum']> {
    return this.#store.transaction((tx) => tx.liveSum(kind, namespace));
  }
}

function keyOf({ kind, namespace }: Unit): string {
  return `${kind}/${namespace ?? ''}`;
}
