import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Transition } from '../lifecycle/transition.ts';
import { deliveryFor } from '../sinks/delivery.ts';
import { createHttp } from '../sinks/http.ts';
import type { ConfiguredDeliverer, Delivery, JournalEntry, Limit } from '../sinks/sink.ts';
import { DESTINATION, HOUR, MINUTE, SECOND, TestStore } from '../store/testing/test-store.ts';
import type { Dispatcher } from './dispatcher.ts';
import { startDispatcher } from './dispatcher.ts';
import { LateStore, plainDeliverer, startVendor, until } from './fixtures.ts';
import type { Vendor } from './fixtures.ts';

let t: TestStore;
let store: LateStore;
let vendor: Vendor;
let dispatcher: Dispatcher | undefined;
/** The ids that each request brought. */
let requests: string[][];
/** What the vendor answers next, by default 200. */
let statuses: number[];
let retryAfter: string | undefined;
const settled: Delivery[] = [];
const http = createHttp();

beforeEach(async () => {
  t = new TestStore();
  t.store.cutoff(DESTINATION, t.now);
  t.know('r');
  store = new LateStore(() => t.store);
  [requests, statuses, retryAfter] = [[], [], undefined];
  settled.length = 0;
  vendor = await startVendor((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      requests.push(JSON.parse(text) as string[]);
      const status = statuses.shift() ?? 200;
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
    });
  });
});

afterEach(async () => {
  await dispatcher?.stop(0);
  dispatcher = undefined;
  await vendor.close();
  t.remove();
});

/** A sink that posts the ids of what it follows. */
function follower(
  more: Partial<ConfiguredDeliverer> = {},
  batch = 3,
  limits: readonly Limit[] = [],
): ConfiguredDeliverer {
  const post = async (entries: readonly JournalEntry[], signal: AbortSignal): Promise<Delivery> => {
    const body = JSON.stringify(entries.map((entry) => ('event' in entry ? entry.event.uid : entry.transition.id)));
    const result = await http.request({
      method: 'POST',
      url: vendor.url,
      body,
      headers: {},
      signal,
      timeoutMs: 30_000,
    });
    const refused = () => ({ outcome: 'drop', reason: 'bad_request' }) as const;
    return deliveryFor(result, { now: t.now, limitKey: 'lines', addressKey: 'address', refused });
  };
  return plainDeliverer(DESTINATION, vendor, { journal: { batch, limits, export: post }, ...more });
}

function start(deliverer: ConfiguredDeliverer, tickMs = 5): void {
  dispatcher = startDispatcher({
    store,
    deliverers: [deliverer],
    clock: { now: () => t.now },
    maxAgeMs: 24 * HOUR,
    random: () => 0,
    onSettled: (_, delivery, what) => (expect(what).toBe('journal'), settled.push(delivery)),
    tickMs,
  });
}

function commit(...ids: string[]): void {
  const about = { kind: 'Job', namespace: 'shop', name: 'r', uid: 'r' } as const;
  const made = ids.map((id): Transition => ({ id, kind: 'run.started', at: t.now, about, runUid: 'r', text: id }));
  t.store.transaction((tx) => made.forEach((transition) => tx.timeline.add(transition, t.now)));
}

const receipts = () => Object.fromEntries(t.reader.receiptCounts().map(({ reason, count }) => [reason, count]));
const total = () => Object.values(receipts()).reduce((sum, count) => sum + count, 0);

