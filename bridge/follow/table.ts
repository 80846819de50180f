import { planDesired } from '../announce/desired.ts';
import { announceUnseen } from '../announce/namespace-seen.ts';
import type { FactsByKind, FollowedKind, Kind } from '../kubernetes/observation.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import type { Observation } from '../kubernetes/observation.ts';
import type { ObjectRow } from '../store/objects.ts';
import { factsOf, stateOf } from '../turn/object-rows.ts';
import { observeCronJob, planCronJob } from './cronjob.ts';
import type { Follower } from './follower.ts';
import { planNamespaced, replanNamespaced, shownToNamespaced } from './in-namespace.ts';
import { loseJob, settleGoneJob } from './job-gone.ts';
import { observeJob } from './job.ts';
import { loseKept, observeKept } from './kept.ts';
import { losePod, settleGonePod } from './pod-gone.ts';
import { replanOwned, shownToOwned } from './owned.ts';
import { observePod } from './pod.ts';
import { observeRevision } from './revision.ts';
import { loseWorkload, observeWorkload, settleGoneWorkload } from './rollout.ts';
import type { Turn } from '../turn/turn.ts';

/** What destinations want for an object that counts as alive until it is gone. */
function plan(turn: Turn, row: ObjectRow): void {
  planDesired(turn, factsOf(row), true, true);
}

const KEPT = {
  observe: (turn: Turn, observation: Observation) => void observeKept(turn, observation),
  gone: loseKept,
  plan,
};

const WORKLOAD = { observe: observeWorkload, gone: loseWorkload, settleGone: settleGoneWorkload, plan };
const REVISION = { observe: observeRevision, gone: loseKept, plan };

/** Who follows the objects of each kind; a new kind is one file and one line here. */
export const FOLLOWERS: { readonly [K in FollowedKind]: Follower<FactsByKind[K]> } = {
  CronJob: {
    observe: observeCronJob,
    gone: (turn, row) => planCronJob(turn, stateOf<CronJobState>(row)),
    plan: (turn, row) => planCronJob(turn, stateOf<CronJobState>(row), true),
    plansAlways: true,
  },
  Job: { observe: observeJob, gone: loseJob, settleGone: settleGoneJob, plan },
  Pod: { observe: observePod, gone: losePod, settleGone: settleGonePod, plan },
  Deployment: WORKLOAD,
  StatefulSet: WORKLOAD,
  DaemonSet: WORKLOAD,
  ReplicaSet: REVISION,
  ControllerRevision: REVISION,
  Namespace: KEPT,
  Node: KEPT,
};

/** Who follows the objects of a kind; undefined when nothing does (any more). */
export function followerOf(kind: Kind): Follower<never> | undefined {
  return (FOLLOWERS as { readonly [K in Kind]?: Follower<never> })[kind];
}

/** Takes in one record; throws what the core throws. */
export function observe(turn: Turn, observation: Observation): void {
  const { facts } = observation;
  const { observe: take }: Follower<never> = FOLLOWERS[facts.kind];
  const shown = shownToOwned(turn, facts);
  const inNamespace = shownToNamespaced(turn, facts);
  take(turn, observation as Observation & { readonly facts: never });
  replanOwned(turn, facts, shown);
  replanNamespaced(turn, facts, inNamespace, (kind, row) => FOLLOWERS[kind].plan(turn, row));
}

/** A namespace did not come in time, as the timer `id` says: what is in it, and what happened there, is planned without it. */
export function settleNamespace(turn: Turn, _uid: string, id: string): void {
  const [, unseen = ''] = id.split('/');
  const late = { ...turn, unseen };
  // The first of its timers stands for all that are due.
  if (announceUnseen(late)) planNamespaced(late, unseen, (kind, row) => FOLLOWERS[kind].plan(late, row));
}
