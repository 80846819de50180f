import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { plainSchedule } from '../../kubernetes/plain-schedule.ts';
import { sha1Hex } from '../../lib/ids.ts';
import type { Json } from '../../lib/json.ts';
import { isInSelection } from '../selection.ts';
import { asWritten, setting } from './annotations.ts';
import type { CronitorPlanConfig } from './config.ts';
import { MAX_TEXT } from './limits.ts';
import { shorten, shortenMiddle } from './shorten.ts';

/** True for a CronJob of this account. An annotation that is not a boolean asks for nothing: the default counts. */
export function selected(cronJob: CronJobFacts, config: CronitorPlanConfig): boolean {
  if (!isInSelection(cronJob, config)) return false;
  if (config.defaultBehavior === 'exclude') return setting(cronJob, 'include') === true;
  return setting(cronJob, 'exclude') !== true;
}

/** The monitor's full name, before it is shortened for the vendor. */
export function monitorName(cronJob: CronJobFacts): string {
  return setting(cronJob, 'name') ?? prefixedName(cronJob);
}

function prefixedName(cronJob: CronJobFacts): string {
  const prefix = setting(cronJob, 'name-prefix') ?? 'namespace';
  if (prefix === 'none') return cronJob.name;
  return prefix === 'namespace' ? `${cronJob.namespace}/${cronJob.name}` : prefix + cronJob.name;
}

/** The monitor's key. One seeded by the UID is sticky: `stickyKey`, the first that was used, wins over a later UID. */
export function monitorKey(
  cronJob: CronJobFacts,
  stickyKey: string | undefined,
  config: CronitorPlanConfig,
): { key: string; sticky: boolean } {
  const own = setting(cronJob, 'key');
  if (own !== undefined) return { key: own, sticky: false };
  if (setting(cronJob, 'key-inference') === 'name') return { key: inferredKey(cronJob, config), sticky: false };
  return { key: stickyKey ?? cronJob.uid, sticky: true };
}

/**
 * SHA-1 of the full name as it is written: alone as cronitor-kubernetes did it, or together with the cluster. White
 * space around it counts, so that nobody's monitor becomes another one.
 */
function inferredKey(cronJob: CronJobFacts, { inferredKeys, clusterId }: CronitorPlanConfig): string {
  const name = asWritten(cronJob, 'name') ?? prefixedName(cronJob);
  return sha1Hex(inferredKeys === 'shared' ? name : `${clusterId}/${name}`);
}

/** The environment that telemetry of this CronJob's runs carries. */
export function environment(cronJob: CronJobFacts, config: CronitorPlanConfig): string | undefined {
  return setting(cronJob, 'env') ?? config.env;
}

/** The monitor as `PUT /api/monitors` takes it, without `paused`. */
export function monitorPayload(cronJob: CronJobFacts, key: string, config: CronitorPlanConfig): Record<string, Json> {
  const { schedule, timeZone } = plainSchedule(cronJob.schedule, cronJob.timeZone);
  return {
    key,
    name: shortenMiddle(monitorName(cronJob), MAX_TEXT),
    ...optional('note', setting(cronJob, 'note')),
    metadata: metadata(cronJob),
    type: 'job',
    schedule,
    timezone: timeZone,
    tags: monitorTags(cronJob, config.tags),
    ...optional('notify', setting(cronJob, 'notify')),
    ...optional('group', setting(cronJob, 'group')),
    ...optional('grace_seconds', setting(cronJob, 'grace-seconds')),
    ...optional('assertions', assertions(cronJob)),
  };
}

function optional(name: string, value: Json | undefined): Record<string, Json> {
  return value === undefined ? {} : { [name]: value };
}

function monitorTags(cronJob: CronJobFacts, tags: readonly string[]): string[] {
  const own = setting(cronJob, 'tags') ?? [];
  return ['kubernetes', `kubernetes-namespace:${cronJob.namespace}`, ...tags, ...own].map((tag) =>
    shorten(tag, MAX_TEXT),
  );
}

/** A string that holds JSON: that is the type of this field at the vendor. */
function metadata({ concurrencyPolicy, startingDeadlineSeconds }: CronJobFacts): string {
  return JSON.stringify({
    ...(concurrencyPolicy && { concurrencyPolicy }),
    ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds: String(startingDeadlineSeconds) }),
  });
}

function assertions(cronJob: CronJobFacts): string[] | undefined {
  const limits = setting(cronJob, 'metric.duration') ?? [];
  return limits.length === 0 ? undefined : limits.map((limit) => `metric.duration ${limit}`);
}
