import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';
import { DESTINATION, HOUR, TestStore } from '../store/testing/test-store.ts';
import { startDispatcher } from './dispatcher.ts';
import type { Dispatcher } from './dispatcher.ts';
import { LateStore, plainDeliverer, startVendor, until } from './fixtures.ts';
import type { Vendor } from './fixtures.ts';

let t: TestStore;
let vendor: Vendor;
let dispatcher: Dispatcher | undefined;

beforeEach(async () => {
  t = new TestStore();
  vendor = await startVendor();
});
afterEach(async () => {
  await dispatcher?.stop(0);
  await vendor.close();
  t.remove();
});

/** The rows of each call, which wait for `release`. */
function held(convergeAtOnce: number | undefined): { readonly calls: string[][]; readonly release: () => void } {
  const calls: string[][] = [];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const more: Partial<ConfiguredDeliverer> = {
    ...(convergeAtOnce !== undefined && { convergeAtOnce }),
    async converge(rows): Promise<Delivery[]> {
      calls.push(rows.map(({ key }) => key));
      await released;
      return rows.map(() => ({ outcome: 'delivered' }));
    },
  };
  dispatcher = startDispatcher({
    store: new LateStore(() => t.store),
    deliverers: [{ ...plainDeliverer(DESTINATION, vendor), ...more }],
    clock: { now: () => t.now },
    maxAgeMs: 24 * HOUR,
    tickMs: 5,
  });
  return { calls, release: () => release() };
}

describe('rows that change while others are converged', () => {
  it('wait where one call is made at a time', async () => {
    t.want('a', 1);
    const { calls, release } = held(undefined);
    await until(() => calls.length === 1);
    t.want('b', 1);
    dispatcher!.wake();
    release();
    await until(() => calls.length === 2 && t.row('b').inSync);
    expect(calls).toEqual([['a'], ['b']]);
  });

  it('go meanwhile where two are, and the same row is in one of them only', async () => {
    t.want('a', 1);
    const { calls, release } = held(2);
    await until(() => calls.length === 1);
    t.want('a', 2);
    t.want('b', 1);
    await until(() => calls.length === 2);
    t.want('c', 1);
    release();
    await until(() => ['a', 'b', 'c'].every((key) => t.row(key).inSync));
    expect(calls.slice(0, 2)).toEqual([['a'], ['b']]);
    expect(calls.slice(2).flat().toSorted()).toEqual(['a', 'c']);
  });
});
