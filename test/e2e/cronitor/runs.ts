import { expect } from 'vitest';
import type { KubeObject } from '../../harness/kube.ts';
import type { CronitorStage } from './stage.ts';
import { endOf, ENV, seconds } from './stage.ts';

/** A run of a CronJob of its own, and what Cronitor is to hear of it. */
export interface RunScenario {
  readonly title: string;
  readonly name: string;
  readonly cronitor?: Readonly<Record<string, string>>;
  readonly pod?: Readonly<Record<string, string>>;
  readonly job?: object;
  readonly states: readonly string[];
  /** More of the last ping. */
  readonly last: object;
}

const text = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const duration = { metric: text(/^duration:\d/) };

/** Scenarios are numbered as in test/replay/cronitor-scenarios.test.ts. */
export const RUNS: readonly RunScenario[] = [
  {
    title: '1 a success is run and complete, in the series of the Job`s UID, at the times of the Job',
    name: 'succeeds',
    states: ['run', 'complete'],
    last: duration,
  },
  {
    title: '2 BackoffLimitExceeded is fail, with the reason and the exit code',
    name: 'fails',
    pod: { exit: '3' },
    job: { backoffLimit: 0 },
    states: ['run', 'fail'],
    last: { ...duration, status_code: '3', message: text(/exited with 3.*BackoffLimitExceeded/) },
  },
  {
    title: '3 an own key is in the path, escaped',
    name: 'own-key',
    cronitor: { key: 'own key+1' },
    states: ['run', 'complete'],
    last: duration,
  },
  {
    title: '4 an annotation env wins over the env of the account, which all others have',
    name: 'staging',
    cronitor: { env: 'staging' },
    states: ['run', 'complete'],
    last: { env: 'staging' },
  },
  {
    title: '5 log-complete-event makes logs of complete',
    name: 'asynchronous',
    cronitor: { 'log-complete-event': 'true' },
    states: ['run', 'logs'],
    last: { message: 'Job asynchronous-1 is completed with status complete' },
  },
  {
    title: '5 log-complete-event leaves a failure as it is',
    name: 'asynchronous-failure',
    cronitor: { 'log-complete-event': 'true' },
    pod: { exit: '1' },
    job: { backoffLimit: 0 },
    states: ['run', 'fail'],
    last: { message: text(/BackoffLimitExceeded/) },
  },
  {
    title: '6 send-pod-start-event is one more run for the pod',
    name: 'with-pods',
    cronitor: { 'send-pod-start-event': 'true' },
    pod: { run: '6s' },
    states: ['run', 'run', 'complete'],
    last: duration,
  },
  {
    title: '13 Never with backoffLimit 2, three pods that fail: one run, one fail',
    name: 'retries',
    pod: { exit: '1' },
    job: { backoffLimit: 2 },
    states: ['run', 'fail'],
    last: { status_code: '1', message: text(/in all 3 attempts.*BackoffLimitExceeded/) },
  },
  {
    title: '14 parallelism 3: one run, one complete',
    name: 'parallel',
    pod: { run: '2s' },
    job: { parallelism: 3, completions: 3 },
    states: ['run', 'complete'],
    last: duration,
  },
  {
    title: '15 activeDeadlineSeconds is fail, with DeadlineExceeded',
    name: 'too-long',
    pod: { run: '600s' },
    job: { activeDeadlineSeconds: 3 },
    states: ['run', 'fail'],
    last: { message: text(/^DeadlineExceeded/) },
  },
];

/** Everything that Cronitor heard of a run, against its Job when it was over. */
export function expectRun(stage: CronitorStage, scenario: RunScenario, owner: KubeObject, over: KubeObject): void {
  const { cronitor = {}, states, last } = scenario;
  const key = cronitor['key'] ?? owner.metadata.uid;
  const pings = stage.pings(over);
  expect(pings.map(({ state }) => state)).toEqual(states);
  for (const { monitor, env } of pings) expect({ monitor, env }).toEqual({ monitor: key, env: cronitor['env'] ?? ENV });
  // The start of its pod, which has a message, may be known before that of the Job.
  const start = pings.find(({ state, message }) => state === 'run' && message === undefined);
  expect(Number(start!.stamp)).toBe(seconds(over.status?.['startTime']));
  expect(Number(pings.at(-1)!.stamp)).toBe(endOf(over));
  expect(pings.at(-1)).toMatchObject(last);
  const path = `/ping/:key/${encodeURIComponent(key)}?`;
  const sent = stage.vendors.requests.filter(({ path }) => path.includes(over.metadata.uid));
  expect(sent.filter((request) => !request.path.startsWith(path))).toEqual([]);
  expect(stage.vendors.cronitor.monitors.get(key)?.name).toBe(`${owner.metadata.namespace}/${scenario.name}`);
}
