/** A program of the world: what it planned never happens once it is dead. */
export class Program {
  readonly name: string;
  alive = true;

  constructor(name: string) {
    this.name = name;
  }
}

/** The cluster, the networks, the vendors: what never dies. */
export const WORLD = new Program('world');

/** Something that will happen, unless it is cancelled. */
export interface Planned {
  readonly at: number;
  readonly order: number;
  readonly by: Program;
  run: (() => void) | undefined;
}

const NOTHING = Promise.resolve();

/** Calls back when all promises are settled: Node runs every microtask before the next tick, and a tick without its event loop. */
function whenSettled(tick: () => void): void {
  void NOTHING.then(() => process.nextTick(tick));
}

/**
 * The one clock and the one queue of everything that happens. What happens at one moment happens in the order in which it
 * was planned. Between two happenings all promises are settled, so that nothing depends on the real event loop.
 */
export class Scheduler {
  /** Ms since the Unix epoch, without any program's clock that is wrong. */
  now: number;
  /** Whose turn it is: what is planned meanwhile is its own. */
  current = WORLD;
  happened = 0;
  readonly #heap: Planned[] = [];
  #order = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** After `ms`, by the program whose turn it is. */
  in(ms: number, run: () => void, by: Program = this.current): Planned {
    return this.at(this.now + Math.max(0, ms), run, by);
  }

  at(at: number, run: () => void, by: Program = this.current): Planned {
    const planned: Planned = { at: Math.max(at, this.now), order: this.#order++, by, run };
    this.#push(planned);
    return planned;
  }

  /** Resolves in `ms`, unless the program is dead by then: then never. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.in(ms, resolve));
  }

  /** Lets everything happen up to a moment. */
  runUntil(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        this.current = WORLD;
        try {
          const next = this.#next(end);
          if (next === undefined) return resolve();
          next();
          whenSettled(turn);
        } catch (error) {
          reject(error);
        }
      };
      turn();
    });
  }

  /** What happens next, at its moment; undefined if nothing does before the end. */
  #next(end: number): (() => void) | undefined {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      const { at, run, by } = next;
      if (run === undefined || !by.alive) continue;
      this.now = at;
      this.current = by;
      this.happened++;
      return run;
    }
    this.now = end;
    return undefined;
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let index = heap.push(planned) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(planned, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
