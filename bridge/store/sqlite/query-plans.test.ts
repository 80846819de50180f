import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DELIVERED, DESTINATION, HOUR, MINUTE, TestStore, held } from '../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

/** Where SQLite looks at all of a table or sorts, and how it finds intents, in the statements that are first used by `work`. */
const scansOf = (work: () => void): string[] => stepsOf(work, 4, /^SCAN|TEMP B-TREE|SEARCH intents/);

function stepsOf(work: () => void, statementsAtLeast: number, shown: RegExp): string[] {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  try {
    work();
    const statements = new Set(prepare.mock.calls.map(([sql]) => sql));
    expect(statements.size).toBeGreaterThanOrEqual(statementsAtLeast);
    prepare.mockRestore();
    const database = new DatabaseSync(t.path, { readOnly: true });
    const steps = [...statements].flatMap((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    database.close();
    const details = new Set(steps.map(({ detail }) => String(detail)));
    return [...details].filter((detail) => shown.test(detail));
  } finally {
    prepare.mockRestore();
  }
}

/** So many due intents behind one key and one lane that the gates are asked, and not the oldest alone. */
function fill(shared?: string): void {
  const limitsOf = (own: string) => [own, shared].flatMap((key) => (key ? [{ key, perSecond: 5 }] : []));
  for (let n = 0; n < 100; n++) {
    t.enqueue({ key: `busy ${n}`, limits: limitsOf('busy') });
    t.enqueue({ key: `lane ${n}`, lane: 'one lane', limits: limitsOf('lane') });
  }
  for (let n = 0; n < 20; n++) t.enqueue({ key: `open ${n}`, limits: limitsOf(`monitor ${n}`) });
}

it('a claim and a settlement look at the gates and at no more rows than they take, however many wait', () => {
  fill();
  const scans = scansOf(() => {
    const claimed = t.store.claim(DESTINATION, 16, t.now, ['busy', 'lane'], false, 1);
    expect(claimed.map(({ key }) => key.split(' ')[0])).toEqual(Array.from({ length: 16 }, () => 'open'));
    t.settle(claimed, DELIVERED);
  });
  expect(scans).toEqual([
    'SEARCH intents USING INDEX intents_due (destination=? AND status=? AND next_at<?)',
    'SCAN retirements',
    'SEARCH intents USING COVERING INDEX intents_gate (destination=? AND status=?)',
    'SCAN gates',
    'SEARCH intents USING COVERING INDEX intents_gate (destination=? AND status=? AND gate>?)',
    'SEARCH intents USING COVERING INDEX intents_gate (destination=? AND status=? AND gate=?)',
    'SCAN fronts',
    'USE TEMP B-TREE FOR ORDER BY',
    'SEARCH intents USING INDEX intents_gate (destination=? AND status=? AND gate=? AND next_at<?)',
    'SEARCH intents USING INTEGER PRIMARY KEY (rowid=?)',
  ]);
});

it('a claim takes nothing while a key is held that all share', () => {
  t.enqueue({ key: 'one', limits: [{ key: 'address', perSecond: 50 }] });
  t.settle(t.store.claim(DESTINATION, 1, t.now, [], false, 1), held('address', MINUTE));
  fill('address');
  expect(t.store.claim(DESTINATION, 16, t.now, [], false, 1)).toEqual([]);
  expect(t.claimedKeys()).toEqual([]);
});

it('a sweep gives nothing up where all would be old but for a hold', () => {
  fill('address');
  const [one] = t.store.claim(DESTINATION, 1, t.now + MINUTE, [], false);
  t.settle([one!], held('address', 10 * HOUR));
  t.now += 9 * HOUR;
  t.store.sweep(t.now, HOUR, 2 * MINUTE);
  expect(t.reader.receiptCounts()).toEqual([]);
});

it('a sweep looks at what is ready, failing or claimed once, not once for each row that it judges', () => {
  fill();
  const often = [
    'SCAN retirements',
    'SCAN intents USING COVERING INDEX intents_age',
    'SCAN head USING INDEX intents_failing',
    'SCAN left_destinations',
    'SCAN journals',
    'SCAN claims USING COVERING INDEX claims_uid',
    'SCAN intents USING INDEX intents_lane',
  ];
  const hourly = [
    'SCAN intents USING INDEX intents_awaiting',
    'USE TEMP B-TREE FOR ORDER BY',
    'SCAN desired USING INDEX desired_due',
    'SCAN json_each VIRTUAL TABLE INDEX 1:',
    'SCAN former_rows',
    'SCAN holds',
  ];
  expect(scansOf(() => t.store.sweep(t.now, HOUR, 2 * MINUTE))).toEqual([...often, ...hourly]);
});

it('the audit of a namespace looks at the objects of that namespace alone, and one of all at none twice', () => {
  const steps = stepsOf(
    () =>
      t.store.transaction((tx) => {
        tx.versions.live('Pod', 0, 5000, 'shop');
        tx.versions.live('Pod', 0, 5000);
      }),
    2,
    /./,
  );
  expect(steps).toEqual([
    'SEARCH objects USING INDEX objects_live_namespace (kind=? AND namespace=? AND rowid>?)',
    'SEARCH objects USING INDEX objects_live (kind=? AND rowid>?)',
  ]);
});

it('the note of the last commit looks at what waits to be sent, and at nothing that is settled', () => {
  fill();
  t.store.ingested(t.now);
  const steps = stepsOf(() => t.store.retain(t.now, { age: HOUR, maxBytes: 2 ** 30 }), 4, /intents/);
  expect(steps).toContain('SEARCH intents USING INDEX intents_due');
  expect(steps).not.toContain('SEARCH intents');
});

it('a tick looks at the timers of its kind that are due, and a new Job at those of its own CronJob', () => {
  const steps = stepsOf(
    () =>
      t.store.transaction((tx) => {
        tx.timers.due('stuck', t.now, 500);
        tx.timers.below('replacement/uid-of-the-cronjob');
      }),
    2,
    /./,
  );
  expect(steps).toEqual([
    'SEARCH timers USING INDEX timers_kind_due (kind=? AND due<?)',
    'SEARCH timers USING PRIMARY KEY (id>? AND id<?)',
  ]);
});

it('what is asked all the time while nothing happens is compiled once', () => {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  t.store.claim(DESTINATION, 16, t.now, ['busy'], false, 1);
  t.store.claimDesired(DESTINATION, 100, t.now);
  t.store.wantedLogs(8, t.now, []);
  t.store.dueEvents(10, t.now);
  t.store.transaction((tx) => tx.timers.due('stuck', t.now, 500));
  t.store.retain(t.now, { age: HOUR, maxBytes: 2 ** 30 });
  const compiled = prepare.mock.calls.map(([sql]) => sql);
  prepare.mockRestore();
  expect(compiled.length).toBeGreaterThan(5);
  // See `Db`: SQLite would look at what is bound there.
  expect(compiled.filter((sql) => /LIMIT \?\d*(?![\d +])|status = \?/.test(sql))).toEqual([]);
});
