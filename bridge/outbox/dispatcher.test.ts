import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfiguredDeliverer, Deliverer, Delivery } from '../sinks/sink.ts';
import { DESTINATION, HOUR, MINUTE, SECOND, T0, TestStore } from '../store/testing/test-store.ts';
import type { Dispatcher, DispatcherOptions } from './dispatcher.ts';
import { startDispatcher } from './dispatcher.ts';
import { LateStore, plainDeliverer, startVendor, until } from './fixtures.ts';
import type { Vendor } from './fixtures.ts';

let t: TestStore;
let store: LateStore;
let vendor: Vendor;
let dispatcher: Dispatcher | undefined;
const vendors: Vendor[] = [];
const errors: unknown[] = [];
/** Longer than any test: only `wake` makes the loop look. */
const NEVER = 60_000;

beforeEach(async () => {
  t = new TestStore();
  store = new LateStore(() => t.store);
  errors.length = 0;
  vendor = await addVendor();
});
afterEach(async () => {
  await dispatcher?.stop(0);
  dispatcher = undefined;
  await Promise.all(vendors.splice(0).map((vendor) => vendor.close()));
  t.remove();
});

async function addVendor(...args: Parameters<typeof startVendor>): Promise<Vendor> {
  const vendor = await startVendor(...args);
  vendors.push(vendor);
  return vendor;
}

function start(deliverers: readonly ConfiguredDeliverer[], more: Partial<DispatcherOptions> = {}): Dispatcher {
  dispatcher = startDispatcher({
    store,
    deliverers,
    clock: { now: () => t.now },
    maxAgeMs: 24 * HOUR,
    random: () => 0,
    onError: (error) => errors.push(error),
    tickMs: 5,
    ...more,
  });
  return dispatcher;
}

/** Resolves when nobody asked the store for a while. */
async function quiet(): Promise<void> {
  let last = '';
  let same = 0;
  await until(() => {
    const calls = JSON.stringify(store.calls);
    same = calls === last ? same + 1 : 0;
    last = calls;
    return same === 10;
  });
}

const status = (key: string) => t.delivery(key)?.status;
const paths = (vendor: Vendor) => vendor.seen.map(({ path }) => path);

