import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventFacts } from '../../../../test/fixtures/facts.ts';
import type { KeptEvent } from '../../../lifecycle/event.ts';
import { keepEvent } from '../../../lifecycle/event.ts';
import { Db } from '../db/db.ts';
import { Journals } from '../journal/journals.ts';
import { Sequence } from '../journal/sequence.ts';
import { Holds } from '../outbox/holds.ts';
import { Retention } from '../housekeeping/retention.ts';
import { Tombstones } from '../housekeeping/tombstones.ts';
import { Retirements } from '../outbox/retirements.ts';
import { Logs } from '../runs/logs.ts';
import { EventRows } from './event-rows.ts';
import { HOUR, MINUTE, TestStore } from '../../testing/test-store.ts';

const LIMITS = { age: 24 * HOUR, maxBytes: 10 ** 9 };
let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

function event(uid: string, about = 'pod-1', changes: Partial<KeptEvent> = {}): KeptEvent {
  const facts = eventFacts({ uid, regarding: { ...eventFacts().regarding, uid: about }, lastAt: t.now });
  return { ...keepEvent(facts, t.now), ...changes };
}

const put = (...events: KeptEvent[]): void =>
  t.store.transaction((tx) => events.forEach((one) => tx.events.add(one) || tx.events.update(one)));
const about = (...uids: string[]) => t.store.transaction((tx) => tx.events.about(uids));
const eventRows = (db: Db, most: number) =>
  new EventRows(db, new Sequence(db), new Journals(db, new Holds(db, t.now), new Retirements(db)), most);
const count = () => t.query<{ n: number }>('SELECT count(*) AS n FROM events')[0]!.n;

describe('an Event', () => {
  it('is one row, of which a later version changes version, time, count and step only', () => {
    const first = event('e1');
    put(first, { ...first, version: '200', at: t.now + MINUTE, count: 12, step: 10 });
    expect(t.store.transaction((tx) => tx.events.event('e1'))).toEqual({
      ...first,
      version: '200',
      at: t.now + MINUTE,
      count: 12,
      step: 10,
    });
    expect(about('pod-1')).toMatchObject([{ uid: 'e1', resourceVersion: '200', count: 12, lastAt: t.now + MINUTE }]);
    expect(count()).toBe(1);
  });

  it('that cannot be read is set aside as if it had not come', () => {
    put(event('e1'), event('e2'));
    const db = new Db(t.path, false);
    db.run("UPDATE events SET event = '{' WHERE uid = 'e1'");
    db.close();
    expect(about('pod-1').map(({ uid }) => uid)).toEqual(['e2']);
    expect(t.store.transaction((tx) => tx.events.event('e1'))).toBeUndefined();
    expect(t.store.takeUnreadable()).toBe(1);
  });
});

it('the last 20 Events of each object are read, together in the order of their times', () => {
  put(...Array.from({ length: 30 }, (_, n) => event(`a${n}`, 'pod-1', { at: t.now + 2 * n })));
  put(...Array.from({ length: 3 }, (_, n) => event(`b${n}`, 'pod-2', { at: t.now + 2 * n + 51 })));
  put(event('c', 'pod-3'));
  const read = about('pod-1', 'pod-2', 'pod-1', 'unknown').map(({ uid }) => uid);
  expect(read).toHaveLength(23);
  expect(read.slice(-7)).toEqual(['b0', 'a26', 'b1', 'a27', 'b2', 'a28', 'a29']);
});

describe('what is kept', () => {
  it('is removed two hours after it was said last, and does not come back by a LIST', () => {
    const [old, current] = [event('old'), event('current')];
    put(old, current);
    t.now += HOUR;
    put({ ...current, version: '200', at: t.now });
    t.now += HOUR;
    t.store.retain(t.now, LIMITS);
    expect(t.query('SELECT uid FROM events')).toEqual([{ uid: 'current' }]);
    expect(t.store.transaction((tx) => tx.events.removedUpTo(t.now))).toBe(old.at);
  });

  it('is bounded in number: the oldest go, and what is as old is not taken any more, also after a restart', () => {
    const db = new Db(t.path, false);
    const rows = eventRows(db, 10);
    db.write(() => {
      for (let n = 0; n < 1_500; n++) rows.add(event(`e${n}`, 'pod-1', { at: t.now + n }));
      rows.expire(t.now);
    });
    db.close();
    expect(t.query('SELECT min(at) AS at, count(*) AS n FROM events')).toEqual([{ at: t.now + 1_490, n: 10 }]);
    t.restart();
    expect(t.store.transaction((tx) => tx.events.removedUpTo(t.now))).toBe(t.now + 1_489);
  });

  it('is bounded within the next tick, however long ago anything was looked at', () => {
    const db = new Db(t.path, false);
    const events = eventRows(db, 10);
    const retention = new Retention(db, { logs: new Logs(db), events, tombstones: new Tombstones(db) });
    const tick = (): void => {
      if (retention.isDue(t.now, LIMITS)) db.write(() => retention.step(t.now, LIMITS));
    };
    for (let n = 0; n < 20; n++) tick();
    db.write(() => Array.from({ length: 1_500 }, (_, n) => events.add(event(`e${n}`, 'pod-1', { at: t.now + n }))));
    tick();
    db.close();
    expect(count()).toBe(10);
  });
});
