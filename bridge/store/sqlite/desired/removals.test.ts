import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../lib/json.ts';
import type { Delivery } from '../../../sinks/sink.ts';
import {
  DELIVERED,
  DESTINATION,
  FAILED,
  held,
  HOUR,
  MINUTE,
  REFUSED,
  SECOND,
  T0,
  TestStore,
} from '../../testing/test-store.ts';

const DAY = 24 * HOUR;
const rules = { retire: (wanted: Json): Json => ({ paused: wanted }), removeAfterMs: DAY };
let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const accept = () => t.settleRows(t.claimRows(), DELIVERED);
const sweep = (at: number) => {
  t.now = at;
  t.store.sweep(t.now, DAY, MINUTE);
};
const wanted = (key = 'm') => t.store.transaction((tx) => tx.desired.wanted(DESTINATION, key));

/** A monitor that was accepted, and whose CronJob is deleted at T0. */
function deleted(key = 'm'): void {
  t.want(key, 'live', { uid: key }, rules);
  accept();
  t.want(key, 'live', { uid: key, alive: false }, rules);
  accept();
}

describe('a row that no object claims', () => {
  it('is retired at once and wanted as nothing after the grace time, once', () => {
    deleted();
    expect(t.row('m')).toMatchObject({ wanted: { paused: 'live' }, removeAt: T0 + DAY });
    sweep(T0 + DAY - SECOND);
    expect(wanted()).toEqual({ paused: 'live' });
    sweep(T0 + DAY);
    expect(t.claimRows()).toMatchObject([{ key: 'm', wanted: null }]);
    t.restart();
    t.now += HOUR;
    accept();
    expect(t.row('m')).toMatchObject({ wanted: null, inSync: true, firstAcceptedAt: undefined });
    sweep(t.now + 2 * DAY);
    expect(t.claimRows()).toEqual([]);
    sweep(t.now + 40 * DAY);
    expect(t.row('m')).toBeUndefined();
  });

  it('is kept when an object claims it again in time', () => {
    deleted();
    t.want('m', 'again', { uid: 'new' }, rules);
    sweep(T0 + 2 * DAY);
    expect(t.row('m')).toMatchObject({ wanted: 'again', removeAt: undefined });
  });

  it('that was removed is made again by the next claim, and its telemetry waits for that', () => {
    deleted();
    sweep(T0 + DAY);
    const removing = t.claimRows();
    t.want('m', 'again', { uid: 'new' }, rules);
    t.settleRows(removing, DELIVERED);
    t.enqueue({ key: 'run', waitsFor: 'm' });
    expect(t.claimedKeys()).toEqual([]);
    expect(t.claimRows()).toMatchObject([{ wanted: 'again' }]);
  });

  it('is not removed in the first hour after a start: what happened meanwhile must arrive first', () => {
    deleted();
    t.restart(3 * DAY);
    sweep(t.now + HOUR - SECOND);
    expect(wanted()).toEqual({ paused: 'live' });
    sweep(t.now + SECOND);
    expect(wanted()).toBeNull();
    t.restart(DAY);
    expect(t.claimRows()).toEqual([]);
    t.now += HOUR;
    expect(t.claimRows()).toMatchObject([{ wanted: null }]);
  });

  it('is not removed while an object of another destination, or telemetry, needs it, or the bridge is retired', () => {
    deleted('claimed');
    const claimant = { destination: 'cronitor/other', uid: 'live', createdAt: T0, alive: true };
    t.store.transaction((tx) => tx.desired.claim(claimant, [{ key: 'claimed', wanted: 1 }], rules, t.now));
    deleted('busy');
    deleted('idle');
    t.store.transaction((tx) => tx.retirement.set(true, 'ada', t.now));
    sweep(T0 + DAY);
    expect(wanted('idle')).toEqual({ paused: 'live' });
    t.store.transaction((tx) => tx.retirement.set(false, 'ada', t.now));
    t.enqueue({ key: 'running', waitsFor: 'busy' });
    sweep(T0 + DAY + MINUTE);
    expect([wanted('claimed'), wanted('busy'), wanted('idle')]).toEqual([{ paused: 'live' }, { paused: 'live' }, null]);
  });

  it('that the vendor never accepted is not removed there', () => {
    t.want('m', 'live', {}, rules);
    t.settleRows(t.claimRows(), REFUSED);
    t.want('m', 'live', { alive: false }, rules);
    t.settleRows(t.claimRows(), REFUSED);
    sweep(T0 + 2 * DAY);
    expect(wanted()).toEqual({ paused: 'live' });
  });

  it('is not removed when the configuration no longer says so', () => {
    deleted();
    t.store.transaction((tx) => tx.destinations.keepRemovals(DESTINATION));
    sweep(T0 + 2 * DAY);
    expect(t.row('m')).toMatchObject({ wanted: { paused: 'live' }, removeAt: undefined });
  });

  it('is removed as long after the deletion as before when the clock is set', () => {
    deleted();
    t.store.clockSet(-3 * HOUR);
    expect(t.row('m').removeAt).toBe(T0 + DAY - 3 * HOUR);
  });
});

