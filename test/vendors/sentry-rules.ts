import { z } from 'zod';
import { timeZoneOf } from './time-zone.ts';

/** What Sentry documents of events, and what its normaliser changes where it is not kept: a careful client keeps it. */
const text = (max: number) => z.string().min(1).max(max);
const line = (max: number) => text(max).regex(/^[^\n\r]*$/, 'has a line break');
export const hex32 = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits');
const seconds = z.number().positive();
const environment = line(64).regex(/^(?!None$)[^/]*$/, 'has a slash, or is None');
const release = line(200).regex(/^(?!\.{1,2}$|latest$)[^\t\f/\\]*$/i, 'is not a release');
const TAG_KEY = /^[a-zA-Z0-9_.:-]{1,200}$/;
const levels = z.enum(['debug', 'info', 'warning', 'error', 'fatal']);
/** The most bytes of JSON that a context keeps, and its depth. */
const MAX_CONTEXT = 8192;
const MAX_DEPTH = 7;

const tags = z.record(z.string().regex(TAG_KEY, 'is not a tag'), line(200));
const context = z
  .record(z.string(), z.json())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= MAX_CONTEXT, 'is a context larger than 8 KiB')
  .refine((value) => depth(value) <= MAX_DEPTH, 'is a context deeper than 7');

const breadcrumb = z.strictObject({
  timestamp: seconds,
  type: z.string().optional(),
  category: z.string().optional(),
  level: levels.optional(),
  message: text(8192).optional(),
  data: z.record(z.string(), z.json()).optional(),
});

const exception = z.looseObject({ type: text(128), value: text(8192) });

export const eventSchema = z.strictObject({
  event_id: hex32,
  timestamp: seconds,
  platform: z.string().regex(/^[a-z-]+$/),
  level: levels,
  logger: line(64).optional(),
  message: text(8192).optional(),
  logentry: z.strictObject({ formatted: text(8192) }).optional(),
  transaction: line(200).optional(),
  server_name: line(256).optional(),
  release: release.optional(),
  dist: line(64).optional(),
  environment: environment.optional(),
  fingerprint: z.array(z.string()).min(1).max(32).optional(),
  tags: tags.optional(),
  contexts: z.record(line(200), context).optional(),
  breadcrumbs: z
    .union([z.array(breadcrumb).max(100), z.strictObject({ values: z.array(breadcrumb).max(100) })])
    .optional(),
  exception: z.strictObject({ values: z.array(exception).min(1) }).optional(),
  extra: z.record(z.string(), z.json()).optional(),
  sdk: z.looseObject({ name: z.string(), version: z.string() }).optional(),
  modules: z.record(z.string(), z.string()).optional(),
  user: z.looseObject({}).optional(),
});

const margin = z.int().min(1).max(40_320);
const schedule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('crontab'), value: z.string() }),
  z.strictObject({
    type: z.literal('interval'),
    value: z.int().positive(),
    unit: z.enum(['year', 'month', 'week', 'day', 'hour', 'minute']),
  }),
]);

/** What the consumer takes of `monitor_config`; an invalid one is ignored after HTTP 200. */
export const monitorConfigSchema = z.strictObject({
  schedule: schedule.refine((one) => one.type === 'interval' || isCrontab(one.value), 'is not a crontab'),
  checkin_margin: margin.nullish(),
  max_runtime: z.int().min(1).max(10_080).nullish(),
  timezone: z.string().refine(isZone, 'is not a time zone').nullish(),
  failure_issue_threshold: z.int().min(1).max(720).nullish(),
  recovery_threshold: z.int().min(1).max(720).nullish(),
  owner: z
    .string()
    .regex(/^(user|team):/)
    .nullish(),
  alert_rule_id: z.int().nullish(),
});
export type MonitorConfig = z.infer<typeof monitorConfigSchema>;

/** What Relay takes; it refuses the rest with an invalid item, and cuts the slug. */
export const checkInSchema = z.strictObject({
  check_in_id: z.string().regex(/^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/, 'is not a UUID'),
  monitor_slug: z.string().min(1),
  status: z.enum(['in_progress', 'ok', 'error']),
  duration: z.number().nonnegative().nullish(),
  environment: line(64).nullish(),
  release: release.nullish(),
  monitor_config: z.json().optional(),
  contexts: z.strictObject({ trace: z.looseObject({ trace_id: hex32 }) }).optional(),
});
export type CheckIn = z.infer<typeof checkInSchema>;

const attribute = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('string'), value: z.string() }),
  z.strictObject({ type: z.literal('integer'), value: z.int() }),
  z.strictObject({ type: z.literal('double'), value: z.number() }),
  z.strictObject({ type: z.literal('boolean'), value: z.boolean() }),
]);

export const logSchema = z.strictObject({
  timestamp: seconds,
  trace_id: hex32,
  span_id: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  severity_number: z.int().min(1).max(24).optional(),
  body: z.string().min(1),
  attributes: z.record(z.string(), attribute).optional(),
});
export type Log = z.infer<typeof logSchema>;

export const clientReportSchema = z.strictObject({
  timestamp: seconds,
  discarded_events: z.array(
    z.strictObject({
      reason: z.enum([
        'queue_overflow',
        'cache_overflow',
        'buffer_overflow',
        'ratelimit_backoff',
        'network_error',
        'sample_rate',
        'before_send',
        'event_processor',
        'send_error',
        'internal_sdk_error',
        'insufficient_data',
        'backpressure',
      ]),
      category: z.string(),
      quantity: z.int().positive(),
    }),
  ),
});

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

const ALIASES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly'];

/** Five fields, or one of the six aliases: `@midnight` and `@every` are only Kubernetes'. */
function isCrontab(value: string): boolean {
  if (value.startsWith('@')) return ALIASES.includes(value);
  return value.trim().split(/\s+/).length === 5 && /^[\d*/,\-a-zA-Z\s#L?]+$/.test(value);
}

function isZone(value: string): boolean {
  const zone = timeZoneOf(value);
  return zone !== undefined && !/^[+-]/.test(zone);
}
