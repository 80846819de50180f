import { z } from 'zod';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { readJson } from '../../lib/json.ts';
import type { HttpAnswer } from '../http.ts';
import type { ClaimedDesired, Delivery } from '../sink.ts';
import type { Account } from './account.ts';
import { apiDelivery, apiRequest, organizationOf } from './api-client.ts';
import { monitorConfig } from './monitor.ts';
import type { Target } from './payload.ts';
import { parseMonitorKey, wantedSchema } from './plan-monitor.ts';
import type { WantedMonitor } from './plan-monitor.ts';
import { lastDue } from './schedule.ts';

/** At a time: Sentry takes some 25 requests of an organisation at once, and others want theirs. */
const AT_ONCE = 4;

const projectSchema = z.object({ slug: z.string() });

type Refusal = (answer: HttpAnswer) => Delivery | undefined;

/** Makes the monitors at Sentry what the rows want, some at a time. */
export async function converge(
  account: Account,
  rows: readonly ClaimedDesired[],
  signal: AbortSignal,
): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE);
    // Who asks for a pause gets one: the others are tried again with the rest.
    const blocked = deliveries.find(({ outcome }) => outcome === 'retry');
    const sent = blocked ?? (await Promise.all(some.map((row) => convergeOne(account, row, signal))));
    deliveries.push(...(Array.isArray(sent) ? sent : some.map(() => ({ ...blocked!, unknown: false }))));
  }
  return deliveries;
}

async function convergeOne(account: Account, { key, wanted }: ClaimedDesired, signal: AbortSignal): Promise<Delivery> {
  const place = parseMonitorKey(key);
  const organization = organizationOf(account);
  if (place === undefined || account.token === undefined) return bad('the stored row is not a monitor');
  if (organization === undefined) return bad('api.organization is not set, and the DSN does not say it');
  const at = { ...place, organization };
  if (wanted === null) return remove(account, at, signal);
  const row = wantedSchema.safeParse(wanted).data;
  return row === undefined ? bad('the stored row is not a monitor') : put(account, at, row, signal);
}

interface Place {
  readonly organization: string;
  readonly target: Target;
  readonly slug: string;
}

/** Changes the monitor, or makes it where there is none. */
async function put(account: Account, place: Place, row: WantedMonitor, signal: AbortSignal): Promise<Delivery> {
  const body = monitorBody(row, account.clock.now());
  if (body === undefined) return { outcome: 'drop', reason: 'schedule_refused' };
  const change = async (refused?: Refusal) =>
    apiDelivery(
      account,
      await apiRequest(account, { method: 'PUT', path: pathOf(account, place), body }, signal),
      refused,
    );
  const missing = { outcome: 'drop', reason: 'not_found' } as const;
  const changed = await change(({ status }) => (status === 404 ? missing : undefined));
  if (changed !== missing) return changed;
  const project = await projectSlug(account, place, signal);
  if (typeof project !== 'string') return project;
  const made = { method: 'POST', path: `organizations/${encodeURIComponent(place.organization)}/monitors/` } as const;
  return apiDelivery(account, await apiRequest(account, { ...made, body: { ...body, project } }, signal));
}

/** One that Sentry does not know is as good as deleted. */
async function remove(account: Account, place: Place, signal: AbortSignal): Promise<Delivery> {
  const result = await apiRequest(account, { method: 'DELETE', path: pathOf(account, place) }, signal);
  return apiDelivery(account, result, ({ status }) => (status === 404 ? { outcome: 'delivered' } : undefined));
}

/** By the number of the project, which the DSN has: slugs are unique in a project only. */
function pathOf({ dsns }: Account, { organization, target, slug }: Place): string {
  const { projectId } = dsns.resolve(target).dsn;
  return `projects/${encodeURIComponent(organization)}/${projectId}/monitors/${encodeURIComponent(slug)}/`;
}

/** A new monitor names its project by the slug, which only Sentry knows. */
async function projectSlug(
  account: Account,
  { organization, target }: Place,
  signal: AbortSignal,
): Promise<string | Delivery> {
  const path = `projects/${encodeURIComponent(organization)}/${account.dsns.resolve(target).dsn.projectId}/`;
  const known = account.projects.get(path);
  if (known !== undefined) return known;
  const result = await apiRequest(account, { method: 'GET', path }, signal);
  const delivery = apiDelivery(account, result);
  if (delivery.outcome !== 'delivered' || result.kind !== 'answer') return delivery;
  const slug = projectSchema.safeParse(readJson(result.body)).data?.slug;
  if (slug === undefined)
    return { outcome: 'retry', reason: 'bad_answer', detail: 'the API answers without the project' };
  account.projects.set(path, slug);
  return slug;
}

/** The body of a monitor as it is to be now: as the check-in of the last run has it. */
export function monitorBody({ name, monitor, status }: WantedMonitor, now: Instant): Record<string, Json> | undefined {
  const config = monitorConfig(monitor, lastDue(monitor, now) ?? now);
  if (config === undefined) return undefined;
  const { schedule, owner, ...rest } = config as Record<string, Json> & { schedule: Record<string, Json> };
  const { type, value, unit } = schedule;
  const flat = type === 'interval' ? [value!, unit!] : value!;
  return {
    type: 'cron_job',
    name,
    slug: monitor.slug,
    ...(status !== undefined && { status }),
    // Without one what a person chose stays.
    ...(typeof owner === 'string' && { owner }),
    config: { ...rest, schedule_type: type!, schedule: flat },
  };
}

function bad(detail: string): Delivery {
  return { outcome: 'drop', reason: 'bad_request', detail };
}
