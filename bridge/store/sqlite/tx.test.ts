import { ABOUT } from '../../../test/fixtures/facts.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import type { ObjectRow } from '../objects.ts';
import type { Quarantined } from '../quarantine.ts';
import type { Decision } from '../timeline.ts';
import type { Tx } from '../tx.ts';
import { Db } from './db/db.ts';
import { T0, TestStore } from '../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const tx = <T>(work: (tx: Tx) => T): T => t.store.transaction(work);

const object: ObjectRow = {
  uid: 'u1',
  kind: 'Pod',
  namespace: 'ns',
  name: 'pod-1',
  ownerUid: 'job-1',
  version: '9',
  deleted: false,
  state: { facts: {}, phase: 'Running' },
};

const run = { uid: 'r1', kind: 'Job', namespace: 'ns', name: 'job', runKey: 'k', status: 'running' } as Run;
const nothing = { memos: {}, waiting: [], waitingFor: undefined };

describe('objects', () => {
  it('are replaced by UID', () => {
    tx((tx) => tx.objects.put(object));
    const later = {
      ...object,
      version: '10',
      deleted: true,
      state: { facts: {}, phase: 'Failed' },
      ownerUid: undefined,
    };
    tx((tx) => tx.objects.put(later));
    expect(tx((tx) => tx.objects.get('u1'))).toMatchObject(later);
    expect(tx((tx) => tx.objects.get('u2'))).toBeUndefined();
  });

  it('are found by their controller and kind, deleted ones too, by UID', () => {
    tx((tx) => {
      tx.objects.put({ ...object, uid: 'b', deleted: true });
      tx.objects.put({ ...object, uid: 'a' });
      tx.objects.put({ ...object, uid: 'c', kind: 'Job' });
      tx.objects.put({ ...object, uid: 'd', ownerUid: 'other' });
    });
    expect(tx((tx) => tx.objects.children('job-1', 'Pod')).map(({ uid }) => uid)).toEqual(['a', 'b']);
  });
});

describe('runs', () => {
  it('come back with their memory', () => {
    const memory = { ...nothing, memos: { 'cronitor/default': { key: 'm' } } };
    tx((tx) => tx.runs.put({ run, memory }));
    expect(tx((tx) => tx.runs.get('r1'))).toMatchObject({ run, memory: { memos: memory.memos, waiting: [] } });
    expect(tx((tx) => tx.runs.get('r2'))).toBeUndefined();
  });

  it('are found while they wait for their owner', () => {
    const waiting = { ...nothing, waitingFor: 'owner' as const };
    tx((tx) => {
      tx.runs.put({ run: { ...run, uid: 'a', ownerUid: 'o' }, memory: waiting });
      tx.runs.put({ run: { ...run, uid: 'b', ownerUid: 'o' }, memory: nothing });
      tx.runs.put({ run: { ...run, uid: 'c', ownerUid: 'p' }, memory: waiting });
    });
    expect(tx((tx) => tx.runs.waitingForOwner('o')).map((row) => row.run.uid)).toEqual(['a']);
    tx((tx) => tx.runs.put({ run: { ...run, uid: 'a', ownerUid: 'o' }, memory: nothing }));
    expect(tx((tx) => tx.runs.waitingForOwner('o'))).toEqual([]);
  });

  it('have a key that belongs to the first UID', () => {
    expect(tx((tx) => [tx.runs.claimKey('k', 'a'), tx.runs.claimKey('k', 'b')])).toEqual(['a', 'a']);
  });

  it('have one attempt per pod, by start', () => {
    const attempt = { podUid: 'p1', podName: 'pod', phase: 'Pending' } as Attempt;
    tx((tx) => {
      tx.runs.putAttempt('r1', attempt);
      tx.runs.putAttempt('r1', { ...attempt, podUid: 'p2', startedAt: 20 });
      tx.runs.putAttempt('r1', { ...attempt, podUid: 'p3', startedAt: 10 });
      tx.runs.putAttempt('r2', { ...attempt, podUid: 'p4' });
    });
    expect(tx((tx) => tx.runs.attempts('r1')).map(({ podUid }) => podUid)).toEqual(['p3', 'p2', 'p1']);
    tx((tx) => tx.runs.putAttempt('r1', { ...attempt, phase: 'Running', startedAt: 5 }));
    expect(tx((tx) => tx.runs.attempts('r1'))[0]).toMatchObject({ podUid: 'p1', phase: 'Running' });
  });
});

