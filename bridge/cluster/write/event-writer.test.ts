import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kind } from '../../kubernetes/observation.ts';
import type { Problem } from '../../store/problems.ts';
import { HOUR, TestStore } from '../../store/testing/test-store.ts';
import type { KubeApi } from '../api.ts';
import type { EventResult } from './post-event.ts';
import { startEventWriter } from './event-writer.ts';
import { FakeApi } from '../fake-api.ts';

let fake: FakeApi;
let api: KubeApi;
let test: TestStore;
let results: EventResult[];
let isOurs: boolean;
let stop: () => Promise<void> = () => Promise.resolve();

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  test = new TestStore();
  results = [];
  isOurs = true;
});
afterEach(async () => {
  await stop();
  await fake.stop();
  test.remove();
});

const POSTS = '/apis/events.k8s.io/v1/namespaces/shop/events';
const problem: Problem = {
  annotation: 'k8s.cronitor.io/exclude',
  value: 'yes',
  allowed: 'true or false',
  used: 'no answer',
  destinations: ['cronitor/default'],
};

function found(uid: string, namespace = 'shop', kind: Kind = 'CronJob'): void {
  test.store.transaction((tx) => tx.problems.set({ kind, uid, namespace, name: `report-${uid}` }, [problem], test.now));
}

function start(): void {
  const writer = startEventWriter({
    api,
    store: {
      dueEvents: (limit, now) => Promise.resolve(test.store.dueEvents(limit, now)),
      settleEvents: (settled, now) => Promise.resolve(test.store.settleEvents(settled, now)),
    },
    clock: { now: () => test.now },
    isOurs: () => Promise.resolve(isOurs),
    onResult: (result) => results.push(result),
    onError: (error) => expect.fail(String(error)),
    tickMs: 1,
    idleMs: 1,
  });
  stop = () => writer.stop();
}

const outcomes = (): string[] => results.map(({ result }) => result);
const untilResults = (count: number) => expect.poll(() => results.length).toBe(count);
/** Two more rounds begin and end without anything written. */
async function twoRounds(): Promise<void> {
  const due = test.store.dueEvents.bind(test.store);
  let rounds = 0;
  test.store.dueEvents = (limit, now) => (rounds++, due(limit, now));
  await expect.poll(() => rounds).toBeGreaterThanOrEqual(3);
}

describe('an Event', () => {
  it('is written once per CronJob and set of problems, over restarts', async () => {
    found('a');
    found('b');
    start();
    await untilResults(2);
    await stop();
    test.restart();
    start();
    await twoRounds();
    expect(outcomes()).toEqual(['written', 'written']);
    expect([...fake.created.values()].map(({ regarding }) => regarding)).toEqual([
      expect.objectContaining({ kind: 'CronJob', uid: 'a', namespace: 'shop' }),
      expect.objectContaining({ kind: 'CronJob', uid: 'b' }),
    ]);
  });

  it('whose answer was lost is there already when it is tried again, which is as good', async () => {
    found('a');
    const lose = (path: string) => {
      fake.created.set(`${POSTS}/${name()}`, { metadata: { name: name(), namespace: 'shop' } });
      return path === POSTS ? ('reset' as const) : undefined;
    };
    const name = (): string => `report-a.${test.store.dueEvents(1, test.now)[0]!.setHash.slice(0, 16)}`;
    fake.intercept = lose;
    start();
    await untilResults(1);
    fake.intercept = () => undefined;
    test.now += HOUR;
    await untilResults(2);
    expect(outcomes()).toEqual(['unreachable', 'written']);
    expect(fake.created.size).toBe(1);
  });

  it('regards an object of any kind; what is in no namespace has its Events in default', async () => {
    found('a', 'shop', 'Deployment');
    found('b', '', 'Node');
    start();
    await untilResults(2);
    expect([...fake.created.values()].map(({ regarding, metadata }) => [metadata.namespace, regarding])).toEqual([
      ['shop', { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'report-a', uid: 'a' }],
      ['default', { apiVersion: 'v1', kind: 'Node', name: 'report-b', uid: 'b' }],
    ]);
  });

  it('that the API puts off is not tried before', async () => {
    found('a');
    fake.intercept = () => ({ status: 429, body: 'Too many requests', headers: { 'retry-after': '120' } });
    start();
    await untilResults(1);
    expect(results).toEqual([{ result: 'refused', error: 'the Kubernetes API answered 429', afterMs: 120_000 }]);
    fake.intercept = () => undefined;
    test.now += 119_000;
    await twoRounds();
    expect(results).toHaveLength(1);
    test.now += 1_000;
    await untilResults(2);
  });

  it('that may not be written is tried again an hour later, and stands in nobody’s way', async () => {
    found('a', 'locked');
    found('b');
    fake.intercept = (path) => (path.includes('locked') ? { status: 403, body: { message: 'no' } } : undefined);
    start();
    await untilResults(2);
    test.now += HOUR - 1;
    await twoRounds();
    expect(results).toMatchObject([{ result: 'forbidden', error: 'no' }, { result: 'written' }]);
    fake.intercept = () => undefined;
    test.now += 1;
    await untilResults(3);
    expect(fake.created.size).toBe(2);
  });

  it('that the API refuses waits for its next try, and none is forgotten', async () => {
    for (const uid of ['a', 'b', 'c']) found(uid);
    fake.intercept = () => ({ status: 500, body: { message: 'etcd is away' } });
    start();
    await untilResults(3);
    await twoRounds();
    expect(results.every((result) => result.result === 'refused' && result.error === 'etcd is away')).toBe(true);
    fake.intercept = () => undefined;
    test.now += HOUR;
    await untilResults(6);
    expect(fake.created.size).toBe(3);
  });

  it('is not written before it is known that this is the cluster of the store', async () => {
    found('a');
    isOurs = false;
    start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(fake.requests).toEqual([]);
    isOurs = true;
    await untilResults(1);
  });
});
