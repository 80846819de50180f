import { parseSchedule } from '../../../../bridge/kubernetes/schedule.ts';
import type { Monitor } from '../../../vendors/cronitor-rules.ts';
import type { Failure } from '../../checker.ts';
import { Quiet } from '../../quiet.ts';
import { time } from '../../runs.ts';
import { DAY } from '../../plan.ts';
import type { JobTruth } from '../../world/truth.ts';
import type { Checking } from '../vendor.ts';
import type { CronitorAccount } from './account.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** As Cronitor has it for a job without `grace_seconds`. */
const GRACE_SECONDS = 60;

/** A monitor as it was from a moment on. */
export interface Known {
  readonly at: number;
  readonly monitor: Monitor;
}

/**
 * Judges as Cronitor does: a monitor that is not paused alerts when no run was reported within its grace after a scheduled
 * instant. While nothing is in the way it must do so exactly where there was no run.
 */
export function checkAlerts(account: CronitorAccount, checking: Checking): Failure[] {
  const { simulation, tenures } = checking;
  const { plan, truth } = simulation;
  const quiet = new Quiet(simulation);
  // Whoever leaves an account leaves its monitors: they alert, as those of any destination that is taken away.
  const left = tenures.at(-1)!.removedAt ?? Infinity;
  const end = Math.min(plan.startAt + plan.days * DAY, left) - 5 * MINUTE;
  const from = tenures[0]!.readyAt + 20 * MINUTE;
  const runs = Map.groupBy(
    account.pings.filter(({ query }) => query.state === 'run').map(({ monitor, at }) => ({ monitor, at })),
    ({ monitor }) => monitor,
  );
  const jobs = [...truth.jobs.values()].filter(({ scheduledAt }) => scheduledAt !== undefined);
  const byCronJob = Map.groupBy(jobs, ({ cronJob }) => cronJob?.uid);
  const failures: Failure[] = [];
  for (const cronJob of truth.cronJobs.values()) {
    const name = `${cronJob.namespace}/${cronJob.name}`;
    const [key, history] =
      [...account.history].find(([, all]) => all.some(({ monitor }) => monitor.name === name)) ?? [];
    if (key === undefined || history === undefined || cronJob.excluded) continue;
    // What a restored etcd took back runs again: the first of them was in time.
    const all = (byCronJob.get(cronJob.uid) ?? []).toReversed();
    const own = new Map(all.map((job): [number, JobTruth] => [job.scheduledAt!, job]));
    for (const change of cronJob.schedules) {
      const parsed = parseSchedule(change.schedule);
      if ('error' in parsed) continue;
      const until = Math.min(change.until, end);
      for (let at = parsed.next(Math.max(change.from, from)); at !== undefined && at < until; at = parsed.next(at)) {
        const isSettled = at > change.from + 5 * MINUTE && at < change.until - 5 * MINUTE;
        if (!isSettled || !quiet.is(at - MINUTE, at + 3 * MINUTE)) continue;
        const alert = alertAt(history, runs.get(key) ?? [], at);
        const wanted = change.suspended ? 'none' : wantedAt(own.get(at), history, at);
        if (wanted !== 'any' && (wanted === 'late') !== alert)
          failures.push({
            what: `${name} at ${time(at)}: ${alert ? 'Cronitor alerts, and it ran' : 'Cronitor does not alert, and it did not run'}`,
            uid: own.get(at)?.uid ?? '',
          });
      }
    }
  }
  return failures;
}

function monitorAt(history: readonly Known[], at: number): Monitor | undefined {
  return history.findLast((known) => known.at <= at)?.monitor;
}

function graceMs(monitor: Monitor | undefined): number {
  return (monitor?.grace_seconds ?? GRACE_SECONDS) * SECOND;
}

/** Whether Cronitor alerts for an instant, by its own schedule of the monitor. */
function alertAt(history: readonly Known[], runs: readonly { readonly at: number }[], at: number): boolean {
  const monitor = monitorAt(history, at);
  if (monitor === undefined || monitor.paused === true) return false;
  const schedule = parseSchedule(monitor.schedule);
  if ('error' in schedule || schedule.next(at - 1) !== at) return false;
  const late = at + graceMs(monitor);
  if (monitorAt(history, late)?.paused === true) return false;
  return !runs.some((run) => run.at >= at - 30 * SECOND && run.at <= late);
}

/** Whether it should: `any` where it depends on seconds, or on a run that was made by hand. */
function wantedAt(job: JobTruth | undefined, history: readonly Known[], at: number): 'none' | 'late' | 'any' {
  // Forbid, or another run in its time: what Cronitor makes of it is right either way.
  if (job?.startedAt === undefined) return 'any';
  const late = at + graceMs(monitorAt(history, at));
  if (job.startedAt > late - 20 * SECOND) return job.startedAt > late + 20 * SECOND ? 'late' : 'any';
  return 'none';
}
