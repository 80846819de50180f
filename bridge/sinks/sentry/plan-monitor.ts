import { z } from 'zod';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Json } from '../../lib/json.ts';
import { isInSelection } from '../selection.ts';
import type { AnnotationProblem, Desired, DesiredContext, RetireCause } from '../sink.ts';
import { monitorAnnotationProblems, PREFIX, setting } from './monitor-annotations.ts';
import { isMonitored, monitorOf, monitorSchema, slugOfMonitor, zoneOf } from './monitor.ts';
import type { Target } from './payload.ts';
import type { SentryRules } from './rules.ts';
import { readSchedule } from './schedule.ts';
import type { Reading, SentrySchedule } from './schedule.ts';
import { isNumber } from './slug.ts';
import { targetKey, targetOf } from './target.ts';

const MAX_NAME = 128;
const MAX_SHOWN = 100;

/**
 * The key of the row of a monitor; undefined without the API. A DSN that an annotation names may be of any organisation,
 * for which the token does not count.
 */
export function monitorKey(target: Target, slug: string, { hasApi }: SentryRules): string | undefined {
  return !hasApi || 'dsn' in target ? undefined : `monitor/${targetKey(target)}/${slug}`;
}

/** Target and slug of such a key; undefined for any other text. */
export function parseMonitorKey(key: string): { readonly target: Target; readonly slug: string } | undefined {
  const [, kind, route, slug] = /^monitor\/(?:(default)|route\/([^/]+))\/([^/]+)$/.exec(key) ?? [];
  if (slug === undefined) return undefined;
  return { target: kind === undefined ? { route: route! } : {}, slug };
}

/** What the row of a monitor holds. `status` is sent only from the first pause of ours on: what a person disabled stays so. */
export const wantedSchema = z.strictObject({
  target: z.union([z.strictObject({ route: z.string() }), z.strictObject({})]),
  name: z.string(),
  monitor: monitorSchema,
  status: z.enum(['active', 'disabled']).exactOptional(),
});
export type WantedMonitor = z.infer<typeof wantedSchema>;

/** The monitor of a CronJob, where there is a token: known before it is first due, disabled while suspended. */
export function planMonitor(cronJob: CronJobFacts, context: DesiredContext, rules: SentryRules): readonly Desired[] {
  if (!isInSelection(cronJob, rules, context.namespace()?.labels) || !isMonitored(cronJob, rules)) return [];
  const known = {
    object: () => cronJob,
    runObject: () => undefined,
    facts: (uid: string) => context.facts(uid),
    owners: () => context.owners(),
    namespace: () => context.namespace(),
  };
  const target = targetOf(known, cronJob.namespace, rules);
  const monitor = monitorOf(cronJob, rules);
  const key = monitorKey(target, monitor.slug, rules);
  if (key === undefined || 'dsn' in target || 'refused' in readSchedule(monitor)) return [];
  const status = cronJob.suspend ? 'disabled' : mentionsStatus(context.previous(key)) ? 'active' : undefined;
  const name = `${cronJob.namespace}/${cronJob.name}`.slice(0, MAX_NAME);
  return [{ key, wanted: { target, name, monitor, ...(status && { status }) } satisfies WantedMonitor }];
}

/** What a monitor becomes that is wanted no more. */
export function retireMonitor(wanted: Json, cause: RetireCause, { crons }: SentryRules): Json | null {
  const row = wantedSchema.safeParse(wanted).data;
  if (row === undefined) return wanted;
  return cause === 'unclaimed' && crons.onDelete === 'keep' ? null : { ...row, status: 'disabled' };
}

/** True for a monitor that we disabled once; one that we deleted was disabled before. */
function mentionsStatus(wanted: Json | undefined): boolean {
  return wanted === null || wantedSchema.safeParse(wanted).data?.status !== undefined;
}

/** A claim may be older than the pause of the row, which another CronJob asked for. */
export function adoptMonitor(wanted: Json, previous: Json): Json {
  const row = wantedSchema.safeParse(wanted).data;
  return row !== undefined && mentionsStatus(previous) ? { status: 'active', ...row } : wanted;
}

/** What the annotations and the schedule of a CronJob say that Sentry does not do. */
export function cronProblems(cronJob: CronJobFacts, rules: SentryRules): AnnotationProblem[] {
  const problems = monitorAnnotationProblems(cronJob);
  if (!isMonitored(cronJob, rules)) return problems;
  const reading = readSchedule({ schedule: cronJob.schedule, timeZone: zoneOf(cronJob) });
  return [
    ...problems,
    ...slugProblems(cronJob, rules),
    ...scheduleProblems(cronJob, reading),
    ...pauseProblems(cronJob, rules),
  ];
}

function slugProblems(cronJob: CronJobFacts, { crons }: SentryRules): AnnotationProblem[] {
  const { name } = cronJob;
  if (crons.slugs !== 'compatible' || !isNumber(name) || setting(cronJob, 'monitor-slug') !== undefined) return [];
  const allowed = `a name that is not a number, or a slug by the annotation ${PREFIX}monitor-slug`;
  return [{ annotation: 'metadata.name', value: name, allowed, used: `the slug ${slugOfMonitor(cronJob, crons)}` }];
}

function scheduleProblems(cronJob: CronJobFacts, reading: Reading): AnnotationProblem[] {
  const why = 'refused' in reading ? reading.refused : reading.doubt;
  if (why === undefined) return [];
  const used = 'refused' in reading ? 'nothing: its runs make no check-ins' : spoken(reading.schedule);
  const allowed = `a schedule that Kubernetes and Sentry understand alike; ${why}`;
  return [{ annotation: 'spec.schedule', value: cronJob.schedule.slice(0, MAX_SHOWN), allowed, used }];
}

function spoken({ value, timezone }: SentrySchedule): string {
  return `${value} in the time zone ${timezone}`.slice(0, MAX_SHOWN);
}

function pauseProblems({ suspend }: CronJobFacts, { hasApi }: SentryRules): AnnotationProblem[] {
  if (!suspend || hasApi) return [];
  const used = 'the monitor as it is: Sentry will call its runs missed. Disable it there, or set api.tokenFile';
  return [
    { annotation: 'spec.suspend', value: 'true', allowed: 'false: the bridge cannot pause without a token', used },
  ];
}
