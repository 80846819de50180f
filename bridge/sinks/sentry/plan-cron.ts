import { z } from 'zod';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Run, Transition, TransitionKind } from '../../lifecycle/transition.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import type { Instant } from '../../lib/clock.ts';
import { isInSelection } from '../selection.ts';
import type { Intent, PlanContext, Planned, RunContext } from '../sink.ts';
import { isOfRun } from '../sink.ts';
import { checkInId } from './check-in.ts';
import type { CheckIn } from './check-in.ts';
import { environmentLimit } from './check-in-limits.ts';
import { setting } from './monitor-annotations.ts';
import { MAX_RUNTIME_MINUTES } from './monitor-limits.ts';
import { isMonitored, monitorOf, runtimeLimit, zoneOf } from './monitor.ts';
import type { SentryPayload } from './payload.ts';
import { targetSchema } from './payload.ts';
import { monitorKey } from './plan-monitor.ts';
import { releaseOf } from './release.ts';
import type { SentryRules } from './rules.ts';
import { readSchedule } from './schedule.ts';
import { limitsOf, targetOf } from './target.ts';

const MINUTE_MS = 60_000;

/**
 * What the first check-in of a run used: those that follow belong to it, whatever the annotations say by then. `again`: how
 * often it was reported that the run goes on.
 */
const memoSchema = z.object({ target: targetSchema, slug: z.string(), environment: z.string(), again: z.number() });
type Memo = z.infer<typeof memoSchema>;

export function cronHears({ crons }: SentryRules): readonly TransitionKind[] {
  return crons.enabled ? ['run.started', 'run.active', 'run.ended'] : [];
}

/**
 * The check-ins of a run, all with one id:
 *
 *   run.started ──────────────────────────▶ in_progress
 *   run.active ───────────────────────────▶ in_progress   (again and again, before Sentry calls it timed out)
 *   run.ended ── succeeded, replaced ─────▶ ok
 *            ├── failed ──────────────────▶ error
 *            └── cancelled ───────────────▶ error         (or ok, by onCancelled)
 *
 * The real end of a run that was concluded to have ended otherwise is a check-in of its own: what is closed stays closed.
 */
export function planCron(transition: Transition, context: PlanContext, rules: SentryRules): Planned {
  if (!isOfRun(context) || context.run.kind !== 'Job') return null;
  const cronJob = cronJobOf(context);
  const status = statusOf(transition, rules);
  if (cronJob === undefined || status === undefined) return null;
  if (transition.outcome === 'never_started') return { drop: 'never_started' };
  const reported = memoSchema.safeParse(context.memo).data;
  const untaken = reported === undefined ? untakenReason(context, cronJob, rules) : undefined;
  if (untaken !== undefined) return untaken;
  const monitor = { ...monitorOf(cronJob, rules), ...(reported && { slug: reported.slug }) };
  const memo: Memo = {
    target: reported?.target ?? targetOf(context, context.run.namespace, rules),
    slug: monitor.slug,
    environment: reported?.environment ?? setting(cronJob, 'environment') ?? rules.environment,
    again: (reported?.again ?? 0) + Number(transition.kind === 'run.active'),
  };
  const release = releaseOf(rules.release, [cronJob], undefined);
  const checkIn: CheckIn = {
    ...checkInOf(transition, context.run, status),
    id: checkInId({ ...memo, runKey: context.run.runKey, destination: rules.destination }, transition.corrects),
    environment: memo.environment,
    ...(release !== undefined && { release }),
    monitor,
  };
  const again = status === 'in_progress' ? nextSign(transition.at, context.run, cronJob, rules) : undefined;
  return {
    intents: [intentOf(checkIn, memo, transition, context, rules)],
    memo,
    ...(again !== undefined && { again }),
  };
}

function checkInOf(
  transition: Transition,
  run: Run,
  status: CheckIn['status'],
): Omit<CheckIn, 'id' | 'environment' | 'monitor'> {
  const duration = status === 'in_progress' ? undefined : durationOf(transition, run);
  return {
    status,
    at: transition.at,
    ...(run.scheduledAt !== undefined && run.manual !== true && { scheduledAt: run.scheduledAt }),
    ...(duration !== undefined && { duration }),
    ...(transition.kind === 'run.active' && { again: true }),
    traceId: traceIdOf(run),
  };
}

function intentOf(
  checkIn: CheckIn,
  { target }: Memo,
  { id, kind }: Transition,
  { run }: RunContext,
  rules: SentryRules,
): Intent {
  const payload = { kind: 'check_in', target, checkIn } satisfies SentryPayload;
  const row = monitorKey(target, checkIn.monitor.slug, rules);
  return {
    key: `${id}/check-in`,
    lane: `check-in/${run.uid}`,
    payload,
    limits: [...limitsOf(payload), environmentLimit(target, checkIn)],
    ...(row !== undefined && { waitsFor: row }),
    // The check-in of a correction has another id: this one would stay open, and time out.
    ...(kind === 'run.ended' && { keep: true }),
  };
}

function cronJobOf({ owners }: PlanContext): CronJobFacts | undefined {
  const owner = owners().find(({ kind }) => kind === 'CronJob');
  return owner?.kind === 'CronJob' ? owner : undefined;
}

function statusOf({ kind, outcome }: Transition, { crons }: SentryRules): CheckIn['status'] | undefined {
  if (kind === 'run.started' || kind === 'run.active') return 'in_progress';
  if (kind !== 'run.ended') return undefined;
  if (outcome === 'cancelled') return crons.onCancelled;
  return outcome === 'failed' ? 'error' : 'ok';
}

/** Why a run has no check-ins. One that was opened is closed whatever is wanted by then. */
function untakenReason({ run, namespace }: RunContext, cronJob: CronJobFacts, rules: SentryRules): Planned | undefined {
  if (!isInSelection(cronJob, rules, namespace()?.labels) || !isMonitored(cronJob, rules))
    return { drop: 'not_selected', once: true };
  if (run.manual === true && rules.crons.manualRuns === 'ignore') return { drop: 'manual_run', once: true };
  const reading = readSchedule({ schedule: cronJob.schedule, timeZone: zoneOf(cronJob) });
  return 'refused' in reading ? { drop: 'schedule_refused', detail: reading.refused, once: true } : undefined;
}

/** Seconds by the times of the object; none where one of the two was only concluded. */
function durationOf({ at, inferred }: Transition, { startedAt }: Run): number | undefined {
  return startedAt === undefined || at < startedAt || inferred === true ? undefined : (at - startedAt) / 1000;
}

/**
 * When Sentry is to hear again that a run goes on, well before it would call it timed out; undefined where that is wanted.
 * Of a limit that is longer than Sentry knows, the last sign comes so that the time-out is at the limit.
 */
function nextSign(at: Instant, run: Run, cronJob: CronJobFacts, rules: SentryRules): Instant | undefined {
  const limit = runtimeLimit(cronJob, rules.crons);
  if (limit === undefined) return at + rules.crons.lostAfter / 2;
  const last = (run.startedAt ?? at) + (limit - MAX_RUNTIME_MINUTES) * MINUTE_MS;
  return at >= last ? undefined : Math.min(at + (MAX_RUNTIME_MINUTES / 2) * MINUTE_MS, last);
}
