import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../lib/json.ts';
import { DELIVERED, DESTINATION, HOUR, MINUTE, REFUSED, SECOND, T0, TestStore } from './fixtures.ts';

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
const wanted = (key = 'm') => t.store.transaction((tx) => tx.wanted(DESTINATION, key));

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
    expect(t.monitor('m')).toMatchObject({ wanted: { paused: 'live' }, removeAt: T0 + DAY });
    sweep(T0 + DAY - SECOND);
    expect(wanted()).toEqual({ paused: 'live' });
    sweep(T0 + DAY);
    expect(t.claimRows()).toMatchObject([{ key: 'm', wanted: null }]);
    t.restart();
    t.now += HOUR;
    accept();
    expect(t.monitor('m')).toMatchObject({ wanted: null, inSync: true, firstAcceptedAt: undefined });
    sweep(t.now + 2 * DAY);
    expect(t.claimRows()).toEqual([]);
    sweep(t.now + 40 * DAY);
    expect(t.monitor('m')).toBeUndefined();
  });

  it('is kept when an object claims it again in time', () => {
    deleted();
    t.want('m', 'again', { uid: 'new' }, rules);
    sweep(T0 + 2 * DAY);
    expect(t.monitor('m')).toMatchObject({ wanted: 'again', removeAt: undefined });
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
    t.store.transaction((tx) => tx.claimDesired(claimant, [{ key: 'claimed', wanted: 1 }], rules, t.now));
    deleted('busy');
    deleted('idle');
    t.store.transaction((tx) => tx.setRetired(true, 'ada', t.now));
    sweep(T0 + DAY);
    expect(wanted('idle')).toEqual({ paused: 'live' });
    t.store.transaction((tx) => tx.setRetired(false, 'ada', t.now));
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
    t.store.transaction((tx) => tx.keepRemovals(DESTINATION));
    sweep(T0 + 2 * DAY);
    expect(t.monitor('m')).toMatchObject({ wanted: { paused: 'live' }, removeAt: undefined });
  });

  it('is removed as long after the deletion as before when the clock is set', () => {
    deleted();
    t.store.clockSet(-3 * HOUR);
    expect(t.monitor('m').removeAt).toBe(T0 + DAY - 3 * HOUR);
  });
});

it('telemetry of a monitor that was removed is given up, and says so: it would make the monitor again', () => {
  deleted();
  sweep(T0 + DAY);
  accept();
  t.enqueue({ key: 'orphan', waitsFor: 'm' }, { key: 'other' });
  expect(t.claimedKeys()).toEqual(['other']);
  expect(t.delivery('orphan')).toMatchObject({ status: 'dropped', reason: 'monitor_removed' });
});
