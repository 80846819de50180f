import type { Tree } from '../../bridge/config/tree.ts';
import { absencesOf } from './absences.ts';
import { OLDEST_COPY_MS } from './collector.ts';
import { cronJobsOf, EVERY, fillUp, NAMESPACES, runsADay } from './cronjobs.ts';
import type { DestinationPlan } from './destinations.ts';
import type { Reconfigure } from './operator.ts';
import type { Random } from './random.ts';
import { chance, pick, randomOf, skewed, weighted, whole } from './random.ts';
import type { Trouble } from './weather.ts';
import { TROUBLES } from './weather.ts';
import type { CronJobPlan } from './world/cronjob-objects.ts';
import type { Resource } from './world/objects.ts';
import type { WorkloadPlan } from './world/workload-revisions.ts';
import type { WorkloadKind } from './world/workload-objects.ts';

interface At {
  readonly id: string;
  /** Ms since the beginning. */
  readonly at: number;
}

/** What goes wrong. */
export type Fault = At &
  (
    | { readonly act: 'kill-bridge'; readonly steps: number; readonly downMs: number }
    | { readonly act: 'stop-bridge'; readonly downMs: number }
    | { readonly act: 'kill-collector'; readonly loseDisk: boolean; readonly downMs: number }
    | { readonly act: 'old-queue'; readonly fromMs: number; readonly forMs: number }
    | { readonly act: 'dead-watch'; readonly resource: Resource }
    | { readonly act: 'compact' }
    /** From a backup that is so old. */
    | { readonly act: 'restore-etcd'; readonly ms: number }
    | { readonly act: 'set-clock'; readonly ms: number }
    | {
        readonly act: 'reconfigure';
        readonly how: Reconfigure;
        readonly namespace: string;
        readonly ms: number;
      }
    | { readonly act: 'trouble'; readonly trouble: Trouble; readonly ms: number }
  );

/** What people do to one CronJob. */
export type Change = At & { readonly cronJob: string } & (
    | { readonly act: 'suspend' | 'recreate'; readonly ms: number }
    | { readonly act: 'reschedule'; readonly every: number; readonly offset: number }
    | { readonly act: 'run-now' | 'run-suspended' | 'preempt' }
    | { readonly act: 'delete-job'; readonly how: 'Background' | 'Foreground' }
  );

/** What people do to one workload. */
export type WorkloadChange = At & { readonly workload: string } & (
    | { readonly act: 'roll-out'; readonly image: number; readonly bad: boolean }
    | { readonly act: 'roll-back' | 'restart-pods' }
    | { readonly act: 'scale'; readonly replicas: number }
    | { readonly act: 'pause' | 'recreate-workload'; readonly ms: number }
  );

export type Act = Fault | Change | WorkloadChange;

