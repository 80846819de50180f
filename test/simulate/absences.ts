import type { Fault } from './plan.ts';
import type { Random } from './random.ts';
import { pick, whole } from './random.ts';
import type { Trouble } from './weather.ts';

const HOUR = 3_600_000;

/** For more than an hour of each day no vendor takes anything: it cannot be reached, or says so. */
export function absencesOf(random: Random, days: number, dayMs: number): Fault[] {
  return Array.from({ length: Math.ceil(days) }, (_, day) => ({
    id: `a${day}`,
    at: Math.floor((day + 0.15 * random()) * dayMs),
    act: 'trouble',
    trouble: pick<Trouble>(random, ['vendor-refuses', 'vendor-503']),
    ms: whole(random, HOUR, 2 * HOUR),
  }));
}
