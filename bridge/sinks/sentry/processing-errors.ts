import { z } from 'zod';
import type { Instant } from '../../lib/clock.ts';
import { readJson } from '../../lib/json.ts';
import type { Account } from './account.ts';
import { apiDelivery, apiRequest, organizationOf } from './api-client.ts';

/** Sentry keeps the last few of each monitor; check-ins of the next minute show what became of those before. */
const EVERY_MS = 60_000;
const MAX_AGE_MS = 24 * 60 * EVERY_MS;
const ANSWER_MAX = 2_000;

/** What Sentry calls it by number, and what that means. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ['CHECKIN_ENVIRONMENT_MISMATCH', 'the same check-in was sent for another environment'],
  ['CHECKIN_FINISHED', 'the check-in was closed already'],
  ['CHECKIN_GUID_PROJECT_MISMATCH', 'the same check-in was sent to another project'],
  ['CHECKIN_INVALID_DURATION', 'its duration is not allowed'],
  ['CHECKIN_INVALID_GUID', 'its id is not allowed'],
  ['CHECKIN_VALIDATION_FAILED', 'it is not valid'],
  ['MONITOR_DISABLED', 'the monitor is disabled'],
  ['MONITOR_DISABLED_NO_QUOTA', 'there is no quota for one more monitor, so it is disabled'],
  ['MONITOR_INVALID_CONFIG', 'the configuration of the monitor is not valid'],
  ['MONITOR_INVALID_ENVIRONMENT', 'the environment is not valid'],
  ['MONITOR_LIMIT_EXCEEDED', 'the project has as many monitors as it may have'],
  ['MONITOR_NOT_FOUND', 'there is no such monitor'],
  ['MONITOR_OVER_QUOTA', 'the quota of monitors is used up'],
  ['MONITOR_ENVIRONMENT_LIMIT_EXCEEDED', 'the monitor has as many environments as it may have'],
  ['MONITOR_ENVIRONMENT_RATELIMITED', 'more than six check-ins of the monitor in a minute'],
  ['ORGANIZATION_KILLSWITCH_ENABLED', 'Sentry takes no check-ins of the organisation'],
  ['MONITOR_INVALID_OWNER', 'the owner is not known'],
];

const errorsSchema = z.array(
  z.object({
    errors: z.array(z.object({ type: z.union([z.number(), z.string()]) })),
    checkin: z.object({
      ts: z.union([z.string(), z.number()]).optional(),
      payload: z.object({ monitor_slug: z.string(), check_in_id: z.string().optional() }),
    }),
  }),
);

interface Known {
  readAt: Instant;
  /** By slug: the last one, in words. */
  dropped: ReadonlyMap<string, string>;
  failed: string | undefined;
}

/** What Sentry dropped of the check-ins that it had answered with 200: only a token may ask. */
export class ProcessingErrors {
  readonly #projects = new Map<string, Known>();

  /** What is known of a monitor, in words; undefined where nothing is wrong. Asks Sentry once a minute at most. */
  async of(account: Account, projectId: string, slug: string, signal: AbortSignal): Promise<string | undefined> {
    if (account.token === undefined) return undefined;
    const now = account.clock.now();
    let known = this.#projects.get(projectId);
    if (known === undefined || now - known.readAt >= EVERY_MS || now < known.readAt) {
      // Those that ask meanwhile have what was known before.
      const before = known ?? { dropped: new Map<string, string>(), failed: undefined };
      this.#projects.set(projectId, { ...before, readAt: now });
      known = { ...(await readErrors(account, projectId, now, signal)), readAt: now };
      this.#projects.set(projectId, known);
    }
    const dropped = known.dropped.get(slug);
    return dropped ?? known.failed;
  }
}

async function readErrors(
  account: Account,
  projectId: string,
  now: Instant,
  signal: AbortSignal,
): Promise<Omit<Known, 'readAt'>> {
  const organization = organizationOf(account);
  if (organization === undefined) return { dropped: new Map(), failed: undefined };
  const path = `organizations/${encodeURIComponent(organization)}/processing-errors/?project=${projectId}&per_page=100`;
  const result = await apiRequest(account, { method: 'GET', path }, signal);
  const delivery = apiDelivery(account, result);
  const parsed = result.kind === 'answer' ? errorsSchema.safeParse(readJson(result.body)) : undefined;
  if (delivery.outcome !== 'delivered' || parsed?.success !== true) {
    const why = delivery.outcome === 'delivered' ? 'it is not a list' : (delivery.detail ?? delivery.reason);
    return { dropped: new Map(), failed: `what Sentry dropped cannot be read: ${why}`.slice(0, ANSWER_MAX) };
  }
  return { dropped: wordsOf(parsed.data, now), failed: undefined };
}

/** The last of each monitor within a day. */
function wordsOf(errors: z.infer<typeof errorsSchema>, now: Instant): Map<string, string> {
  const latest = new Map<string, { at: number; text: string }>();
  for (const { errors: why, checkin } of errors) {
    const at = timeOf(checkin.ts) ?? now;
    const { monitor_slug: slug } = checkin.payload;
    if (at < now - MAX_AGE_MS || at < (latest.get(slug)?.at ?? -Infinity)) continue;
    const reasons = why.map(({ type }) => meaningOf(type)).join(', ');
    const when = new Date(at).toISOString().slice(0, 19);
    latest.set(slug, { at, text: `Sentry dropped the check-in of ${when}Z: ${reasons}` });
  }
  return new Map([...latest].map(([slug, { text }]) => [slug, text]));
}

function meaningOf(type: number | string): string {
  const [name, meaning] =
    MEANINGS[Number(type)] ?? MEANINGS.find(([name]) => name === String(type).toUpperCase()) ?? [];
  return meaning === undefined ? `error ${type}`.slice(0, 60) : `${meaning} (${name})`;
}

function timeOf(ts: string | number | undefined): Instant | undefined {
  const at = typeof ts === 'number' ? ts * 1000 : Date.parse(/[Z+]|-\d\d:/.test(ts ?? '') ? (ts ?? '') : `${ts}Z`);
  return Number.isFinite(at) && Math.abs(at) < 8e15 ? at : undefined;
}
