import type { Instant } from '../../lib/clock.ts';

/** Later than every time: what does not run comes behind all that runs. */
const BEHIND = 1e15;

/** The place of a claim among those of its workload: what runs first, then what has had its digest for the shortest time. */
export function rankOf(isRunning: boolean, since: Instant): number {
  return (isRunning ? 0 : BEHIND) - since;
}

/** The time that a rank was made of. */
export function sinceOf(rank: number): Instant {
  return rank > 0 ? BEHIND - rank : -rank;
}
