import type { Tree } from '../../bridge/config/tree.ts';
import { absencesOf } from './absences.ts';
import { OLDEST_COPY_MS } from './collector.ts';
import { cronJobsOf, fillUp, NAMESPACES } from './cronjobs.ts';
import type { Leaving } from './death.ts';
import type { DestinationPlan } from './destinations.ts';
import type { Reconfigure } from './operator.ts';
import type { At, Change, WorkloadChange } from './plan-people.ts';
import { changeOf, editOf, workloadChangeOf, workloadsOf } from './plan-people.ts';
import type { Random } from './random.ts';
import { chance, pick, randomOf, skewed, weighted, whole } from './random.ts';
import type { Trouble } from './weather.ts';
import { TROUBLES } from './weather.ts';
import type { CronJobPlan } from './world/cronjob-objects.ts';
import type { Resource } from './world/objects.ts';
import type { WorkloadPlan } from './world/workload-revisions.ts';

/** What goes wrong. */
export type Fault = At &
  (
    | { readonly act: 'kill-bridge'; readonly steps: number; readonly after?: Leaving; readonly downMs: number }
    | { readonly act: 'stop-bridge'; readonly downMs: number }
    | { readonly act: 'kill-collector'; readonly loseDisk: boolean; readonly downMs: number }
    | { readonly act: 'old-queue'; readonly fromMs: number; readonly forMs: number; readonly share: number }
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

export type Act = Fault | Change | WorkloadChange;

export interface Plan {
  readonly seed: string;
  readonly days: number;
  readonly startAt: number;
  /** Ms after the beginning of the world: its cluster may be older than what is installed there. */
  readonly bridgeAt: number;
  readonly collectorAt: number;
  /** How long the store keeps what is over. */
  readonly retentionMs: number;
  readonly batches: boolean;
  /** Whether Kubernetes Events are written, and followed. */
  readonly events: boolean;
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
/** Faults of each day, and changes by people. */
const FAULTS_A_DAY = 50;
const CHANGES_A_DAY = 21;
/** How often a world has the sink that hears everything, and workloads: a day of it costs half as much again. */
const ECHO = 0.2;
/** How often it has each of the other vendors. */
const OTHER = 0.1;
const OTHERS = ['sentry', 'opentelemetry'];
/** And deployment records, also with workloads. */
const GITHUB = 0.2;
/** And timestamps of pods. */
const TIMESTAMPS = 0.5;
/** And Kubernetes Events. */
const EVENTS = 0.5;

/** What the bridge is set to, beside its destinations. */
export const configOf = ({ retentionMs, events }: Plan): Tree => ({
  cluster: { name: 'simulated', collectorPods: ['monitoring/collector-0'] },
  ...(events && { watch: { Event: true } }),
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
    for (let n = 0; n < CHANGES_A_DAY; n++)
      acts.push({ id: `p${day}.${n}`, at: at(), ...changeOf(random, cronJobs) } as Act);
    if (workloads.length > 0)
      for (let n = 0; n < 30; n++)
        acts.push({ id: `w${day}.${n}`, at: at(), ...workloadChangeOf(random, workloads) } as Act);
  }
  const others = OTHERS.filter((sink) => chance(randomOf(seed, sink), OTHER));
  if (others.includes('opentelemetry')) acts.push(...absencesOf(randomOf(seed, 'absences'), days, DAY));
  const sequels = acts.flatMap((act) => sequelsOf(act, randomOf(seed, 'sequel', act.id), cronJobs));
  const skew = (): number => whole(random, -1_500, 1_500);
  const bridgeAt = chance(random, 0.4) ? whole(random, 5 * MINUTE, 3 * HOUR) : whole(random, 0, 30_000);
  return {
    seed,
    days,
    startAt: Date.UTC(2026, 2, 2) + whole(random, 0, 300) * DAY,
    bridgeAt,
    // Mostly both are installed at once; else the Collector was there for something else.
    collectorAt: chance(random, 0.7) ? Math.max(200, bridgeAt + whole(random, -5_000, 20_000)) : 200,
    retentionMs: pick(random, [1, 12]) * HOUR,
    batches: chance(random, 0.5),
    events: chance(randomOf(seed, 'events'), EVENTS),
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
    acts: [...acts, ...sequels].filter(({ at }) => at < days * DAY).toSorted((a, b) => a.at - b.at),
  };
}

/** How much of an old copy of the queue is there: a power loss takes back some deletions, a restored volume all. */
const SHARES = [1, 0.4, 0.4];

/** What comes with some: people edit while a vendor is slow, and an old copy of the queue comes after what they did. */
function sequelsOf(act: Act, random: Random, cronJobs: readonly CronJobPlan[]): Act[] {
  if (act.act === 'trouble' && act.trouble === 'vendor-slow') {
    const { namespace, name } = pick(random, cronJobs);
    const at = act.at + Math.floor(random() * act.ms);
    return [{ id: `${act.id}.p`, at, cronJob: `${namespace}/${name}`, ...editOf(random) }];
  }
  if ((act.act !== 'recreate' && act.act !== 'edit') || chance(random, 0.6)) return [];
  const fromMs = Math.floor(skewed(random, 30_000, HOUR));
  const at = act.at + Math.floor(skewed(random, 1_000, 10 * MINUTE));
  return [
    {
      id: `${act.id}.q`,
      at,
      act: 'old-queue',
      fromMs,
      forMs: whole(random, 5_000, fromMs),
      share: pick(random, SHARES),
    },
  ];
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
    case 'kill-bridge': {
      const how = weighted(random, { now: 3, step: 4, answer: 5, request: 2 });
      const after = (how === 'answer' || how === 'request') && { after: how };
      return { act, steps: how === 'step' ? whole(random, 1, 60) : 0, ...after, downMs };
    }
    case 'stop-bridge':
      return { act, downMs };
    case 'kill-collector':
      return { act, loseDisk: chance(random, 0.15), downMs };
    case 'old-queue': {
      const fromMs = whole(random, 10_000, OLDEST_COPY_MS);
      return { act, fromMs, forMs: Math.floor(skewed(random, MINUTE, HOUR)), share: pick(random, SHARES) };
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
