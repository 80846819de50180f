import type { News } from '../../store.ts';

type Lists = { [K in keyof News]: News[K][number][] };

/** What the current transaction did, and of all that are committed what was not taken yet. */
export class NewsOfCommits {
  #current = noNews();
  #committed = noNews();

  add<K extends keyof News>(what: K, ...news: Lists[K]): void {
    append(this.#current[what], news);
  }

  /** A transaction begins: one that was rolled back did nothing. */
  begin(): void {
    this.#current = noNews();
  }

  /** Runs a part of a transaction that does nothing when it throws. */
  part<T>(work: () => T): T {
    const lists: unknown[][] = Object.values(this.#current);
    const lengths = lists.map(({ length }) => length);
    try {
      return work();
    } catch (error) {
      lists.forEach((list, at) => (list.length = lengths[at]!));
      throw error;
    }
  }

  committed(): void {
    const { transitions, ended, dropped, problems, unjudged } = this.#current;
    append(this.#committed.transitions, transitions);
    append(this.#committed.ended, ended);
    append(this.#committed.dropped, dropped);
    append(this.#committed.problems, problems);
    append(this.#committed.unjudged, unjudged);
  }

  take<K extends keyof News>(what: K): Lists[K] {
    return this.#committed[what].splice(0) as Lists[K];
  }
}

function noNews(): Lists {
  return { transitions: [], ended: [], dropped: [], problems: [], unjudged: [] };
}

function append<T>(to: T[], items: readonly T[]): void {
  for (const item of items) to.push(item);
}