it('telemetry of a monitor that was removed is given up, and says so: it would make the monitor again', () => {
  deleted();
  sweep(T0 + DAY);
  accept();
  t.enqueue({ key: 'orphan', waitsFor: 'm' }, { key: 'other' });
  expect(t.claimedKeys()).toEqual(['other']);
  expect(t.delivery('orphan')).toMatchObject({ status: 'dropped', reason: 'row_removed' });
});

describe('a row that is retired for good', () => {
  const rows = () => t.claimRows().map(({ key }) => key);
  const keeps = {
    retire: (wanted: Json): Json => ({ paused: wanted }),
    adopt: (wanted: Json, was: Json) => ({ wanted, was }),
  };

  it('is not asserted any more, is forgotten after 30 days, and what it was is known to the next of its key', () => {
    t.want('m', 'live', { uid: 'm' }, keeps);
    accept();
    t.want('m', 'live', { uid: 'm', alive: false }, keeps);
    accept();
    for (let day = 1; day < 30; day++) {
      sweep(T0 + day * DAY);
      expect(rows()).toEqual([]);
    }
    expect(t.row('m')).toMatchObject({ wanted: { paused: 'live' }, inSync: true });
    sweep(T0 + 31 * DAY);
    expect(t.row('m')).toBeUndefined();
    expect(wanted()).toEqual({ paused: 'live' });
    t.want('m', 'again', { uid: 'new' }, keeps);
    expect(t.row('m').wanted).toEqual({ wanted: 'again', was: { paused: 'live' } });
  });

  it('is asserted as others once an object claims it again unchanged', () => {
    t.want('m', 'live', { uid: 'm' });
    accept();
    t.want('m', 'live', { uid: 'm', alive: false });
    t.want('m', 'live', { uid: 'new' });
    expect(rows()).toEqual([]);
    t.now += 2 * DAY;
    expect(rows()).toEqual(['m']);
  });

  it('is tried for as long as it takes while the vendor cannot answer or refuses the key, and given up when it refuses the row', () => {
    for (const key of ['away', 'refused', 'key']) t.want(key, 'live', { uid: key }, keeps);
    accept();
    for (const key of ['away', 'refused', 'key']) t.want(key, 'live', { uid: key, alive: false }, keeps);
    const answers: Record<string, Delivery> = {
      away: FAILED,
      refused: REFUSED,
      key: { outcome: 'drop', reason: 'forbidden' },
    };
    for (let day = 1; day < 40; day++) {
      sweep(T0 + day * DAY);
      for (const row of t.claimRows()) t.settleRows([row], answers[row.key]!);
    }
    expect(['away', 'refused', 'key'].map((key) => t.row(key)?.inSync)).toEqual([false, undefined, false]);
  });

  it('stays while telemetry waits for it; telemetry that waits for one that is gone ends', () => {
    deleted();
    sweep(T0 + DAY);
    accept();
    t.enqueue(
      { key: 'early', waitsFor: 'forgotten' },
      { key: 'held', lane: 'l' },
      { key: 'late', lane: 'l', waitsFor: 'm' },
    );
    sweep(T0 + 40 * DAY);
    expect(t.delivery('early')).toMatchObject({ status: 'dropped', reason: 'expired', detail: 'awaiting_row' });
  });
});

it('a hold is forgotten a day after its end, unless something ages behind it', () => {
  const limits = (key: string) => [{ key, perSecond: 1 }];
  t.enqueue({ key: 'a', limits: limits('a') }, { key: 'b', limits: limits('b') });
  const [a, b] = t.claim();
  t.settle([a!], held('a', MINUTE));
  t.settle([b!], held('b', MINUTE));
  t.now += MINUTE;
  const again = t.claim();
  t.settle(
    again.filter(({ key }) => key === 'b'),
    DELIVERED,
  );
  const holds = () => t.query<{ key: string }>('SELECT key FROM holds').map(({ key }) => key);
  sweep(T0 + DAY - MINUTE);
  expect(holds()).toEqual(['a', 'b']);
  sweep(T0 + DAY + HOUR);
  expect(holds()).toEqual(['a']);
  t.settle(
    again.filter(({ key }) => key === 'a'),
    DELIVERED,
  );
  sweep(T0 + DAY + 3 * HOUR);
  expect(holds()).toEqual([]);
});

it('a sticky key is forgotten 180 days after the last object that used it', () => {
  const sticky = () =>
    t.store.transaction((tx) =>
      tx.desired.stickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'report' }),
    );
  t.store.transaction((tx) =>
    tx.desired.setStickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'report' }, 'm'),
  );
  t.want('m', 'live', { uid: 'm' });
  sweep(T0 + 400 * DAY);
  t.want('m', 'live', { uid: 'm', alive: false });
  sweep(T0 + 402 * DAY);
  t.restart();
  t.want('m', 'live', { uid: 'new' });
  sweep(T0 + 500 * DAY);
  t.want('m', 'live', { uid: 'new', alive: false });
  sweep(T0 + 502 * DAY);
  sweep(T0 + 681 * DAY);
  expect(sticky()).toBe('m');
  sweep(T0 + 683 * DAY);
  expect(sticky()).toBeUndefined();
});
