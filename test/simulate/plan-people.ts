import { EVERY, runsADay } from './cronjobs.ts';
import type { Random } from './random.ts';
import { chance, pick, skewed, weighted, whole } from './random.ts';
import type { CronJobPlan } from './world/cronjob-objects.ts';
import type { WorkloadKind } from './world/workload-objects.ts';
import type { WorkloadPlan } from './world/workload-revisions.ts';

export interface At {
  readonly id: string;
  /** Ms since the beginning. */
  readonly at: number;
}

/** What people do to one CronJob. */
export type Change = At & { readonly cronJob: string } & (
    | { readonly act: 'suspend' | 'recreate'; readonly ms: number }
    | { readonly act: 'reschedule'; readonly every: number; readonly offset: number }
    | Edit
    | { readonly act: 'run-now' | 'run-suspended' | 'preempt' }
    | { readonly act: 'delete-job'; readonly how: 'Background' | 'Foreground' }
  );

/** Another schedule and back, as often and as fast: a typo, or two who revert each other; without one it is suspended and resumed. */
export interface Edit {
  readonly act: 'edit';
  readonly times: number;
  readonly ms: number;
  readonly schedule?: { readonly every: number; readonly offset: number };
}

/** What people do to one workload. */
export type WorkloadChange = At & { readonly workload: string } & (
    | { readonly act: 'roll-out'; readonly image: number; readonly bad: boolean }
    | { readonly act: 'roll-back' | 'restart-pods' }
    | { readonly act: 'scale'; readonly replicas: number }
    | { readonly act: 'pause' | 'recreate-workload'; readonly ms: number }
  );

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export function changeOf(random: Random, cronJobs: readonly CronJobPlan[]): object {
  const { namespace, name, every } = pick(random, cronJobs);
  const cronJob = `${namespace}/${name}`;
  const act = weighted<Change['act']>(random, {
    suspend: 3,
    recreate: 2,
    reschedule: 2,
    edit: 3,
    'run-now': 4,
    'run-suspended': 1,
    'delete-job': 5,
    preempt: 4,
  });
  if (act === 'suspend') return { act, cronJob, ms: Math.floor(skewed(random, 500, 3 * HOUR)) };
  if (act === 'recreate') return { act, cronJob, ms: Math.floor(skewed(random, 1_000, HOUR)) };
  // To no schedule that would be most of a day's runs.
  const most = Math.max(48, runsADay(every));
  const schedules = EVERY.filter((one) => runsADay(one) <= most);
  if (act === 'reschedule') return { act, cronJob, every: pick(random, schedules), offset: whole(random, 0, 1439) };
  if (act === 'edit') return { cronJob, ...editOf(random) };
  if (act === 'delete-job') return { act, cronJob, how: pick(random, ['Background', 'Foreground']) };
  return { act, cronJob };
}

/** Within seconds: while the one before may still be on its way. */
export function editOf(random: Random): Edit {
  const ms = Math.floor(skewed(random, 50, 5_000));
  const times = 2 * whole(random, 1, 3);
  const schedule = { every: pick(random, EVERY), offset: whole(random, 0, 1439) };
  return { act: 'edit', times, ms, ...(chance(random, 0.7) && { schedule }) };
}

export function workloadsOf(random: Random, probability: number): WorkloadPlan[] {
  if (!chance(random, probability)) return [];
  return Array.from({ length: whole(random, 1, 4) }, (_, n) => ({
    name: `web-${n}`,
    namespace: pick(random, ['shop', 'team-a']),
    kind: pick<WorkloadKind>(random, ['Deployment', 'Deployment', 'StatefulSet', 'DaemonSet']),
    replicas: whole(random, 1, 3),
  }));
}

export function workloadChangeOf(random: Random, workloads: readonly WorkloadPlan[]): object {
  const { namespace, name } = pick(random, workloads);
  const workload = `${namespace}/${name}`;
  const act = weighted<WorkloadChange['act']>(random, {
    'roll-out': 6,
    'roll-back': 3,
    'restart-pods': 2,
    scale: 2,
    pause: 1,
    'recreate-workload': 1,
  });
  if (act === 'roll-out') return { act, workload, image: whole(random, 1, 9), bad: chance(random, 0.25) };
  if (act === 'scale') return { act, workload, replicas: whole(random, 1, 4) };
  if (act === 'pause' || act === 'recreate-workload')
    return { act, workload, ms: Math.floor(skewed(random, 2_000, 20 * MINUTE)) };
  return { act, workload };
}
