import { z } from 'zod';
import type { Instant } from '../../lib/clock.ts';
import { uuidv5 } from '../../lib/ids.ts';
import type { Json } from '../../lib/json.ts';
import type { Delivery } from '../sink.ts';
import { monitorConfig, monitorSchema } from './monitor.ts';

const MINUTE_MS = 60_000;
/** Before this a start was not late: it waited for its turn, or the clocks differ. */
const LEAST_LATE_MS = 2 * MINUTE_MS;

/** A check-in as it is planned: the rest is known when it is sent. */
export const checkInSchema = z.strictObject({
  /** 32 hex digits. */
  id: z.string(),
  status: z.enum(['in_progress', 'ok', 'error']),
  environment: z.string(),
  /** When it happened. */
  at: z.number(),
  /** For which time the run was started; of a run made by hand there is none. */
  scheduledAt: z.number().exactOptional(),
  /** In seconds, of a run that is over. */
  duration: z.number().exactOptional(),
  /** It was reported before, and is still going on. */
  again: z.literal(true).exactOptional(),
  release: z.string().exactOptional(),
  traceId: z.string(),
  monitor: monitorSchema,
});
export type CheckIn = z.infer<typeof checkInSchema>;

/** What the id of a check-in is made of: one id in two environments is an error for Sentry. */
export interface CheckInKey {
  readonly runKey: string;
  readonly destination: string;
  readonly slug: string;
  readonly environment: string;
}

/** The same for all check-ins of a run, whatever was restarted between them. */
export function checkInId({ runKey, destination, slug, environment }: CheckInKey, corrects = false): string {
  const text = JSON.stringify(['check-in', runKey, destination, slug, environment, ...(corrects ? ['corrects'] : [])]);
  return uuidv5(text).replaceAll('-', '');
}

/**
 * The item of a check-in that is sent now, or why it is not sent. A check-in has no field for its time: Sentry takes its own.
 * So a start that is sent too late would be a run that starts now; instead the end alone is sent, with the duration, from
 * which Sentry knows when the run began.
 */
export function checkInItem(checkIn: CheckIn, now: Instant): { readonly item: Record<string, Json> } | Drop {
  const { id, status, at, environment, duration, release, traceId, monitor, scheduledAt } = checkIn;
  const lateMs = now - at;
  if (status === 'in_progress' && lateMs > Math.max(monitor.margin * MINUTE_MS, LEAST_LATE_MS)) {
    return { outcome: 'drop', reason: 'late_start', detail: `${Math.round(lateMs / MINUTE_MS)} minutes late` };
  }
  const config = monitorConfig(monitor, now, scheduledAt);
  if (config === undefined) return { outcome: 'drop', reason: 'schedule_refused' };
  return {
    item: {
      check_in_id: id,
      monitor_slug: monitor.slug,
      status,
      environment,
      ...(duration !== undefined && { duration }),
      ...(release !== undefined && { release }),
      monitor_config: config,
      contexts: { trace: { trace_id: traceId } },
    },
  };
}

type Drop = Extract<Delivery, { outcome: 'drop' }>;
