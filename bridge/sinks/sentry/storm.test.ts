import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, podFacts, T0, terminated } from '../../../test/fixtures/facts.ts';
import { Sentry } from '../../../test/vendors/sentry.ts';
import { SENTRY_KEY } from '../../../test/vendors/start-vendors.ts';
import { TestEngine } from '../../ingest/test-engine.ts';
import { withNeeded } from '../../kubernetes/followed.ts';
import type { PodFacts } from '../../kubernetes/observation.ts';
import type { Async } from '../../lib/async.ts';
import type { Dispatcher } from '../../outbox/dispatcher.ts';
import { startDispatcher } from '../../outbox/dispatcher.ts';
import type { OutboxStore } from '../../store/outbox-store.ts';
import type { Http } from '../http.ts';
import { sentrySchema } from './config.ts';
import { createSentryDeliverer } from './deliver.ts';
import { sentry } from './module.ts';
import { READS } from './plan.ts';

const PODS = 10_000;
const WORKLOADS = 100;
const BATCH = 500;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const STEP = 3 * SECOND;
const BUDGET = 300;
/** What the project takes in a minute. */
const QUOTA = 100;
const MiB = 1024 * 1024;

const config = sentrySchema.parse({ dsn: `https://${SENTRY_KEY}@sentry.test/1`, shipLogs: false });
const world = { clusterId: 'c1', clusterName: 'production', pageUrl: undefined, siblings: 1 };

let now: number;
let bridge: TestEngine;
let vendor: Sentry;
let dispatcher: Dispatcher;
/** When the vendor was asked, and its answer. */
let answers: { readonly at: number; readonly status: number }[];

/** The simulated Sentry on the clock of the test; its quota is used up each minute. */
const http: Http = {
  request({ method, url, headers = {}, body = '' }) {
    const bytes = Buffer.from(body);
    const request = { method, url: new URL(url), headers, body: bytes.toString(), bytes, at: now, remoteAddress: '' };
    const { status, headers: more = {}, body: text } = vendor.handle(request)!;
    answers.push({ at: now, status });
    const since = now - (now % MINUTE);
    if (vendor.events.filter(({ at }) => at >= since).length >= QUOTA) vendor.limit('error', since + MINUTE);
    return Promise.resolve({ kind: 'answer', status, headers: more, body: text, complete: true });
  },
  close: () => Promise.resolve(),
};

beforeEach(() => {
  now = T0 + MINUTE;
  answers = [];
  vendor = new Sentry([SENTRY_KEY]);
  const planner = sentry.planner('default', config, world);
  bridge = new TestEngine({ planners: [planner], cutoff: T0 - 1, engine: { kinds: withNeeded(READS.kinds) } });
  const clock = { now: () => now };
  const store = new Proxy(bridge.store, {
    get:
      (target, name: keyof OutboxStore) =>
      (...args: never[]) =>
        Promise.resolve(Reflect.apply(target[name], target, args)),
  }) as unknown as Async<OutboxStore>;
  const deliverers = [{ ...createSentryDeliverer('default', config, http, clock), dryRun: false }];
  dispatcher = startDispatcher({ store, deliverers, clock, maxAgeMs: 24 * 60 * MINUTE, tickMs: 2 });
});
afterEach(async () => {
  await dispatcher.stop(0);
  bridge.close();
});

function failing(n: number): PodFacts {
  const workload = `web-${n % WORKLOADS}`;
  return podFacts({
    uid: `pod-${n}`,
    name: `${workload}-5d9c-${n}`,
    labels: { 'pod-template-hash': '5d9c' },
    owner: { group: 'apps', kind: 'ReplicaSet', name: `${workload}-5d9c`, uid: `rs-${workload}` },
    phase: 'Running',
    restartPolicy: 'Always',
    startAt: T0,
    nodeName: `node-${n % 50}`,
    containers: [container({ restartCount: 1, lastTerminated: terminated(1, now) })],
  });
}

/** What lives on the heap. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** The clock runs, some seconds every few milliseconds. */
async function pass(ms: number): Promise<void> {
  const until = now + ms;
  while (now < until) {
    now += STEP;
    if (now % (15 * SECOND) === 0) bridge.tick(now);
    dispatcher.wake();
    await sleep(4);
  }
}

function digests(): readonly (string | undefined)[] {
  return vendor.events
    .filter(({ event }) => event.logger === 'lifecycle-bridge.storm')
    .map(({ event }) => event.message);
}

describe('ten thousand pods that fail within a minute', () => {
  it('are as many events as the budget has and one digest of the others, within the quota of the project', async () => {
    const before = heap();
    for (let n = 0; n < PODS; n += BATCH) {
      const pods = Array.from({ length: BATCH }, (_, more) => failing(n + more));
      bridge.take(
        pods.map((facts) => ({ facts, deleted: false, observedAt: now })),
        now,
      );
      await pass((MINUTE * BATCH) / PODS);
    }
    await pass(8 * MINUTE);
    expect(heap() - before).toBeLessThan(16 * MiB);

    expect(vendor.violations).toEqual([]);
    expect(vendor.duplicates).toEqual([]);
    expect(vendor.events).toHaveLength(BUDGET + 1);
    const refused = answers.filter(({ status }) => status === 429);
    // Those that were on their way.
    expect(refused.length).toBeLessThan(20 * (BUDGET / QUOTA));

    const [digest = '', ...more] = digests();
    expect(more).toEqual([]);
    const [head, ...lines] = digest.split('\n');
    expect(head).toBe(`${PODS - BUDGET} more events in 5 minutes: not sent one by one`);
    expect(lines[0]).toMatch(/^\d+ × Error of Deployment shop\/web-\d+$/);
    expect(lines.at(-1)).toMatch(/^\d+ × others$/);
    expect(lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0)).toBe(PODS - BUDGET);
    expect(vendor.discarded).toEqual([{ reason: 'queue_overflow', category: 'error', quantity: PODS - BUDGET }]);
    expect(bridge.reader.dropCounts()).toContainEqual({ kind: 'decision', reason: 'storm', count: PODS - BUDGET });
    expect(bridge.takePlannerFailures()).toEqual([]);
  });
});