describe('transitions and decisions', () => {
  const transition: Transition = { id: 't1', kind: 'run.started', at: T0, about: ABOUT, runUid: 'r1', text: 'started' };
  const decision: Decision = {
    transitionId: 't1',
    destination: 'cronitor/default',
    verdict: 'waiting',
    reason: 'owner_unknown',
    detail: undefined,
    at: T0,
  };

  it('are added once', () => {
    expect(tx((tx) => [tx.timeline.add(transition, T0), tx.timeline.add(transition, T0)])).toEqual([true, false]);
  });

  it('are decided once: only a waiting decision is replaced', () => {
    const planned: Decision = { ...decision, verdict: 'planned', reason: undefined };
    tx((tx) => tx.timeline.decide(decision));
    expect(tx((tx) => tx.timeline.decision('t1', 'cronitor/default'))).toEqual(decision);
    tx((tx) => tx.timeline.decide(planned));
    tx((tx) => tx.timeline.decide({ ...decision, verdict: 'dropped', reason: 'before_cutoff' }));
    expect(tx((tx) => tx.timeline.decision('t1', 'cronitor/default'))).toEqual(planned);
    expect(tx((tx) => tx.timeline.decision('t1', 'sentry/default'))).toBeUndefined();
  });
});

describe('sticky keys and timers', () => {
  it('keep the first key of a destination and name', () => {
    const of = { kind: 'CronJob', namespace: 'ns', name: 'name' } as const;
    tx((tx) => tx.desired.setStickyKey('d', of, 'first'));
    tx((tx) => tx.desired.setStickyKey('d', of, 'second'));
    expect(tx((tx) => [tx.desired.stickyKey('d', of), tx.desired.stickyKey('e', of)])).toEqual(['first', undefined]);
  });

  it('are due in order, until they are cleared', () => {
    const timer = { kind: 'replacement' as const, uid: 'u' };
    tx((tx) => {
      tx.timers.set({ ...timer, id: 'replacement/a', due: 30 });
      tx.timers.set({ ...timer, id: 'replacement/b', due: 10 });
      tx.timers.set({ ...timer, id: 'replacement/a', due: 20 });
    });
    tx((tx) => tx.timers.set({ id: 'schedule/a', kind: 'schedule', uid: 'u', due: 10 }));
    expect(tx((tx) => tx.timers.due('replacement', 19, 9)).map(({ id }) => id)).toEqual(['replacement/b']);
    expect(tx((tx) => tx.timers.due('replacement', 20, 9))).toEqual([
      { ...timer, id: 'replacement/b', due: 10 },
      { ...timer, id: 'replacement/a', due: 20 },
    ]);
    expect(tx((tx) => tx.timers.below('replacement')).map(({ id }) => id)).toEqual(['replacement/a', 'replacement/b']);
    const first = () => tx((tx) => Object.fromEntries(tx.timers.first()));
    expect(first()).toEqual({ replacement: 10, schedule: 10 });
    tx((tx) => tx.timers.clear('replacement/b'));
    expect(first()).toEqual({ replacement: 20, schedule: 10 });
    const undone = (tx: Tx): never => {
      tx.timers.clear('schedule/a');
      expect(Object.fromEntries(tx.timers.first())).toEqual({ replacement: 20 });
      throw new Error('undone');
    };
    expect(() => tx(undone)).toThrow('undone');
    expect(first()).toEqual({ replacement: 20, schedule: 10 });
    expect(tx((tx) => tx.timers.due('replacement', 20, 9)).map(({ id }) => id)).toEqual(['replacement/a']);
  });
});

describe('quarantine', () => {
  const row: Quarantined = {
    subject: 'uid-1',
    reason: 'core_error',
    version: '99',
    error: 'boom',
    bytes: Buffer.from('bytes'),
    at: T0,
  };
  const stored = () => {
    const db = new Db(t.path, true);
    const rows = db.all<{ subject: string; version: string | null; size: number }>(
      'SELECT subject, version, size FROM quarantine ORDER BY at, id',
    );
    db.close();
    return rows.map(({ subject, version, size }) => [subject, version, size]);
  };

  it('keeps one row per subject, that of the highest version', () => {
    tx((tx) => tx.quarantine.put(row));
    tx((tx) => tx.quarantine.put({ ...row, version: '100' }));
    tx((tx) => tx.quarantine.put({ ...row, version: '99' }));
    expect(stored()).toEqual([['uid-1', '100', 5]]);
  });

  it('is bounded by rows and bytes: the oldest go', () => {
    tx((tx) => {
      for (let n = 0; n < 1002; n++) tx.quarantine.put({ ...row, subject: `s${n}`, at: T0 + n });
    });
    expect(stored()).toHaveLength(1000);
    const bytes = new Uint8Array(3 * 1024 * 1024);
    tx((tx) => {
      for (let n = 0; n < 40; n++) tx.quarantine.put({ ...row, subject: `big${n}`, bytes, at: T0 + 5000 + n });
    });
    expect(stored()).toHaveLength(32);
    expect(stored().at(-1)).toEqual(['big39', '99', 2 * 1024 * 1024]);
  });
});
