import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { sha1Hex } from '../../lib/ids.ts';
import type { Json } from '../../lib/json.ts';
import { setting } from './annotations.ts';
import { shorten, shortenMiddle } from './shorten.ts';

const MAX_TEXT = 100;

/** False when the CronJob asks to be left out. An `exclude` that is no boolean excludes nothing. */
export function selected(cronJob: CronJobFacts): boolean {
  return setting(cronJob, 'exclude') !== true;
}

/** The monitor's full name, before it is shortened for the vendor. */
export function monitorName(cronJob: CronJobFacts): string {
  const own = setting(cronJob, 'name');
  if (own !== undefined) return own;
  const prefix = setting(cronJob, 'name-prefix') ?? 'namespace';
  if (prefix === 'none') return cronJob.name;
  return prefix === 'namespace' ? `${cronJob.namespace}/${cronJob.name}` : prefix + cronJob.name;
}

/** The monitor's key. One seeded by the UID is sticky: `stickyKey`, the first that was used, wins over a later UID. */
export function monitorKey(cronJob: CronJobFacts, stickyKey: string | undefined): { key: string; sticky: boolean } {
  const own = setting(cronJob, 'key');
  if (own !== undefined) return { key: own, sticky: false };
  if (setting(cronJob, 'key-inference') === 'name') return { key: sha1Hex(monitorName(cronJob)), sticky: false };
  return { key: stickyKey ?? cronJob.uid, sticky: true };
}

/** The environment that telemetry of this CronJob's runs carries. */
export function environment(cronJob: CronJobFacts, fallback: string | undefined): string | undefined {
  return setting(cronJob, 'env') ?? fallback;
}

/** The monitor as `PUT /api/monitors` takes it, without `paused`. */
export function monitorPayload(cronJob: CronJobFacts, key: string, tags: readonly string[]): Record<string, Json> {
  const optional: Record<string, Json | undefined> = {
    note: setting(cronJob, 'note'),
    timezone: cronJob.timeZone || undefined,
    notify: setting(cronJob, 'notify'),
    group: setting(cronJob, 'group'),
    grace_seconds: setting(cronJob, 'grace-seconds'),
    assertions: assertions(cronJob),
  };
  const present = Object.entries(optional).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return {
    key,
    name: shortenMiddle(monitorName(cronJob), MAX_TEXT),
    metadata: metadata(cronJob),
    type: 'job',
    schedule: cronJob.schedule,
    tags: monitorTags(cronJob, tags),
    ...Object.fromEntries(present),
  };
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
