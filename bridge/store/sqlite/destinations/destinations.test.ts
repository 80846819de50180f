import { ABOUT } from '../../../../test/fixtures/facts.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../lib/json.ts';
import type { DesiredRules } from '../../desired.ts';
import { DELIVERED, DESTINATION, HOUR, MINUTE, SECOND, T0, TestStore } from '../../testing/test-store.ts';

const DAY = 24 * HOUR;
const OTHER = 'cronitor/other';
const rules: DesiredRules = { retire: (wanted: Json): Json => ({ paused: wanted }), removeAfterMs: DAY };
let t: TestStore;
beforeEach(() => {
  t = new TestStore();
  t.store.cutoff(DESTINATION, T0);
});
afterEach(() => t.remove());

/** A start of the bridge with these destinations. */
const start = (...names: string[]): void => {
  t.restart();
  t.store.transaction((tx) => tx.destinations.configured(names, t.now));
};
const sweep = () => t.store.sweep(t.now, DAY, 2 * MINUTE);
const after = (ms: number): void => {
  t.now += ms;
  sweep();
};
const resend = (key: string, configured?: string[]) =>
  t.store.resend({ subject: `transition of ${key}`, force: false, ...(configured && { configured }) }, 'ada', t.now);

describe('what waits for a destination that left the configuration', () => {
  it('is held for as long as a delivery may wait, then given up, and the run is no longer bound by it', () => {
    t.enqueue({ key: 'ready', lane: 'l' }, { key: 'queued', lane: 'l' }, { key: 'awaiting', waitsFor: 'm' });
    start(OTHER);
    after(DAY - SECOND);
    expect(t.reader.leftDestinations()).toEqual([{ destination: DESTINATION, leftAt: T0, waiting: 3 }]);
    expect(t.delivery('ready')).toMatchObject({ status: 'pending', reason: 'destination_removed' });
    after(SECOND);
    for (const key of ['ready', 'queued', 'awaiting']) {
      expect(t.delivery(key)).toMatchObject({ status: 'dropped', reason: 'destination_removed' });
    }
    expect(t.reader.receiptCounts()).toEqual([{ destination: DESTINATION, reason: 'destination_removed', count: 3 }]);
    expect(t.reader.leftDestinations()).toMatchObject([{ waiting: 0 }]);
  });

  it('goes on in its order when a destination of that name is there again in time, no older than before', () => {
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    after(20 * HOUR);
    start(OTHER);
    after(10 * MINUTE);
    start(OTHER);
    after(20 * HOUR);
    start(DESTINATION, OTHER);
    sweep();
    expect(t.reader.leftDestinations()).toEqual([]);
    expect(t.claimedKeys()).toEqual(['a']);
  });

  it('stays when the configuration is the same, and for a destination that sends nothing (dry run)', () => {
    t.enqueue({ key: 'a' });
    start(DESTINATION);
    after(2 * HOUR);
    start(DESTINATION, OTHER);
    expect(t.claimedKeys()).toEqual(['a']);
  });

  it('can be sent again once the destination is back, not before', () => {
    t.enqueue({ key: 'a' });
    start(OTHER);
    after(2 * DAY);
    expect(resend('a', [OTHER])).toMatchObject([{ result: 'destination_removed' }]);
    expect(t.delivery('a').status).toBe('dropped');
    start(DESTINATION);
    expect(resend('a', [DESTINATION])).toMatchObject([{ result: 'resent', was: 'destination_removed' }]);
    expect(t.claimedKeys()).toEqual(['a']);
  });
});

describe('a decision that waited', () => {
  const waiting = (id: string, waitingFor: 'owner' | undefined): void =>
    t.store.transaction((tx) => {
      const run = { kind: 'Job', uid: id, namespace: 'shop', name: id, status: 'running', runKey: id };
      tx.runs.put({ run: run as never, memory: { memos: {}, waiting: [], waitingFor } });
      tx.timeline.add({ id: `${id}/started`, kind: 'run.started', at: T0, about: ABOUT, runUid: id, text: '' }, T0);
      const open = { verdict: 'waiting', reason: 'owner_unknown', detail: undefined, at: T0 } as const;
      tx.timeline.decide({ transitionId: `${id}/started`, destination: DESTINATION, ...open });
    });
  const verdicts = (): unknown[] =>
    ['decided', 'open'].map((id) => {
      const decision = t.store.transaction((tx) => tx.timeline.decision(`${id}/started`, DESTINATION))!;
      return [decision.verdict, decision.reason];
    });

  it('says at the return what was decided without the destination, and goes on waiting otherwise', () => {
    waiting('decided', 'owner');
    waiting('open', 'owner');
    start(OTHER);
    waiting('decided', undefined);
    start(DESTINATION);
    t.store.transaction((tx) => tx.destinations.settleMissed(DESTINATION, t.now));
    expect(verdicts()).toEqual([
      ['dropped', 'destination_removed'],
      ['waiting', 'owner_unknown'],
    ]);
  });

  it('goes on waiting for its namespace as long as it has a timer, and no longer', () => {
    waiting('decided', undefined);
    waiting('open', undefined);
    const id = `namespace/${ABOUT.namespace}/${DESTINATION}/open/started`;
    t.store.transaction((tx) => tx.timers.set({ id, kind: 'namespace', uid: 'open', due: T0 + MINUTE }));
    t.store.transaction((tx) => tx.destinations.settleMissed(DESTINATION, t.now));
    expect(verdicts()).toEqual([
      ['dropped', 'destination_removed'],
      ['waiting', 'owner_unknown'],
    ]);
  });

  it('is over with the time in which the destination may return', () => {
    waiting('decided', 'owner');
    waiting('open', 'owner');
    start(OTHER);
    after(DAY);
    const removed = ['dropped', 'destination_removed'];
    expect(verdicts()).toEqual([removed, removed]);
  });
});

