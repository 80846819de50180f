import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';
import type { Work } from '../store/work.ts';
import { DESTINATION, HOUR, TestStore } from '../store/testing/test-store.ts';
import type { Dispatcher } from './dispatcher.ts';
import { startDispatcher } from './dispatcher.ts';
import { LateStore, plainDeliverer, startVendor, until } from './fixtures.ts';
import type { Vendor } from './fixtures.ts';

/** Each look at the store wakes its thread and this one, which costs more than what it finds out. */
let t: TestStore;
let store: LateStore;
let vendor: Vendor;
let dispatcher: Dispatcher;

beforeEach(async () => {
  t = new TestStore();
  store = new LateStore(() => t.store);
  vendor = await startVendor();
});
afterEach(async () => {
  await dispatcher.stop(0);
  await vendor.close();
  t.remove();
});

/** Starts loops that nothing but a wake makes look, and waits for their first look. */
async function start(...deliverers: readonly ConfiguredDeliverer[]): Promise<void> {
  dispatcher = startDispatcher({ store, deliverers, clock: { now: () => t.now }, maxAgeMs: HOUR, tickMs: 60_000 });
  await quiet();
}

/** Resolves when nobody asked the store for a while. */
async function quiet(): Promise<void> {
  let [last, same] = ['', 0];
  await until(() => {
    const calls = JSON.stringify(store.calls);
    same = calls === last ? same + 1 : 0;
    last = calls;
    return same === 10;
  });
}

const isDelivered = (key: string) => t.delivery(key)?.status === 'delivered';

it('the store is asked twice for each delivery: it claims it, and settles it', async () => {
  await start(plainDeliverer(DESTINATION, vendor));
  const { claim: before = 0 } = store.calls;
  for (const key of ['a', 'b', 'c']) {
    t.enqueue({ key });
    dispatcher.wake();
    await until(() => isDelivered(key));
    await quiet();
  }
  expect([store.calls['claim'], store.calls['settle']]).toEqual([before + 3, 3]);
});

it('what was claimed is sent also when the store fails right after', async () => {
  const isDue = store.isDue;
  let failures = 1;
  store.isDue = (...args) => (failures-- > 0 ? Promise.reject(new Error('disk broken')) : isDue(...args));
  t.enqueue({ key: 'a' });
  await start(plainDeliverer(DESTINATION, vendor));
  await until(() => isDelivered('a'));
  expect(vendor.seen).toHaveLength(1);
});

it('what becomes due while others are sent is sent after them', async () => {
  await start(plainDeliverer(DESTINATION, vendor));
  const keys = Array.from({ length: 40 }, (_, n) => `key ${n}`);
  t.enqueue(...keys.map((key, n) => ({ key, lane: `lane ${n % 20}` })));
  dispatcher.wake();
  await until(() => keys.every(isDelivered));
  expect(vendor.seen.map(({ path }) => decodeURI(path)).toSorted()).toEqual(keys.toSorted());
});

it('rows that a limit keeps back are sent once what was under way below it is answered', async () => {
  const limit = { key: 'api', perSecond: 1_000, burst: 1 };
  let answer = (): void => undefined;
  const slow = await startVendor(({ url }, response) => {
    if (url === '/slow') answer = () => response.end();
    else response.end();
  });
  t.enqueue({ key: 'slow', limits: [limit] });
  await start(plainDeliverer(DESTINATION, slow, { convergeLimits: [limit] }));
  await until(() => slow.seen.length === 1);
  t.want('row', 1);
  dispatcher.found(t.store.takeWork()!);
  await quiet();
  answer();
  await until(() => (t.now++, slow.seen.length === 2));
  expect(slow.seen.map(({ path }) => path)).toEqual(['slow', 'row']);
  await slow.close();
});

describe('a commit makes ask', () => {
  const NOTHING = {
    intents: new Set<string>(),
    desired: new Set<string>(),
    journal: false,
    logs: false,
    events: false,
    sweep: false,
  };
  const journal = { batch: 10, limits: [], export: () => Promise.resolve<Delivery>({ outcome: 'delivered' }) };
  const ONE = new Set([DESTINATION]);

  /** How often each method was called for what was found. */
  async function asked(work: Partial<Work>): Promise<Record<string, number>> {
    const before = { ...store.calls };
    dispatcher.found({ ...NOTHING, ...work });
    await quiet();
    const calls = Object.entries(store.calls).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
    return Object.fromEntries(calls.filter(([, count]) => count > 0));
  }

  it.each<[string, Partial<Work>, Record<string, number>]>([
    ['for intents of one destination, that one for intents', { intents: ONE }, { claim: 1, isDue: 1 }],
    ['for desired rows of one destination, that one for rows', { desired: ONE }, { claimDesired: 1 }],
    ['that added to the journal, those who follow it for the journal', { journal: true }, { claimJournal: 1 }],
    [
      'for a destination that is not configured, nobody',
      { intents: new Set(['left']), desired: new Set(['left']) },
      {},
    ],
    ['of which only logs are to be read, nobody', { logs: true }, {}],
  ])('%s', async (_name, work, calls) => {
    await start(plainDeliverer(DESTINATION, vendor), plainDeliverer('toy/follower', vendor, { journal }));
    expect(await asked(work)).toEqual(calls);
  });
});

it('what a settlement lets go is sent without another commit', async () => {
  t.want('row', 1);
  t.enqueue({ key: 'first', lane: 'l', waitsFor: 'row' }, { key: 'second', lane: 'l' });
  await start(plainDeliverer(DESTINATION, vendor));
  await until(() => isDelivered('second'));
  expect(vendor.seen.map(({ path }) => path)).toEqual(['row', 'first', 'second']);
});
