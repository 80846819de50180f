import { z } from 'zod';
import type { Limit } from '../sink.ts';

/** Cronitor's published limits: per monitor, and per address that pings it. */
const MONITOR_PER_SECOND = 5;
const ADDRESS_PER_SECOND = 50;

/** What a planned ping holds; the deliverer adds host and key. */
export const pingSchema = z.object({ key: z.string(), query: z.record(z.string(), z.string()) });

/** Limit key of everything that one destination pings: Cronitor counts per calling address. */
export const ADDRESS_LIMIT = 'address';

/** Limit key of the pings of one monitor. */
export const monitorLimit = (key: string): string => `monitor/${key}`;

/** The limits of one ping. */
export function pingLimits(key: string): Limit[] {
  return [
    { key: monitorLimit(key), perSecond: MONITOR_PER_SECOND },
    { key: ADDRESS_LIMIT, perSecond: ADDRESS_PER_SECOND },
  ];
}
