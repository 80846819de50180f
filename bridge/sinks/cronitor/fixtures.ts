import { ABOUT } from '../../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { RunLog } from '../../lifecycle/logs.ts';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import type { CronitorPlanConfig } from './config.ts';
import { cronitorSchema } from './config.ts';
import type { Json } from '../../lib/json.ts';
import type { RunContext } from '../sink.ts';

const UID = '0d5f6a3e-6a53-4f0e-9d3c-0f3a1c2b4d5e';
export const JOB_UID = '7c1b9c55-2b8a-4c40-8a1e-4d1f6d0a9b11';

/** What an account plans with, the defaults where `account` says nothing. */
export function planConfig(account: object = {}, clusterId = 'cluster-1'): CronitorPlanConfig {
  return { ...cronitorSchema.parse({ apiKey: 'key', ...account }), clusterId, clusterName: 'production' };
}

/** The CronJob of the tests; annotation names without their prefix. */
export function cronJob(annotations: Record<string, string> = {}, overrides: Partial<CronJobFacts> = {}): CronJobFacts {
  const prefixed = Object.entries(annotations).map(([name, value]) => [`k8s.cronitor.io/${name}`, value]);
  return {
    kind: 'CronJob',
    uid: UID,
    namespace: 'default',
    name: 'test-cronjob',
    resourceVersion: '10',
    createdAt: 1_760_000_000_000,
    deletionAt: undefined,
    owner: undefined,
    labels: {},
    annotations: Object.fromEntries(prefixed),
    schedule: '*/1 * * * *',
    timeZone: undefined,
    suspend: false,
    concurrencyPolicy: undefined,
    startingDeadlineSeconds: undefined,
    lastScheduleAt: undefined,
    lastSuccessfulAt: undefined,
    activeUids: [],
    ...overrides,
  };
}

/** A Job of that CronJob. */
export function run(overrides: Partial<Run> = {}): Run {
  return {
    uid: JOB_UID,
    kind: 'Job',
    namespace: 'default',
    name: 'test-cronjob-29333333',
    runKey: `${UID}/1760000000`,
    ownerKind: 'CronJob',
    ownerName: 'test-cronjob',
    ownerUid: UID,
    status: 'running',
    createdAt: 1_760_000_000_000,
    scheduledAt: 1_760_000_000_000,
    startedAt: 1_760_000_001_000,
    endedAt: undefined,
    reason: undefined,
    message: undefined,
    deleted: false,
    ...overrides,
  };
}

export function attempt(overrides: Partial<Attempt> = {}): Attempt {
  return {
    podUid: 'pod-1',
    podName: 'test-cronjob-29333333-abcde',
    nodeName: undefined,
    phase: 'Running',
    index: undefined,
    startedAt: undefined,
    endedAt: undefined,
    container: undefined,
    exitCode: undefined,
    reason: undefined,
    ...overrides,
  };
}

export function transition(overrides: Partial<Transition> = {}): Transition {
  return {
    id: `${JOB_UID}/started`,
    kind: 'run.started',
    at: 1_760_000_001_000,
    about: ABOUT,
    runUid: JOB_UID,
    text: 'started',
    ...overrides,
  };
}

/** What a planner finds when it asks. */
export interface Given {
  readonly run?: Run;
  readonly memo?: Json | undefined;
  readonly cronJob?: CronJobFacts | undefined;
  readonly attempts?: readonly Attempt[];
  readonly logs?: readonly RunLog[];
  readonly stickyKey?: string;
}

/** The context of a run of `cronJob()`, unless `given` says otherwise. */
export function planContext(given: Given = {}): RunContext {
  const all = {
    run: run(),
    memo: undefined,
    cronJob: cronJob(),
    attempts: [],
    logs: [],
    stickyKey: undefined,
    ...given,
  };
  return {
    run: all.run,
    memo: all.memo,
    object: () => undefined,
    runObject: () => undefined,
    facts: () => undefined,
    namespace: () => undefined,
    owners: () => (all.cronJob === undefined ? [] : [all.cronJob]),
    attempts: () => all.attempts,
    attempt: (podUid) => all.attempts.find((attempt) => attempt.podUid === podUid),
    logs: () => all.logs,
    events: () => [],
    stickyKey: () => all.stickyKey,
  };
}