describe('sending', () => {
  it('keeps the order of a lane and sends each intent once', async () => {
    t.enqueue(...['a1', 'a2', 'a3', 'b1', 'b2'].map((key) => ({ key, lane: key[0]! })));
    start([plainDeliverer(DESTINATION, vendor)]);
    await until(() => status('a3') === 'delivered' && status('b2') === 'delivered');
    expect(paths(vendor).filter((path) => path.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(paths(vendor).filter((path) => path.startsWith('b'))).toEqual(['b1', 'b2']);
  });

  it('begins when it is woken and does nothing while idle', async () => {
    const dispatcher = start([plainDeliverer(DESTINATION, vendor)], { tickMs: NEVER });
    await quiet();
    t.enqueue({ key: 'a' });
    dispatcher.wake();
    await until(() => status('a') === 'delivered');
    await quiet();
    expect(store.calls['claim']).toBeLessThan(8);
    expect(store.calls).toMatchObject({ settle: 1, sweep: 1 });
  });

  it('of several without limits is one call, as many as the sink takes', async () => {
    const sizes: number[] = [];
    const deliver: Deliverer['deliver'] = (batch) => {
      sizes.push(batch.length);
      return Promise.resolve(batch.map(() => ({ outcome: 'delivered' })));
    };
    t.enqueue(...['a', 'b', 'c', 'd', 'e'].map((key) => ({ key })));
    start([plainDeliverer(DESTINATION, vendor, { deliver, batch: { intents: 2, desired: 1 } })]);
    await until(() => t.reader.receiptCounts()[0]?.count === 5);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('has at most 16 in flight', async () => {
    const silent = await addVendor(() => {});
    t.enqueue(...Array.from({ length: 40 }, (_, n) => ({ key: `k${n}` })));
    start([plainDeliverer(DESTINATION, silent)]);
    await until(() => silent.seen.length === 16 && store.calls['sweep'] === 1);
    expect(t.reader.deliveries({ limit: 100, status: 'sending' }).items).toHaveLength(16);
  });

  it('to one vendor goes on while another never answers', async () => {
    const silent = await addVendor(() => {});
    const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
    t.enqueue(...keys.map((key) => ({ key })));
    t.store.transaction((tx) => {
      for (const key of keys) tx.timeline.enqueue('silent', 't', { key, lane: key, payload: null, limits: [] }, t.now);
    });
    start([plainDeliverer('silent', silent), plainDeliverer(DESTINATION, vendor)]);
    await until(() => t.reader.receiptCounts()[0]?.count === 40);
    expect(vendor.seen).toHaveLength(40);
  });

  it('never shows the vendor more than the limit in any second, and slows no other key', async () => {
    const limited = (name: string) => ({ limits: [{ key: name, perSecond: 5 }] });
    t.enqueue(...Array.from({ length: 13 }, (_, n) => ({ key: `m${n}`, ...limited('m') })));
    t.enqueue(...Array.from({ length: 4 }, (_, n) => ({ key: `n${n}`, ...limited('n') })));
    start([plainDeliverer(DESTINATION, vendor)], { clock: { now: () => T0 + performance.now() } });
    await until(() => t.reader.receiptCounts()[0]?.count === 17);
    const at = (name: string) => vendor.seen.filter(({ path }) => path.startsWith(name)).map(({ at }) => at);
    const m = at('m');
    expect(
      m
        .slice(5)
        .map((time, index) => time - m[index]!)
        .filter((gap) => gap < 1000),
    ).toEqual([]);
    expect(at('n').at(-1)).toBeLessThan(m[7]!);
  });
});

describe('a failure', () => {
  it('is tried again with backoff, under the same attempt count as the store`s', async () => {
    let failing = true;
    const flaky = await addVendor((_, response) => response.writeHead(failing ? 500 : 200).end());
    t.enqueue({ key: 'a' });
    start([plainDeliverer(DESTINATION, flaky)]);
    await until(() => t.delivery('a').nextAt === T0 + 500);
    t.now += 500;
    await until(() => t.delivery('a').nextAt === T0 + 1500);
    expect(t.delivery('a')).toMatchObject({ reason: 'server_error', detail: 'HTTP 500', attempts: 2 });
    failing = false;
    t.now += SECOND;
    await until(() => status('a') === 'delivered');
    expect(flaky.seen).toHaveLength(3);
  });

  it('of the sink itself is tried again, reported without its message, and stops nothing else', async () => {
    const deliver: Deliverer['deliver'] = async ([intent]) => {
      if (intent!.key === 'throws') throw new TypeError('https://user:secret@host');
      if (intent!.key === 'none') return [undefined as never];
      if (intent!.key === 'odd') return [{ outcome: 'drop', reason: 'whatever' as never }];
      if (intent!.key === 'hold') return [{ outcome: 'retry', reason: 'rate_limited', hold: {} as never }];
      if (intent!.key === 'detail') return [{ outcome: 'drop', reason: 'bad_request', detail: 5 as never }];
      return intent!.key === 'short' ? [] : [{ outcome: 'delivered' }];
    };
    const bad = ['none', 'odd', 'hold', 'detail'];
    t.enqueue(...['throws', ...bad, 'short', 'fine'].map((key) => ({ key })));
    start([plainDeliverer(DESTINATION, vendor, { deliver })]);
    await until(() => status('fine') === 'delivered' && t.delivery('short').nextAt === T0 + 500);
    expect(t.delivery('throws')).toMatchObject({
      status: 'pending',
      reason: 'bad_answer',
      detail: 'the sink threw TypeError',
      unknownOutcomes: 1,
    });
    expect(t.delivery('short').detail).toBe('the sink gave 0 answers for 1 rows');
    for (const key of bad)
      expect(t.delivery(key)).toMatchObject({ status: 'pending', detail: 'the sink gave an answer that is none' });
    expect(String(errors)).not.toContain('secret');
    expect(errors).toHaveLength(6);
  });

  it('to write the outcome is tried again; the vendor sees nothing twice', async () => {
    store.failures = 3;
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    start([plainDeliverer(DESTINATION, vendor)]);
    await until(() => status('b') === 'delivered');
    expect(paths(vendor)).toEqual(['a', 'b']);
    expect(String(errors[0])).toContain('disk full');
  });

  it('for longer than the maximum age ends as expired', async () => {
    const broken = await addVendor((_, response) => response.writeHead(500).end());
    t.enqueue({ key: 'a' });
    start([plainDeliverer(DESTINATION, broken)]);
    await until(() => t.delivery('a').attempts === 1 && status('a') === 'pending');
    t.now += 24 * HOUR + 1;
    // A sweep may meet it in flight: the next one is ten seconds later.
    await until(() => {
      t.now += MINUTE;
      return status('a') === 'dropped';
    });
    expect(t.delivery('a')).toMatchObject({ reason: 'expired', detail: 'server_error: HTTP 500' });
  });
});

describe('desired state', () => {
  it('converges, and lets go what waited for it', async () => {
    const settled: [string, string, Delivery['outcome']][] = [];
    t.want('m', 1);
    t.enqueue({ key: 'run', waitsFor: 'm' });
    start([plainDeliverer(DESTINATION, vendor)], {
      onSettled: (destination, { outcome }, what) => settled.push([destination, what, outcome]),
    });
    await until(() => status('run') === 'delivered' && settled.length === 2);
    expect(paths(vendor)).toEqual(['m', 'run']);
    expect(settled).toEqual([
      [DESTINATION, 'desired', 'delivered'],
      [DESTINATION, 'intent', 'delivered'],
    ]);
    expect(t.row('m').inSync).toBe(true);
  });

  it('is tried again with backoff', async () => {
    const broken = await addVendor((_, response) => response.writeHead(500).end());
    t.want('m', 1);
    start([plainDeliverer(DESTINATION, broken)]);
    await until(() => t.row('m').reason === 'server_error');
    t.now += 499;
    expect(t.claimRows()).toEqual([]);
    t.now += 1;
    await until(() => broken.seen.length === 2);
  });

  it('and intents are not sent in a dry run: intents are settled, rows are left as they are', async () => {
    t.want('m', 1);
    t.enqueue({ key: 'run', lane: 'l', waitsFor: 'm' }, { key: 'complete', lane: 'l', waitsFor: 'm' });
    start([plainDeliverer(DESTINATION, vendor, { dryRun: true })], { tickMs: NEVER });
    await until(() => t.delivery('complete').reason === 'dry_run');
    expect(t.delivery('run')).toMatchObject({ status: 'dropped', reason: 'dry_run' });
    expect(t.row('m')).toMatchObject({ inSync: false, attempts: 0, firstAcceptedAt: undefined });
    expect(vendor.seen).toEqual([]);
    expect(store.calls['claimDesired']).toBeUndefined();
  });
});

describe('stop', () => {
  it('lets what is in flight end within the grace time, and starts nothing more', async () => {
    const held: (() => void)[] = [];
    const slow = await addVendor((_, response) => held.push(() => response.end()));
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    const dispatcher = start([plainDeliverer(DESTINATION, slow)]);
    await until(() => held.length === 1);
    const stopped = dispatcher.stop(MINUTE);
    held[0]!();
    await stopped;
    expect([status('a'), status('b')]).toEqual(['delivered', 'pending']);
    const claims = store.calls['claim'];
    dispatcher.wake();
    await quiet();
    expect([slow.seen.length, store.calls['claim']]).toEqual([1, claims]);
  });

  it('interrupts what takes longer: it is due at the next start, and its outcome is unknown', async () => {
    const silent = await addVendor(() => {});
    const deaf: Deliverer['deliver'] = () => new Promise(() => {});
    t.enqueue({ key: 'a' });
    t.want('m', 1);
    const dispatcher = start([
      plainDeliverer(DESTINATION, silent, { deliver: deaf }),
      plainDeliverer('other', silent, { deliver: deaf }),
    ]);
    await until(() => silent.seen.length === 1 && status('a') === 'sending');
    await dispatcher.stop(20);
    expect(t.delivery('a')).toMatchObject({
      status: 'pending',
      reason: 'shutting_down',
      unknownOutcomes: 1,
      nextAt: t.now,
    });
    expect(t.claimRows()).toMatchObject([{ key: 'm' }]);
  });

  it('gives back what was claimed but waits for a limit', async () => {
    const address = { key: 'address', perSecond: 0.1 };
    const limits = (key: string) => [{ key, perSecond: 5 }, address];
    t.enqueue({ key: 'a', limits: limits('m') }, { key: 'b', limits: limits('n') });
    const dispatcher = start([plainDeliverer(DESTINATION, vendor)]);
    await until(() => status('a') === 'delivered');
    expect(status('b')).toBe('sending');
    await dispatcher.stop(0);
    expect(t.delivery('b')).toMatchObject({ status: 'pending', reason: 'shutting_down', unknownOutcomes: 0 });
    expect(paths(vendor)).toEqual(['a']);
  });

  it('does not hang when outcomes cannot be written: they are unknown at the next start', async () => {
    store.failures = Infinity;
    t.enqueue({ key: 'a' });
    const dispatcher = start([plainDeliverer(DESTINATION, vendor)], { tickMs: NEVER });
    await until(() => errors.length > 0);
    await dispatcher.stop(0);
    t.restart();
    expect(t.delivery('a')).toMatchObject({ status: 'pending', reason: 'answer_lost', unknownOutcomes: 1 });
  });
});
