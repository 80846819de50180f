import { DatabaseSync } from 'node:sqlite';
import { ABOUT } from '../../../test/fixtures/facts.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Run } from '../../lifecycle/transition.ts';
import type { ObjectRow } from '../objects.ts';
import type { RunRow } from '../runs.ts';
import type { Tx } from '../tx.ts';
import { DESTINATION, HOUR, MINUTE, T0, TestStore } from '../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const tx = <T>(work: (tx: Tx) => T): T => t.store.transaction(work);

const object: ObjectRow = {
  uid: 'u',
  kind: 'Pod',
  namespace: 'ns',
  name: 'pod',
  ownerUid: 'job',
  version: '9',
  deleted: false,
  overAt: undefined,
  factsSchema: 3,
  state: { facts: { a: 1 } },
};
const OBJECTS: readonly Partial<ObjectRow>[] = [
  { kind: 'Job' },
  { namespace: 'other' },
  { name: 'other' },
  { ownerUid: undefined },
  { version: '10' },
  { deleted: true, overAt: T0 },
  { factsSchema: 4 },
  { state: { facts: { b: 2 } } },
];

const waiting = { id: 't', kind: 'run.started', at: T0, about: ABOUT, runUid: 'u', text: 'started' } as const;
const run = { uid: 'u', kind: 'Job', namespace: 'ns', name: 'job', runKey: 'k', status: 'running' } as Run;
const NOTHING = { memos: {}, waiting: [], waitingFor: undefined };
const RUNS: readonly RunRow[] = [
  { run: { ...run, namespace: 'other' }, memory: NOTHING },
  { run: { ...run, name: 'other' }, memory: NOTHING },
  { run: { ...run, ownerUid: 'c', ownerName: 'backup' }, memory: NOTHING },
  { run: { ...run, status: 'failed' }, memory: NOTHING },
  { run: { ...run, startedAt: T0 }, memory: NOTHING },
  { run: { ...run, message: 'only in its JSON' }, memory: NOTHING },
  { run, memory: { memos: { to: 'm' }, waiting: [waiting], waitingFor: 'owner' } },
];

/** All columns of both tables, without what only distinguishes one row from another. */
const stored = (): unknown => [t.query('SELECT * FROM objects'), t.query('SELECT * FROM runs'), t.reader.runCounts()];

describe('a row that changes', () => {
  it.each(OBJECTS)('is stored whole whether it was read before or not: the object with %j', (change) => {
    const next = { ...object, ...change };
    tx((tx) => tx.objects.put(object));
    tx((tx) => tx.objects.put(next));
    const unseen = stored();
    tx((tx) => tx.objects.put(object));
    expect(tx((tx) => (tx.objects.get('u'), tx.objects.put(next), tx.objects.get('u')))).toEqual(next);
    expect(stored()).toEqual(unseen);
    expect(tx((tx) => tx.objects.get('u'))).toEqual(next);
  });

  it.each(RUNS)('is stored whole whether it was read before or not: $run with $memory', (next) => {
    tx((tx) => tx.runs.put({ run, memory: NOTHING }));
    tx((tx) => tx.runs.put(next));
    const unseen = stored();
    tx((tx) => tx.runs.put({ run, memory: NOTHING }));
    expect(tx((tx) => (tx.runs.get('u'), tx.runs.put(next), tx.runs.get('u')))).toEqual(next);
    expect(stored()).toEqual(unseen);
    expect(tx((tx) => tx.runs.get('u'))).toEqual(next);
  });

  it('keeps the first time at which it was over, and none once it is back', () => {
    const over = (overAt: number): ObjectRow => ({ ...object, deleted: true, overAt });
    tx((tx) => (tx.objects.get('u'), tx.objects.put(over(T0)), tx.objects.put(over(T0 + 1))));
    tx((tx) => (tx.objects.get('u'), tx.objects.put(over(T0 + 2)), expect(tx.objects.get('u')?.overAt).toBe(T0)));
    expect(tx((tx) => tx.objects.get('u')?.overAt)).toBe(T0);
    tx((tx) => (tx.objects.get('u'), tx.objects.put(object)));
    expect(tx((tx) => tx.objects.get('u')?.overAt)).toBeUndefined();
  });
});

