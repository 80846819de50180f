import type { Unit } from '../../policy/audit.ts';
import { unitKey } from '../../policy/audit.ts';
import type { Store } from '../../store/store.ts';
import type { LiveSum } from '../../store/objects.ts';
import type { Instant } from '../../lib/clock.ts';
import type { PassResult, SameList } from './audit-calls.ts';

/** Without a LIST in all that time, what the API says of itself is not believed alone. */
const FRESH_MS = 30 * 60_000;

interface Ended {
  readonly objects: number;
  readonly version: string;
  /** When all of it was LISTed. */
  readonly listedAt: Instant;
}

interface Kept extends Ended {
  readonly digests: readonly string[];
  /** Of the store at its end. */
  readonly sum: string;
}

/**
 * The last LIST of each unit after which the store had just what it had: live objects of the same versions, and nothing
 * else. While neither the LIST nor the store is another, to compare them again shows nothing new.
 */
export class SameLists {
  readonly #store: Store;
  readonly #lists = new Map<string, Kept>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** That LIST, if there is one and the store has not changed since. */
  list(unit: Unit, now: Instant): SameList | undefined {
    const list = this.#kept(unit);
    if (list === undefined) return undefined;
    const { digests, version, listedAt } = list;
    // Either way: the clock may have been set.
    return { digests, version, isFresh: Math.abs(now - listedAt) < FRESH_MS };
  }

  /** It holds at this version too. How many objects it had; undefined when the store has changed. */
  again(unit: Unit, version: string, listedAt: Instant | undefined): number | undefined {
    const list = this.#kept(unit);
    if (list === undefined) return undefined;
    this.#lists.set(unitKey(unit), { ...list, version, ...(listedAt !== undefined && { listedAt }) });
    return list.objects;
  }

  /** After a LIST, with the digests of its pages as far as they are known. */
  ended(unit: Unit, result: PassResult, pages: readonly (string | undefined)[], end: Ended): void {
    this.#lists.delete(unitKey(unit));
    const { first, missed, stale, gone, outdated, held, epoch, again } = result;
    if (first || epoch || again || missed + stale + gone + outdated + held > 0) return;
    const digests = pages.filter((digest) => digest !== undefined);
    if (digests.length === 0 || digests.length < pages.length) return;
    const { count, text } = this.#sum(unit);
    if (count === end.objects) this.#lists.set(unitKey(unit), { ...end, digests, sum: text });
  }

  #kept(unit: Unit): Kept | undefined {
    const list = this.#lists.get(unitKey(unit));
    return list !== undefined && this.#sum(unit).text === list.sum ? list : undefined;
  }

  #sum({ kind, namespace }: Unit): LiveSum {
    return this.#store.transaction((tx) => tx.versions.liveSum(kind, namespace));
  }
}
