import { z } from 'zod';
import type { Limit } from '../sink.ts';

/** Cronitor's published limit per monitor. */
const MONITOR_PER_SECOND = 5;
const MONITOR_BURST = 10;
/**
 * Below Cronitor's 50/s with a burst of 250 per address: whatever else leaves the cluster through the same NAT, such as
 * Cronitor's own clients in the Jobs or a second bridge, has a share of it.
 */
const ADDRESS_PER_SECOND = 40;
const ADDRESS_BURST = 100;

/** What a planned ping holds; the deliverer adds host and key. */
export const pingSchema = z.object({ key: z.string(), query: z.record(z.string(), z.string()) });

/** Limit key of everything that one destination pings: Cronitor counts per calling address. */
export const ADDRESS_LIMIT = 'address';

/** Limit key of the pings of one monitor. */
export const monitorLimit = (key: string): string => `monitor/${key}`;

/** The limits of one ping; the accounts of a bridge share that of its address. */
export function pingLimits(key: string, accounts = 1): Limit[] {
  const burst = Math.max(1, Math.floor(ADDRESS_BURST / accounts));
  return [
    { key: monitorLimit(key), perSecond: MONITOR_PER_SECOND, burst: MONITOR_BURST },
    { key: ADDRESS_LIMIT, perSecond: ADDRESS_PER_SECOND / accounts, burst },
  ];
}
