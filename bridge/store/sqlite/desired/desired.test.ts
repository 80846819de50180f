import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../lib/json.ts';
import {
  DELIVERED,
  DESTINATION,
  FAILED,
  HOUR,
  LOST,
  MINUTE,
  REFUSED,
  SECOND,
  T0,
  TestStore,
  held,
} from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const accept = () => t.settleRows(t.claimRows(), DELIVERED);
const wantedRows = () => t.claimRows().map(({ wanted }) => wanted);
const paused = (wanted: Json): Json => ({ paused: wanted });

describe('who decides what is wanted', () => {
  it('is the oldest live claim, by creation, then UID', () => {
    t.want('m', 'young', { uid: 'b', createdAt: T0 + 1 });
    t.want('m', 'old', { uid: 'z', createdAt: T0 });
    t.want('m', 'twin', { uid: 'y', createdAt: T0 });
    expect(wantedRows()).toEqual(['twin']);
  });

  it('is the next one when the owner is deleted, and nobody when none is left: then it is retired', () => {
    t.want('m', 'old', { uid: 'a', createdAt: T0 }, { retire: paused });
    t.want('m', 'young', { uid: 'b', createdAt: T0 + 1 }, { retire: paused });
    t.want('m', 'old', { uid: 'a', alive: false }, { retire: paused });
    expect(t.row('m').wanted).toBe('young');
    t.want('m', 'young', { uid: 'b', alive: false }, { retire: paused });
    expect(t.row('m').wanted).toEqual({ paused: 'young' });
    t.want('m', 'old', { uid: 'a', alive: false }, { retire: paused });
    expect(t.row('m').wanted).toEqual({ paused: 'young' });
  });

  it('may leave a row without claim as it is', () => {
    t.want('m', 'old');
    accept();
    t.want('m', 'old', { alive: false });
    expect(t.row('m')).toMatchObject({ wanted: 'old', inSync: true, objects: [] });
    expect(t.claimRows()).toEqual([]);
  });

  it('changes with the claims of one object: what it claims no more is retired', () => {
    t.want('m', 1);
    t.want('n', 2, {}, { retire: paused });
    expect([t.row('m').wanted, t.row('n').wanted]).toEqual([{ paused: 1 }, 2]);
    expect(t.store.transaction((tx) => tx.desired.wanted(DESTINATION, 'm'))).toEqual({ paused: 1 });
    expect(t.store.transaction((tx) => tx.desired.wanted(DESTINATION, 'unknown'))).toBeUndefined();
  });

  it('comes back to life when an object claims it again', () => {
    t.want('m', 1);
    t.want('m', 1, { alive: false }, { retire: paused });
    accept();
    t.want('m', 1, { uid: 'again' });
    expect(wantedRows()).toEqual([1]);
  });

  it('makes a row even when the object was deleted before it was seen: a run may wait for it', () => {
    t.want('m', 1, { alive: false }, { retire: paused });
    expect(wantedRows()).toEqual([{ paused: 1 }]);
  });

  it('shows every live CronJob of a row, the owner first', () => {
    for (const [uid, name] of [['a', 'young'] as const, ['b', 'old'] as const]) {
      const object = { uid, kind: 'CronJob' as const, namespace: 'ns', name, ownerUid: undefined, version: '1' };
      t.store.transaction((tx) => tx.objects.put({ ...object, deleted: false, state: {} }));
      t.want('m', name, { uid, createdAt: name === 'old' ? T0 : T0 + 1 });
    }
    expect(t.row('m').objects).toEqual(['ns/old', 'ns/young']);
  });
});