export interface Plan {
  readonly seed: string;
  readonly days: number;
  readonly startAt: number;
  /** Ms after the beginning of the world. */
  readonly bridgeAt: number;
  /** How long the store keeps what is over. */
  readonly retentionMs: number;
  readonly batches: boolean;
  readonly consumers: number;
  readonly skew: {
    readonly api: number;
    readonly manager: number;
    readonly kubelet: number;
    readonly collector: number;
  };
  /** Of the first configuration. */
  readonly destinations: readonly DestinationPlan[];
  readonly cronJobs: readonly CronJobPlan[];
  readonly workloads: readonly WorkloadPlan[];
  readonly acts: readonly Act[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** Faults of each day. */
export const FAULTS_A_DAY = 50;
/** How often a world has the sink that hears everything, and workloads: a day of it costs half as much again. */
const ECHO = 0.2;
/** How often it has each of the other vendors. */
const OTHER = 0.1;
const OTHERS = ['sentry', 'opentelemetry'];
/** And deployment records, also with workloads. */
const GITHUB = 0.2;
/** And timestamps of pods. */
const TIMESTAMPS = 0.5;

/** What the bridge is set to, beside its destinations. */
export const configOf = ({ retentionMs }: Plan): Tree => ({
  cluster: { name: 'simulated', collectorPods: ['monitoring/collector-0'] },
  store: { retention: { age: `${retentionMs / HOUR}h` } },
});

/** The world of a seed. Each act has a name, so that it may be left out and the others stay as they are. */
export function planOf(seed: string, days: number): Plan {
  const random = randomOf(seed, 'plan');
  const cronJobs = cronJobsOf(random);
  const hasEcho = chance(randomOf(seed, 'echo'), ECHO);
  const hasGithub = chance(randomOf(seed, 'github'), GITHUB);
  const workloads = workloadsOf(randomOf(seed, 'workloads'), hasEcho || hasGithub ? 1 : 0.2);
  const acts: Act[] = [];
  for (let day = 0; day < days; day++) {
    const at = (): number => day * DAY + Math.floor(random() * DAY);
    // The simulation cannot take workloads back.
    const weights = workloads.length > 0 ? { ...FAULTS, 'restore-etcd': 0 } : FAULTS;
    for (let n = 0; n < FAULTS_A_DAY; n++)
      acts.push({ id: `f${day}.${n}`, at: at(), ...faultOf(random, weights) } as Act);
    for (let n = 0; n < 18; n++) acts.push({ id: `p${day}.${n}`, at: at(), ...changeOf(random, cronJobs) } as Act);
    if (workloads.length > 0)
      for (let n = 0; n < 30; n++)
        acts.push({ id: `w${day}.${n}`, at: at(), ...workloadChangeOf(random, workloads) } as Act);
  }
  const others = OTHERS.filter((sink) => chance(randomOf(seed, sink), OTHER));
  if (others.includes('opentelemetry')) acts.push(...absencesOf(randomOf(seed, 'absences'), days, DAY));
  const skew = (): number => whole(random, -1_500, 1_500);
  return {
    seed,
    days,
    startAt: Date.UTC(2026, 2, 2) + whole(random, 0, 300) * DAY,
    bridgeAt: chance(random, 0.3) ? whole(random, 5 * MINUTE, 2 * HOUR) : whole(random, 0, 30_000),
    retentionMs: pick(random, [1, 12]) * HOUR,
    batches: chance(random, 0.5),
    consumers: pick(random, [1, 10, 10]),
    skew: { api: skew(), manager: skew(), kubelet: skew(), collector: skew() },
    destinations: [
      { sink: 'cronitor', name: 'default' },
      ...(hasEcho ? [{ sink: 'echo', name: 'main' }] : []),
      ...others.map((sink) => ({ sink, name: 'main' })),
      ...(hasGithub ? [{ sink: 'github', name: 'acme' }] : []),
      ...(chance(randomOf(seed, 'kubernetes'), TIMESTAMPS) ? [{ sink: 'kubernetes', name: 'default' }] : []),
    ],
    cronJobs: [...cronJobs, ...fillUp(random, cronJobs, acts, days)],
    workloads,
    acts: acts.filter(({ at }) => at < days * DAY).toSorted((a, b) => a.at - b.at),
  };
}

/** Mostly seconds, at times an hour. */
const troubleMs = (random: Random): number =>
  Math.floor(skewed(random, 2_000, chance(random, 0.1) ? 1.5 * HOUR : 6 * MINUTE));

const FAULTS: Readonly<Record<Fault['act'], number>> = {
  'kill-bridge': 14,
  'stop-bridge': 4,
  'kill-collector': 5,
  'dead-watch': 1,
  'old-queue': 3,
  compact: 4,
  'set-clock': 2,
  reconfigure: 2.5,
  'restore-etcd': 0.3,
  trouble: 26,
};

function faultOf(random: Random, weights: typeof FAULTS): object {
  const act = weighted(random, weights);
  const downMs = Math.floor(skewed(random, 500, chance(random, 0.05) ? 2 * HOUR : 2 * MINUTE));
  switch (act) {
    case 'kill-bridge':
      return { act, steps: chance(random, 0.6) ? whole(random, 1, 60) : 0, downMs };
    case 'stop-bridge':
      return { act, downMs };
    case 'kill-collector':
      return { act, loseDisk: chance(random, 0.15), downMs };
    case 'old-queue': {
      const fromMs = Math.floor(skewed(random, 10_000, OLDEST_COPY_MS));
      return { act, fromMs, forMs: Math.floor(skewed(random, 5_000, 10 * MINUTE)) };
    }
    case 'dead-watch':
      return { act, resource: pick<Resource>(random, ['pods', 'jobs', 'cronjobs']) };
    case 'set-clock':
      return { act, ms: pick(random, [-1, 1]) * Math.floor(skewed(random, 1_000, 20 * MINUTE)) };
    case 'trouble':
      return { act, trouble: pick(random, TROUBLES), ms: troubleMs(random) };
    case 'reconfigure': {
      const how = weighted<Reconfigure>(random, {
        'dry-run': 1,
        excluded: 2,
        away: 2,
        rotated: 3,
        added: 1,
        renamed: 1,
        upgraded: 2,
      });
      const ms = Math.floor(skewed(random, MINUTE, how === 'added' || how === 'upgraded' ? 4 * HOUR : 40 * MINUTE));
      return { act, how, namespace: pick(random, NAMESPACES), ms };
    }
    case 'restore-etcd':
      return { act, ms: Math.floor(skewed(random, MINUTE, 2 * HOUR)) };
    case 'compact':
      break;
  }
  return { act };
}

function changeOf(random: Random, cronJobs: readonly CronJobPlan[]): object {
  const { namespace, name, every } = pick(random, cronJobs);
  const cronJob = `${namespace}/${name}`;
  const act = weighted<Change['act']>(random, {
    suspend: 3,
    recreate: 2,
    reschedule: 2,
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
  if (act === 'delete-job') return { act, cronJob, how: pick(random, ['Background', 'Foreground']) };
  return { act, cronJob };
}

function workloadsOf(random: Random, probability: number): WorkloadPlan[] {
  if (!chance(random, probability)) return [];
  return Array.from({ length: whole(random, 1, 4) }, (_, n) => ({
    name: `web-${n}`,
    namespace: pick(random, ['shop', 'team-a']),
    kind: pick<WorkloadKind>(random, ['Deployment', 'Deployment', 'StatefulSet', 'DaemonSet']),
    replicas: whole(random, 1, 3),
  }));
}

function workloadChangeOf(random: Random, workloads: readonly WorkloadPlan[]): object {
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
