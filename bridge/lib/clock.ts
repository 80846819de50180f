/** Milliseconds since the Unix epoch. */
export type Instant = number;

/** The only source of "now" outside the pure rooms; tests and `replay --as-recorded` bring their own. */
export interface Clock {
  now(): Instant;
  /** Takes over what the computer's clock was set by since the last call: ms, 0 for less than a second. */
  follow?(): number;
}

/** Smaller jumps of the clock are ignored: what waits is late or early by at most this. */
const STEP_MS = 1_000;

/**
 * The computer's clock without its steps: when that is set, or the machine slept, this one goes on as before until
 * `follow`. So whoever calls that can move all times that were planned in the same moment.
 */
export class SteadyClock implements Clock {
  #offset: number;
  readonly #wall: () => Instant;
  readonly #elapsed: () => number;

  constructor(wall: () => Instant = () => Date.now(), elapsed: () => number = () => performance.now()) {
    this.#wall = wall;
    this.#elapsed = elapsed;
    this.#offset = wall() - elapsed();
  }

  now(): Instant {
    return Math.round(this.#offset + this.#elapsed());
  }

  follow(): number {
    const step = this.#wall() - this.now();
    this.#offset += step;
    return Math.abs(step) < STEP_MS ? 0 : step;
  }
}

export const systemClock: Clock = new SteadyClock();

/**
 * An instant as people and machines read it (ISO 8601, UTC), nothing for undefined; a number that is not a time is shown
 * as it is. Never throws.
 */
export function iso(at: Instant | undefined): string {
  if (at === undefined) return '';
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
