import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { sha1Hex } from '../../lib/ids.ts';
import type { Json } from '../../lib/json.ts';
import { annotation, filled, flag, integer, listed } from './annotations.ts';

const MAX_TEXT = 100;

/** False when the CronJob asks to be left out. An `exclude` that is no boolean excludes nothing. */
export function selected(cronJob: CronJobFacts): boolean {
  return flag(cronJob, 'exclude') !== true;
}

/** The monitor's full name, before it is shortened for the vendor. */
export function monitorName(cronJob: CronJobFacts): string {
  const own = filled(cronJob, 'name');
  if (own !== undefined) return own;
  const prefix = filled(cronJob, 'name-prefix') ?? 'namespace';
  if (prefix === 'none') return cronJob.name;
  return prefix === 'namespace' ? `${cronJob.namespace}/${cronJob.name}` : prefix + cronJob.name;
}

/** The monitor's key. One seeded by the UID is sticky: `stickyKey`, the first that was used, wins over a later UID. */
export function monitorKey(cronJob: CronJobFacts, stickyKey: string | undefined): { key: string; sticky: boolean } {
  const own = filled(cronJob, 'key');
  if (own !== undefined) return { key: own, sticky: false };
  if (annotation(cronJob, 'key-inference') === 'name') return { key: sha1Hex(monitorName(cronJob)), sticky: false };
  return { key: stickyKey ?? cronJob.uid, sticky: true };
}

/** The environment that telemetry of this CronJob's runs carries. */
export function environment(cronJob: CronJobFacts, fallback: string | undefined): string | undefined {
  return filled(cronJob, 'env') ?? fallback;
}

/** The monitor as `PUT /api/monitors` takes it, without `paused`. */
export function monitorPayload(cronJob: CronJobFacts, key: string, tags: readonly string[]): Record<string, Json> {
  const graceSeconds = integer(cronJob, 'grace-seconds') ?? 0;
  const optional: Record<string, Json | undefined> = {
    note: filled(cronJob, 'note'),
    timezone: cronJob.timeZone || undefined,
    notify: listed(cronJob, 'notify'),
    group: filled(cronJob, 'group'),
    // Zero and below mean "the vendor's default", as they always did: Cronitor refuses a negative grace.
    grace_seconds: graceSeconds > 0 ? graceSeconds : undefined,
    assertions: assertions(cronJob),
  };
  const present = Object.entries(optional).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return {
    key,
    name: shortenMiddle(monitorName(cronJob)),
    metadata: metadata(cronJob),
    type: 'job',
    schedule: cronJob.schedule,
    tags: monitorTags(cronJob, tags),
    ...Object.fromEntries(present),
  };
}

function monitorTags(cronJob: CronJobFacts, tags: readonly string[]): string[] {
  const own = listed(cronJob, 'tags') ?? [];
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
  const limits = listed(cronJob, 'metric.duration') ?? [];
  return limits.length === 0 ? undefined : limits.map((limit) => `metric.duration ${limit}`);
}

/** At most `max` code points: the rest becomes one "…" at the end. */
export function shorten(text: string, max: number): string {
  const points = Array.from(text);
  return points.length <= max ? text : `${points.slice(0, max - 1).join('')}…`;
}

/** At most 100 code points, the middle cut out: head and tail share 99, an even length gives the head one more. */
function shortenMiddle(text: string): string {
  const points = Array.from(text);
  if (points.length <= MAX_TEXT) return text;
  const head = points.length % 2 === 0 ? MAX_TEXT / 2 : MAX_TEXT / 2 - 1;
  return `${points.slice(0, head).join('')}…${points.slice(head + 1 - MAX_TEXT).join('')}`;
}
