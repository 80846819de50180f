import { ABOUT } from '../../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Run, Transition } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import type { RunContext } from '../sink.ts';
import { sentrySchema } from './config.ts';
import type { SentryRules } from './rules.ts';

const CRONJOB_UID = '0d5f6a3e-6a53-4f0e-9d3c-0f3a1c2b4d5e';
export const JOB_UID = '7c1b9c55-2b8a-4c40-8a1e-4d1f6d0a9b11';
/** 2026-11-30, 12:00 UTC. */
export const NOON = Date.UTC(2026, 10, 30, 12);

/** What a destination plans with: the defaults where `settings` says nothing. */
export function rules(settings: object = {}, hasApi = false): SentryRules {
  const config = sentrySchema.parse({ dsn: 'https://abc@o1.ingest.sentry.io/2', ...settings });
  const { dsn: _dsn, dsnFile: _file, api: _api, gke: _gke, dryRun: _dryRun, ...plain } = config;
  const world = { clusterId: 'cluster-1', clusterName: 'production', pageUrl: undefined };
  return { ...plain, hasApi, destination: 'sentry/default', ...world };
}

/** The CronJob of the tests, due at each full hour; annotation names without their prefix. */
export function cronJob(annotations: Record<string, string> = {}, overrides: Partial<CronJobFacts> = {}): CronJobFacts {
  const prefixed = Object.entries(annotations).map(([name, value]) => [`k8s.sentry.io/${name}`, value]);
  return {
    kind: 'CronJob',
    uid: CRONJOB_UID,
    namespace: 'shop',
    name: 'report',
    resourceVersion: '10',
    createdAt: NOON - 86_400_000,
    deletionAt: undefined,
    owner: undefined,
    labels: {},
    annotations: Object.fromEntries(prefixed),
    schedule: '0 * * * *',
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

/** A Job of that CronJob, started two seconds after noon. */
export function run(overrides: Partial<Run> = {}): Run {
  return {
    uid: JOB_UID,
    kind: 'Job',
    namespace: 'shop',
    name: 'report-29333333',
    runKey: `${CRONJOB_UID}/${NOON / 1000}`,
    ownerKind: 'CronJob',
    ownerName: 'report',
    ownerUid: CRONJOB_UID,
    status: 'running',
    createdAt: NOON,
    scheduledAt: NOON,
    startedAt: NOON + 2_000,
    endedAt: undefined,
    reason: undefined,
    message: undefined,
    deleted: false,
    ...overrides,
  };
}

export function transition(overrides: Partial<Transition> = {}): Transition {
  return {
    id: 'run/started',
    kind: 'run.started',
    at: NOON + 2_000,
    about: ABOUT,
    runUid: JOB_UID,
    text: '',
    ...overrides,
  };
}

/** The context of a run of `cronJob()`, unless `given` says otherwise. */
export function planContext(given: { run?: Run; cronJob?: CronJobFacts; memo?: Json | undefined } = {}): RunContext {
  return {
    run: given.run ?? run(),
    memo: given.memo,
    object: () => undefined,
    runObject: () => undefined,
    facts: () => undefined,
    namespace: () => undefined,
    owners: () => [given.cronJob ?? cronJob()],
    attempts: () => [],
    attempt: () => undefined,
    logs: () => [],
    events: () => [],
    stickyKey: () => undefined,
  };
}
