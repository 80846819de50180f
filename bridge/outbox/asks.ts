import type { Instant } from '../lib/clock.ts';
import type { Work } from '../store/work.ts';

const ASKS = ['intents', 'desired', 'journal'] as const;
/** What a destination's loop asks the store for. */
export type Ask = (typeof ASKS)[number];

/** What is to be asked for next, and what is to be asked for again once something that is under way has ended. */
export class Asks {
  readonly #idleMs: number;
  readonly #next = new Set<Ask>(ASKS);
  readonly #left = new Set<Ask>();
  #againAt: Instant = Infinity;
  /** When everything was asked for last. */
  #allAt: Instant = -Infinity;

  /** Everything is asked for at the start, and after `idleMs` by itself. */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  get isEmpty(): boolean {
    return this.#next.size === 0;
  }

  get hasLeft(): boolean {
    return this.#left.size > 0;
  }

  add(ask: Ask): void {
    this.#next.add(ask);
  }

  addAll(): void {
    for (const ask of ASKS) this.#next.add(ask);
  }

  /** Adds what `work` has for a destination, which follows the journal or not; false when that is nothing. */
  addOf({ intents, desired, journal }: Work, destination: string, follows: boolean): boolean {
    const found = [intents.has(destination), desired.has(destination), journal && follows];
    ASKS.filter((_, at) => found[at]).forEach((ask) => this.#next.add(ask));
    return found.includes(true);
  }

  /** A limit, or what is under way, keeps back what there may be; at `againAt` at the latest it is asked for again. */
  leave(ask: Ask, againAt: Instant = Infinity): void {
    this.#left.add(ask);
    this.#againAt = Math.min(this.#againAt, againAt);
  }

  /** Something has ended, or a limit is free. */
  addLeft(): void {
    for (const ask of this.#left) this.#next.add(ask);
    this.#left.clear();
    this.#againAt = Infinity;
  }

  take(now: Instant): ReadonlySet<Ask> {
    if (this.#againAt <= now) this.addLeft();
    const asked = new Set(this.#next);
    if (asked.size === ASKS.length) this.#allAt = now;
    this.#next.clear();
    return asked;
  }

  /** Adds what is due at the end of a sleep of `ms` that nothing ended before. */
  slept(ms: number, began: Instant): void {
    if (ms >= this.idleMs(began)) this.addAll();
    else this.addLeft();
  }

  /**
   * Ms until something is asked for by itself, when a limit that keeps it back is free at `freeAt`: that stays true for
   * who is woken before.
   */
  sleepMs(now: Instant, freeAt: Instant): number {
    this.#againAt = Math.min(this.#againAt, freeAt);
    return Math.max(1, Math.min(this.idleMs(now), this.#againAt - now));
  }

  /** Never longer, also after a clock that was set back. */
  idleMs(now: Instant): number {
    return Math.max(1, Math.min(this.#idleMs, this.#allAt + this.#idleMs - now));
  }
}
