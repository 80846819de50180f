import { z } from 'zod';
import { timeZoneOf } from './time-zone.ts';

/** Code points, as people count characters. */
const atMost = (max: number) => (text: string) => Array.from(text).length <= max;
const text = (max: number) => z.string().min(1).refine(atMost(max), `has more than ${max} characters`);

const VALUE = String.raw`(\d{1,2}|[A-Za-z]{3})`;
const ITEM = String.raw`(\*(/\d{1,2})?|${VALUE}(-${VALUE}(/\d{1,2})?)?)`;
const CRON_FIELD = `${ITEM}(,${ITEM})*`;
/** A time zone has a field of its own, and white space is one space: nothing says that Cronitor takes more. */
const CRON = new RegExp(String.raw`^(@\w+( \S+)?|${CRON_FIELD}( ${CRON_FIELD}){4})$`);
const METRIC =
  /^metric\.(duration (<=|>=|<|>) \d+(\.\d+)? ?[a-z ]*|(count|error_count|error_rate) (<=|>=|<|>) \d+(\.\d+)?)$/;

const isTimeZone = (zone: string): boolean => timeZoneOf(zone) !== undefined;

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * The published attributes of a monitor, closed: what Cronitor might ignore is refused here. Lengths of keys, notes
 * and groups are not published: these are generous.
 */
const common = {
  key: text(128),
  name: text(100).optional(),
  note: text(1024).optional(),
  tags: z.array(text(100)).optional(),
  notify: z.array(text(100)).optional(),
  group: text(100).optional(),
  grace_seconds: z.int().nonnegative().optional(),
  paused: z.boolean().optional(),
};

export const monitorSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...common,
    type: z.literal('job'),
    metadata: z.string().refine(isJson, 'is not JSON').optional(),
    schedule: z.string().regex(CRON, 'is not a schedule'),
    timezone: z.string().refine(isTimeZone, 'is not a time zone').optional(),
    assertions: z.array(z.string().regex(METRIC, 'is not an assertion')).optional(),
  }),
  z.strictObject({
    ...common,
    type: z.literal('heartbeat'),
    schedule: z.string().regex(/^every [1-9]\d* (seconds|minutes|hours|days)$/, 'is not an interval'),
  }),
]);

export type Monitor = z.infer<typeof monitorSchema>;

const stamp = z
  .string()
  .regex(/^\d+(\.\d{1,6})?$/, 'is not a number of seconds')
  .refine((value) => Number(value) > 1_500_000_000 && Number(value) < Date.now() / 1000 + 86_400, 'is not plausible');

/** The published parameters of a ping, closed. */
export const pingSchema = z.strictObject({
  state: z.enum(['run', 'complete', 'fail', 'ok', 'logs']),
  series: text(100).optional(),
  stamp: stamp.optional(),
  host: text(253).optional(),
  env: text(100).optional(),
  message: text(2000).optional(),
  metric: z
    .string()
    .regex(/^(duration|count|error_count|length|latency):\d+(\.\d+)?$/, 'is not a metric')
    .optional(),
  status_code: z
    .string()
    .regex(/^-?\d+$/, 'is not an exit code')
    .optional(),
});

/** A heartbeat is not a job: it has no state and no series. */
export const heartbeatSchema = pingSchema.pick({ stamp: true, host: true, env: true, message: true, metric: true });

export type PingQuery = z.infer<typeof pingSchema>;

/** A token bucket per key: `take` is false when the key is over its rate. */
export class Buckets {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();
  private readonly perSecond: number;
  private readonly burst: number;

  constructor(perSecond: number, burst: number) {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  take(key: string, at: number): boolean {
    const last = this.buckets.get(key) ?? { tokens: this.burst, at };
    const tokens = Math.min(this.burst, last.tokens + ((at - last.at) / 1000) * this.perSecond);
    const free = tokens >= 1;
    this.buckets.set(key, { tokens: free ? tokens - 1 : tokens, at });
    return free;
  }
}