it('after an attempt that throws, rows are read as they were before it', () => {
  tx((tx) => (tx.objects.put(object), tx.runs.put({ run, memory: NOTHING })));
  tx((tx) => {
    const attempt = (): void =>
      tx.attempt(() => {
        tx.objects.put({ ...object, version: '10' });
        tx.objects.put({ ...object, uid: 'new' });
        tx.runs.put({ run: { ...run, status: 'failed' }, memory: NOTHING });
        throw new Error('a poisoned record');
      });
    expect(attempt).toThrow('a poisoned record');
    expect([tx.objects.get('u')?.version, tx.objects.get('new'), tx.runs.get('u')?.run.status]).toEqual([
      '9',
      undefined,
      'running',
    ]);
  });
});

it('when a transaction throws, the next one reads what was there before', () => {
  tx((tx) => tx.objects.put(object));
  const broken = (): void =>
    tx((tx) => {
      tx.objects.put({ ...object, version: '10' });
      throw new Error('no');
    });
  expect(broken).toThrow('no');
  expect(tx((tx) => tx.objects.get('u')?.version)).toBe('9');
});

it('versions that are forgotten are forgotten for this transaction too', () => {
  tx((tx) => tx.objects.put(object));
  const version = tx((tx) => {
    const before = tx.objects.get('u')!.version;
    tx.versions.forget('Pod');
    return [before, tx.objects.get('u')!.version];
  });
  expect(version).toEqual(['9', '']);
});

describe('what one transaction has read is read again by the next', () => {
  beforeEach(() => tx((tx) => (tx.objects.put(object), tx.runs.put({ run, memory: NOTHING }))));
  const read = (): unknown => tx((tx) => [tx.objects.get('u')?.version, tx.runs.get('u')?.run.status]);

  it('once another connection has written it', () => {
    expect(read()).toEqual(['9', 'running']);
    const other = new DatabaseSync(t.path);
    other.exec("UPDATE objects SET version = '10'; UPDATE runs SET run = json_set(run, '$.status', 'failed')");
    other.close();
    expect(read()).toEqual(['10', 'failed']);
  });

  it('once the retention has removed it', () => {
    tx((tx) => (tx.objects.put({ ...object, kind: 'Job', ownerUid: undefined, deleted: true, overAt: T0 }), read));
    t.now += 3 * HOUR;
    for (let n = 0; n < 5; n++) t.store.retain((t.now += MINUTE), { age: HOUR, maxBytes: 1 << 30, logAge: HOUR });
    expect(read()).toEqual([undefined, undefined]);
  });

  it('once a claim that cannot be read has its object fetched again', () => {
    t.want('monitor', { a: 1 }, { uid: 'u' });
    const other = new DatabaseSync(t.path);
    other.exec("UPDATE claims SET wanted = '{'");
    other.close();
    const schema = () => tx((tx) => tx.objects.get('u')?.factsSchema);
    expect(schema()).toBe(3);
    tx((tx) => tx.desired.recompute(DESTINATION, { retire: () => null }, t.now));
    expect(schema()).toBe(0);
  });
});

it('a retirement counts from the transaction that begins it to the one that ends it, and not when that is undone', () => {
  const covers = (): boolean => tx((tx) => tx.retirement.covers(T0 + HOUR));
  const set = (on: boolean) => tx((tx) => tx.retirement.set(on, 'somebody', T0));
  expect(covers()).toBe(false);
  const undone = () =>
    tx((tx) => (tx.retirement.set(true, 'somebody', T0), expect(tx.retirement.covers(T0)).toBe(true), fail()));
  expect(undone).toThrow('undone');
  expect(covers()).toBe(false);
  set(true);
  expect(covers()).toBe(true);
  set(false);
  expect(covers()).toBe(false);
});

function fail(): never {
  throw new Error('undone');
}