describe('a destination that follows the journal', () => {
  it('is sent everything in order, in batches, one after the other', async () => {
    commit('a', 'b', 'c', 'd', 'e');
    start(follower());
    await until(() => total() === 5);
    expect(requests).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    commit('f');
    dispatcher!.wake();
    await until(() => total() === 6);
    expect(requests.at(-1)).toEqual(['f']);
    expect(receipts()).toEqual({ delivered: 6 });
  });

  it('does nothing while nothing is committed', async () => {
    start(follower(), 60_000);
    await until(() => (store.calls['claimJournal'] ?? 0) > 0);
    commit('a');
    dispatcher!.wake();
    await until(() => total() === 1);
    expect(store.calls['claimJournal']).toBeLessThan(6);
    expect(store.calls['settleJournal']).toBe(1);
  });

  it('looks again by itself whether the run came that its next entry waits for, at most twice a second', async () => {
    const about = { kind: 'Pod', namespace: 'shop', name: 'p', uid: 'p' } as const;
    const made: Transition = { id: 'a', kind: 'attempt.started', at: t.now, about, runUid: 'late', text: 'a' };
    t.store.transaction((tx) => tx.timeline.add(made, t.now));
    start(follower(), 60_000);
    await until(() => (store.calls['claimJournal'] ?? 0) >= 2);
    expect([requests, t.reader.journals()]).toMatchObject([[], [{ waiting: 1, attempts: 0, nextAt: undefined }]]);
    t.know('late');
    await until(() => total() === 1);
    expect(store.calls['claimJournal']).toBeLessThan(20);
    expect(requests).toEqual([['a']]);
  });

  it('is sent the same batch again after a failure, then goes on', async () => {
    statuses = [500, 500];
    commit('a', 'b');
    start(follower());
    await until(() => requests.length === 1 && settled.length === 1);
    commit('c');
    t.now += 2 * SECOND;
    await until(() => settled.length === 2);
    t.now += 5 * SECOND;
    await until(() => total() === 3);
    expect(requests).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b'], ['c']]);
    expect(receipts()).toEqual({ delivered: 3 });
  });

  it('waits as long as the vendor asks for, without a try being counted', async () => {
    [statuses, retryAfter] = [[429], '90'];
    commit('a');
    start(follower({}, 3, [{ key: 'lines', perSecond: 10 }]));
    await until(() => settled.length === 1);
    t.now += 89 * SECOND;
    dispatcher!.wake();
    await until(() => (store.calls['claimJournal'] ?? 0) > 5);
    expect(requests).toHaveLength(1);
    expect(t.reader.journals()).toMatchObject([{ waiting: 1, attempts: 0, reason: 'rate_limited' }]);
    retryAfter = undefined;
    t.now += SECOND;
    await until(() => total() === 1);
  });

  it('whose answer is lost is sent the batch again, and the receipt says so', async () => {
    statuses = [0];
    commit('a', 'b');
    start(follower());
    await until(() => settled.length === 1);
    t.now += MINUTE;
    await until(() => total() === 2);
    expect(receipts()).toEqual({ delivered_again: 2 });
  });

  it('loses one line to a refusal of that line, and no other', async () => {
    commit('a', 'b', 'c', 'd');
    start(follower({}, 4));
    statuses = [400, 200, 400, 200, 400];
    await until(() => total() === 4);
    expect(requests).toEqual([['a', 'b', 'c', 'd'], ['a', 'b'], ['c', 'd'], ['c'], ['d']]);
    expect(receipts()).toEqual({ delivered: 3, bad_request: 1 });
  });

  it('in a dry run is sent nothing, and everything is counted', async () => {
    commit('a', 'b', 'c', 'd');
    start(follower({ dryRun: true }));
    await until(() => total() === 4);
    expect(requests).toEqual([]);
    expect(receipts()).toEqual({ dry_run: 4 });
  });

  it('that throws is asked again, and nothing is lost', async () => {
    let throws = true;
    const { journal } = follower();
    const failing: NonNullable<typeof journal>['export'] = (entries, signal) => {
      if (!throws) return journal!.export(entries, signal);
      throw new Error('a mistake of ours');
    };
    commit('a');
    start(follower({ journal: { ...journal!, export: failing } }));
    await until(() => settled.length === 1);
    expect(settled[0]).toMatchObject({ outcome: 'retry', reason: 'bad_answer' });
    throws = false;
    t.now += MINUTE;
    await until(() => total() === 1);
    expect(requests).toEqual([['a']]);
  });

  it('is sent after the next start what a stop interrupted', async () => {
    let isAsked = false;
    const { journal } = follower();
    const silent: NonNullable<typeof journal>['export'] = () => {
      isAsked = true;
      return new Promise(() => undefined);
    };
    commit('a', 'b');
    start(follower({ journal: { ...journal!, export: silent } }));
    await until(() => isAsked);
    await dispatcher!.stop(0);
    t.restart();
    start(follower());
    await until(() => total() === 2);
    expect(requests).toEqual([['a', 'b']]);
    expect(receipts()).toEqual({ delivered_again: 2 });
  });

  it('keeps its entries while its settlement cannot be written, and is not sent them twice', async () => {
    commit('a');
    store.failures = 2;
    start(follower());
    await until(() => total() === 1);
    expect(store.calls['settleJournal']).toBe(3);
    commit('b', 'c');
    dispatcher!.wake();
    await until(() => total() === 3);
    expect(requests.flat()).toEqual(['a', 'b', 'c']);
  });
});

it('a destination that does not follow is let go by the sweep', async () => {
  commit('a');
  expect(t.store.claimJournal(DESTINATION, 10, t.now)?.entries).toHaveLength(1);
  t.restart();
  start(plainDeliverer(DESTINATION, vendor));
  await until(() => receipts()['destination_removed'] === 1);
  expect(t.reader.journals()).toEqual([]);
});