describe('convergence', () => {
  it('sends a row once, keeps the first acceptance, and does nothing while nothing changes', () => {
    t.want('m', { a: 1, b: 2 });
    expect(t.row('m')).toMatchObject({ inSync: false, notInSyncSince: T0 });
    t.now += SECOND;
    accept();
    expect(t.row('m')).toMatchObject({ inSync: true, firstAcceptedAt: T0 + SECOND, attempts: 0 });
    t.want('m', { b: 2, a: 1 });
    t.now += HOUR;
    expect(t.claimRows()).toEqual([]);
  });

  it('sends a change at once, also while a retry is far away', () => {
    t.want('m', 1);
    t.settleRows(t.claimRows(), FAILED, HOUR);
    expect(t.claimRows()).toEqual([]);
    t.want('m', 2);
    expect(t.claimRows()).toMatchObject([{ wanted: 2, attempt: 1 }]);
  });

  it('A → B → A ends with A asserted, also when the answer to B is lost', () => {
    for (const answerToB of [DELIVERED, LOST]) {
      t.want('m', 'A');
      accept();
      t.want('m', 'B');
      const sentB = t.claimRows();
      t.want('m', 'A');
      expect(t.claimRows()).toEqual([]);
      t.settleRows(sentB, answerToB, HOUR);
      expect(t.row('m').inSync).toBe(false);
      expect(wantedRows()).toEqual(['A']);
      t.restart();
      expect(wantedRows()).toEqual(['A']);
      t.restart();
      accept();
      expect(t.row('m').inSync).toBe(true);
    }
  });

  it('is not in sync from the request on, whatever becomes of it', () => {
    t.want('m', 'A');
    accept();
    t.now += 27 * HOUR;
    const asserted = t.claimRows();
    expect(t.row('m')).toMatchObject({ inSync: false, notInSyncSince: t.now });
    t.settleRows(asserted, LOST, MINUTE);
    expect(t.row('m')).toMatchObject({ inSync: false, reason: 'answer_lost', attempts: 1, firstAcceptedAt: T0 });
    t.now += MINUTE;
    accept();
    expect(t.row('m').inSync).toBe(true);
  });

  it('asserts each row again once a day, spread by its key over four hours', () => {
    const keys = Array.from({ length: 50 }, (_, index) => `m${index}`);
    t.store.transaction((tx) => {
      const claimant = { destination: DESTINATION, uid: 'u', createdAt: T0, alive: true };
      const claims = keys.map((key) => ({ key, wanted: 1 }));
      tx.desired.claim(claimant, claims, { retire: () => null }, T0);
    });
    accept();
    t.now = T0 + 22 * HOUR - 1;
    expect(t.claimRows()).toEqual([]);
    const perHour = [23, 24, 25, 26].map((hour) => {
      t.now = T0 + hour * HOUR;
      return t.claimRows().length;
    });
    expect(perHour.reduce((sum, count) => sum + count)).toBe(50);
    expect(Math.min(...perHour)).toBeGreaterThan(3);
  });

  it('of what a crash left in flight is tried again at once', () => {
    t.want('m', 1);
    t.claimRows();
    t.restart();
    expect(t.claimRows()).toMatchObject([{ attempt: 2 }]);
  });

  it('waits while the destination or a limit that its requests share is held, which costs no attempt', () => {
    t.want('m', 1);
    t.settleRows(t.claimRows(), held('api', MINUTE));
    expect(t.row('m')).toMatchObject({ attempts: 0, reason: 'rate_limited' });
    t.want('n', 2, { uid: 'other' });
    expect(t.store.claimDesired(DESTINATION, 10, t.now, ['api'])).toEqual([]);
    t.now += MINUTE;
    expect(t.store.claimDesired(DESTINATION, 10, t.now, ['api'])).toHaveLength(2);
  });
});

describe('a refusal for good', () => {
  it('is shown, and tried again after an hour', () => {
    t.want('m', 1);
    t.settleRows(t.claimRows(), REFUSED);
    expect(t.row('m')).toMatchObject({ inSync: false, reason: 'bad_request', detail: 'no such schedule' });
    t.now += HOUR - 1;
    expect(t.claimRows()).toEqual([]);
    t.now += 1;
    accept();
    expect(t.row('m')).toMatchObject({ inSync: true, reason: undefined });
  });

  it('is forgotten when something else is wanted: new intents wait again', () => {
    t.want('m', 1);
    t.settleRows(t.claimRows(), REFUSED);
    t.want('m', 2);
    t.enqueue({ key: 'run', waitsFor: 'm' });
    expect(t.claimedKeys()).toEqual([]);
    expect(wantedRows()).toEqual([2]);
  });

  it('of what is no longer wanted says nothing about what is', () => {
    t.want('m', 1);
    t.enqueue({ key: 'run', waitsFor: 'm' });
    const sent = t.claimRows();
    t.want('m', 2);
    t.settleRows(sent, REFUSED);
    t.enqueue({ key: 'later', waitsFor: 'm' });
    expect(t.claimedKeys()).toEqual([]);
    expect(wantedRows()).toEqual([2]);
  });
});
