/** Milliseconds since the Unix epoch. */
export type Instant = number;

/** The only source of "now" outside the pure rooms; tests and `replay --as-recorded` bring their own. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };
