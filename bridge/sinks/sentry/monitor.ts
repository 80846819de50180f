import { z } from 'zod';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { setting } from './monitor-annotations.ts';
import { MAX_RUNTIME_MINUTES } from './monitor-limits.ts';
import type { SentryRules } from './rules.ts';
import { expectationAfter } from './schedule-exact.ts';
import { readSchedule } from './schedule.ts';
import { monitorSlug } from './slug.ts';

const MINUTE_MS = 60_000;

/**
 * What a monitor is, as the CronJob, its annotations and the settings say. What Sentry is given follows from it and the time:
 * `monitorConfig`. Times are minutes.
 */
export const monitorSchema = z.strictObject({
  slug: z.string(),
  schedule: z.string(),
  timeZone: z.string().exactOptional(),
  margin: z.number(),
  maxRuntime: z.number(),
  failureIssueThreshold: z.number(),
  recoveryThreshold: z.number(),
  owner: z.string().nullable(),
});
export type Monitor = z.infer<typeof monitorSchema>;

/** True for a CronJob that has a monitor at this destination. */
export function isMonitored(cronJob: CronJobFacts, { crons }: SentryRules): boolean {
  return crons.enabled && (setting(cronJob, 'monitor') ?? crons.defaultBehavior === 'include');
}

/** The monitor of a CronJob. */
export function monitorOf(cronJob: CronJobFacts, { crons }: SentryRules): Monitor {
  const timeZone = zoneOf(cronJob);
  return {
    slug: slugOfMonitor(cronJob, crons),
    schedule: cronJob.schedule,
    ...(timeZone !== undefined && { timeZone }),
    margin: setting(cronJob, 'checkin-margin') ?? crons.checkinMargin / MINUTE_MS,
    maxRuntime: Math.min(runtimeLimit(cronJob, crons) ?? crons.lostAfter / MINUTE_MS, MAX_RUNTIME_MINUTES),
    failureIssueThreshold: setting(cronJob, 'failure-issue-threshold') ?? crons.failureIssueThreshold,
    recoveryThreshold: setting(cronJob, 'recovery-threshold') ?? crons.recoveryThreshold,
    owner: setting(cronJob, 'owner') ?? crons.owner ?? null,
  };
}

export function slugOfMonitor(cronJob: CronJobFacts, { slugs }: Pick<SentryRules['crons'], 'slugs'>): string {
  return setting(cronJob, 'monitor-slug') ?? monitorSlug(cronJob, slugs);
}

/** Minutes that a run may take; undefined for no limit. */
export function runtimeLimit(cronJob: CronJobFacts, { maxRuntime }: SentryRules['crons']): number | undefined {
  return setting(cronJob, 'max-runtime') ?? (maxRuntime === undefined ? undefined : maxRuntime / MINUTE_MS);
}

/** The zone of a CronJob that names none is that of the control plane, which only an annotation can say. */
export function zoneOf(cronJob: CronJobFacts): string | undefined {
  return cronJob.timeZone ?? (cronJob.schedule.includes('TZ=') ? undefined : setting(cronJob, 'timezone'));
}

/**
 * The `monitor_config` of a check-in that Sentry takes at `at`: every key, each time, since one that is left out stays as it
 * was. `anchor`: the time for which the run was started. Undefined for a schedule that Sentry cannot have.
 */
export function monitorConfig(monitor: Monitor, at: Instant, anchor?: Instant): Record<string, Json> | undefined {
  const times = { ...monitor, anchor };
  const reading = readSchedule(times);
  if ('refused' in reading) return undefined;
  const { schedule, margin } = expectationAfter(times, reading.schedule, monitor.margin, at);
  const { timezone, ...fields } = schedule;
  return {
    schedule: fields,
    checkin_margin: margin,
    max_runtime: monitor.maxRuntime,
    timezone,
    failure_issue_threshold: monitor.failureIssueThreshold,
    recovery_threshold: monitor.recoveryThreshold,
    owner: monitor.owner,
  };
}