describe('what was recorded while a destination was away', () => {
  it('comes in the order in which it was recorded, also what happened within one second', () => {
    start(OTHER);
    const recorded = ['run.started', 'container.terminated', 'run.ended'] as const;
    t.store.transaction((tx) =>
      // By their texts they would come the other way round.
      recorded.forEach((kind, at) =>
        tx.timeline.add({ id: `${9 - at}`, kind, at: T0, about: ABOUT, runUid: 'job', text: '' }, t.now),
      ),
    );
    t.restart();
    const [returned] = t.store.transaction((tx) => tx.destinations.configured([DESTINATION, OTHER], t.now));
    const since = t.store.transaction((tx) => tx.destinations.recordedSince(returned!, 10));
    expect(since.map(({ kind }) => kind)).toEqual(recorded);
  });
});

describe('the rows of a destination that left', () => {
  const claim = (destination: string, uid: string, alive = true): void =>
    t.store.transaction((tx) =>
      tx.desired.claim({ destination, uid, createdAt: T0, alive }, [{ key: 'm', wanted: 'live' }], rules, t.now),
    );
  const wanted = (destination = DESTINATION) => t.store.transaction((tx) => tx.desired.wanted(destination, 'm'));
  const settle = (destination: string): void => {
    const rows = t.store.claimDesired(destination, 100, t.now);
    const settled = rows.map(({ key, wantedHash }) => ({ destination, key, sentHash: wantedHash }));
    t.store.settleDesired(
      settled.map((row) => ({ ...row, delivery: DELIVERED })),
      t.now,
    );
  };

  it('are neither out of sync nor removed, and are forgotten with all that is its own after 30 days', () => {
    claim(DESTINATION, 'job');
    t.store.transaction((tx) =>
      tx.desired.setStickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'report' }, 'm'),
    );
    t.enqueue({ key: 'a' });
    start(OTHER);
    after(29 * DAY);
    expect(t.reader.depth().find((row) => row.destination === DESTINATION)).toMatchObject({ notInSync: 0 });
    expect(t.row('m')).toMatchObject({ reason: 'destination_removed', objects: ['job'] });
    after(2 * DAY);
    after(MINUTE);
    expect([t.row('m'), t.reader.leftDestinations(), t.reader.depth()]).toEqual([undefined, [], []]);
    expect(
      t.store.transaction((tx) =>
        tx.desired.stickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'report' }),
      ),
    ).toBe('m');
    // A new one of this name begins from nothing, and knows what its rows were.
    expect(t.store.cutoff(DESTINATION, t.now)).toBe(t.now);
    expect(wanted()).toBe('live');
  });

  it('do not keep another destination from removing what nobody claims any more', () => {
    claim(DESTINATION, 'job');
    claim(OTHER, 'job');
    settle(OTHER);
    start(OTHER);
    claim(OTHER, 'job', false);
    settle(OTHER);
    after(HOUR);
    after(DAY - HOUR - SECOND);
    expect(wanted(OTHER)).toEqual({ paused: 'live' });
    after(HOUR);
    expect(wanted(OTHER)).toBeNull();
    expect(wanted()).toBe('live');
  });

  it('name at its return the objects that went meanwhile', () => {
    claim(DESTINATION, 'gone');
    claim(DESTINATION, 'alive');
    claim(DESTINATION, '(the bridge)');
    const object = { kind: 'CronJob', namespace: 'shop', name: 'a', ownerUid: undefined, version: '1' } as const;
    t.store.transaction((tx) => tx.objects.put({ ...object, uid: 'alive', deleted: false, state: {} }));
    start(OTHER);
    start(DESTINATION);
    expect(t.store.transaction((tx) => tx.destinations.deadClaimants(DESTINATION, '(the bridge)'))).toEqual(['gone']);
  });
});
