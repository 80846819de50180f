/** Exponential backoff bounds, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Delay in ms before try number `attempt` + 1 (`attempt` ≥ 1): doubles from `firstMs` up to `maxMs`, then takes a
 * random point of its upper half, so that what failed together does not come back together. `random` is in [0, 1).
 */
export function backoffDelay(attempt: number, { firstMs, maxMs }: Backoff, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full / 2 + (full / 2) * random);
}
