import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';
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
  dispatcher.committed(true);
  await quiet();
  answer();
  await until(() => (t.now++, slow.seen.length === 2));
  expect(slow.seen.map(({ path }) => path)).toEqual(['slow', 'row']);
  await slow.close();
});

it('after a commit that left nothing to send nobody asks, unless it follows the journal', async () => {
  const journal = { batch: 10, limits: [], export: () => Promise.resolve<Delivery>({ outcome: 'delivered' }) };
  await start(plainDeliverer(DESTINATION, vendor), plainDeliverer('toy/follower', vendor, { journal }));
  const { claim: before = 0, claimJournal: followed = 0 } = store.calls;
  dispatcher.committed(false);
  await quiet();
  expect([store.calls['claim'], store.calls['claimJournal']]).toEqual([before + 1, followed + 1]);
  dispatcher.committed(true);
  await quiet();
  expect([store.calls['claim'], store.calls['claimJournal']]).toEqual([before + 3, followed + 2]);
});
