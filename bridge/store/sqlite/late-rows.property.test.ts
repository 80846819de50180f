import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Attempt, Run } from '../../lifecycle/transition.ts';
import type { ObjectRow } from '../objects.ts';
import type { Tx } from '../tx.ts';
import { T0, TestStore } from '../testing/test-store.ts';

/** What one record does: puts rows of `uid`, maybe reads others back, maybe throws. */
interface Step {
  readonly uid: string;
  readonly version: number;
  readonly deleted: boolean;
  readonly overAt: number;
  readonly look: 'children' | 'live' | 'attempts' | 'sum' | 'nothing';
  readonly throws: boolean;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  uid: fc.constantFrom('a', 'b', 'c'),
  version: fc.integer({ min: 1, max: 99 }),
  deleted: fc.boolean(),
  overAt: fc.integer({ min: 1, max: 9 }),
  look: fc.constantFrom('children', 'live', 'attempts', 'sum', 'nothing'),
  throws: fc.boolean(),
});
/** Transactions, of steps that each are a part of it or not. */
const STEPS = fc.array(fc.array(fc.tuple(STEP, fc.boolean()), { maxLength: 6 }), { maxLength: 4 });

function put(tx: Tx, { uid, version, deleted, overAt }: Step): void {
  const object: ObjectRow = {
    uid,
    kind: 'Pod',
    namespace: 'ns',
    name: uid,
    ownerUid: 'job',
    version: String(version),
    deleted,
    overAt: deleted ? T0 + overAt : undefined,
    factsSchema: 3,
    state: { facts: { version } },
  };
  const run = { uid, kind: 'Pod', namespace: 'ns', name: uid, runKey: uid, status: 'running', message: `${version}` };
  tx.objects.put(object);
  tx.runs.put({ run: run as Run, memory: { memos: {}, waiting: [], waitingFor: undefined } });
  tx.runs.putAttempt('job', { podUid: uid, podName: uid, phase: 'Running', startedAt: version } as Attempt);
}

/** Everything that a statement finds, which is what makes late rows be written. */
const all = (tx: Tx): unknown => [
  tx.objects.children('job', 'Pod'),
  tx.versions.live('Pod', 0, 10),
  tx.versions.liveSum('Pod'),
  tx.runs.attempts('job'),
];

function look(tx: Tx, what: Step['look']): unknown {
  if (what === 'children') return tx.objects.children('job', 'Pod');
  if (what === 'live') return tx.versions.live('Pod', 0, 10);
  if (what === 'sum') return tx.versions.liveSum('Pod');
  return what === 'attempts' ? tx.runs.attempts('job') : undefined;
}

/** The same transactions, with everything looked at after each step (`eagerly`) or only what the steps look at. */
function outcome(transactions: readonly (readonly (readonly [Step, boolean])[])[], eagerly: boolean): unknown {
  const t = new TestStore();
  const seen: unknown[] = [];
  const work = (tx: Tx, step: Step): void => {
    put(tx, step);
    if (eagerly) all(tx);
    seen.push(look(tx, step.look));
    if (step.throws) throw new Error('thrown');
  };
  try {
    for (const steps of transactions) {
      attempt(() =>
        t.store.transaction((tx) => {
          for (const [step, isPart] of steps) {
            if (isPart) attempt(() => tx.attempt(() => work(tx, step)));
            else work(tx, step);
          }
        }),
      );
    }
    const tables = ['objects', 'runs', 'attempts', 'run_counts'].map((table) => t.query(`SELECT * FROM ${table}`));
    return { seen, tables };
  } finally {
    t.remove();
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    expect(String(error)).toBe('Error: thrown');
  }
}

it('rows that are written late are found, and stored, as if each had been written at once', () => {
  fc.assert(
    fc.property(STEPS, (transactions) => {
      expect(outcome(transactions, false)).toEqual(outcome(transactions, true));
    }),
    { numRuns: 25 },
  );
});

it('a row that several records of a transaction change is written once', () => {
  const t = new TestStore();
  const step = { uid: 'a', deleted: false, overAt: 1, look: 'nothing', throws: false } as const;
  t.store.transaction((tx) => {
    for (let version = 1; version <= 9; version++) put(tx, { ...step, version });
  });
  expect(t.query('SELECT version FROM objects')).toEqual([{ version: '9' }]);
  expect(t.query('SELECT started_at FROM attempts')).toEqual([{ started_at: 9 }]);
  t.remove();
});
