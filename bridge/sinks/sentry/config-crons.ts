import { z } from 'zod';
import { duration } from '../../lib/duration.ts';
import { MAX_MARGIN_MINUTES, MAX_RUNTIME_MINUTES, MAX_THRESHOLD, OWNER } from './monitor-limits.ts';

const MINUTE_MS = 60_000;

const minutes = (least: number, most: number, allowed: string) =>
  duration()
    .refine((ms) => ms % MINUTE_MS === 0 && ms >= least * MINUTE_MS && ms <= most * MINUTE_MS, `allowed: ${allowed}`)
    .meta({ duration: true, allowed });

const threshold = z.int().min(1).max(MAX_THRESHOLD).default(1);

/** Check-ins of CronJobs. */
export const cronsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether CronJobs are monitors, and their runs check-ins'),
  defaultBehavior: z
    .enum(['include', 'exclude'])
    .default('include')
    .describe('include: every CronJob but those with monitor: "false"; exclude: only those with monitor: "true"'),
  slugs: z
    .enum(['namespaced', 'compatible'])
    .default('namespaced')
    .describe(
      'Slug of a monitor: namespace, name and a hash; or the name alone, as sentry-kubernetes had it, so that its monitors continue',
    ),
  checkinMargin: minutes(1, MAX_MARGIN_MINUTES, 'whole minutes from 1m to 28d')
    .prefault('5m')
    .describe('How late a run may start before Sentry calls it missed'),
  maxRuntime: minutes(1, MAX_MARGIN_MINUTES, 'whole minutes from 1m to 28d')
    .optional()
    .describe('How long a run may take before Sentry calls it timed out; without it, as long as its Job is active'),
  lostAfter: minutes(3, MAX_RUNTIME_MINUTES, 'whole minutes from 3m to 7d')
    .prefault('1h')
    .describe(
      'For runs without maxRuntime: after how long without a sign of them Sentry calls them timed out. While a Job is active it is reported again after half of that',
    ),
  failureIssueThreshold: threshold.describe('How many check-ins in a row must fail before Sentry makes an issue'),
  recoveryThreshold: threshold.describe('How many check-ins in a row must be ok before Sentry resolves it'),
  owner: z
    .string()
    .regex(OWNER, 'allowed: user:ID or team:ID')
    .optional()
    .describe('Owner of the monitors, user:ID or team:ID'),
  manualRuns: z
    .enum(['report', 'ignore'])
    .default('report')
    .describe('Whether runs made by hand are reported (kubectl create job --from, "run now" of a tool)'),
  onCancelled: z
    .enum(['error', 'ok'])
    .default('error')
    .describe('How a run is reported that was deleted while it was active'),
  onDelete: z
    .enum(['keep', 'disable', 'delete'])
    .default('delete')
    .describe(
      'With api: what becomes of the monitor of a CronJob that was deleted: it goes on, is disabled, or is disabled and after deleteAfter deleted with its history',
    ),
  deleteAfter: duration().prefault('24h').describe('With onDelete: delete, how long a monitor stays disabled before'),
});
