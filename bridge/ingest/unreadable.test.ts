import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, cronJobFacts, podFacts, T0, terminated } from '../../test/fixtures/facts.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { at, complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

const DESTINATION = 'cronitor/default';
const BROKEN = '{"facts":{"uid":"x","na\u0001me"';
const LIMITS = { age: 1e15, maxBytes: 1e15 };
const other = {
  cron: cronJobFacts({ uid: uidOf(8), name: 'other' }),
  job: scheduled({ uid: uidOf(9), name: 'other-1' }),
};
const pod = podFacts({
  phase: 'Failed',
  nodeName: 'node1',
  startAt: T0 + 1_000,
  containers: [container({ terminated: terminated(4, T0 + 8_000) })],
});

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
  const second = { ...other.job, owner: { ...other.job.owner!, uid: other.cron.uid, name: other.cron.name } };
  bridge.take([at(CRON, T0), at(other.cron, T0), at(scheduled(), T0), at(second, T0), at(pod, T0)]);
});
afterEach(() => bridge.close());

/** What a disk that loses a bit leaves behind. */
function damage(sql: string, ...values: string[]): void {
  const database = new DatabaseSync(bridge.path);
  expect(database.prepare(sql).run(...values).changes).toBeGreaterThan(0);
  database.close();
}

function count(sql: string): unknown {
  const database = new DatabaseSync(bridge.path, { readOnly: true });
  const row = database.prepare(`SELECT count(*) AS count ${sql}`).get();
  database.close();
  return row?.['count'];
}

/** Every list and every page of the reader. */
function readAll(): void {
  const { reader } = bridge;
  const limit = 100;
  for (const { uid } of reader.runs({ limit }).items) reader.run(uid);
  for (const read of ['desired', 'deliveries', 'drops', 'cronJobs', 'problems'] as const) reader[read]({ limit });
  for (const name of [CRON.name, 'other']) reader.cronJob(CRON.namespace, name);
  for (const row of reader.drops({ limit }).items) if (row.kind === 'quarantine') reader.quarantined(row.id);
  reader.problemCounts();
  reader.depth();
  reader.findRuns(CRON.namespace, CRON.name, 10);
}

const quarantined = (): string[] =>
  bridge.reader.drops({ limit: 100, kind: 'quarantine' }).items.map(({ subject, reason }) => `${subject} ${reason}`);

/** Days of housekeeping and of every other call of the store. */
function live(): void {
  for (let n = 0; n < 5; n++) {
    bridge.store.retain(T0 + 60_000 + n, LIMITS);
    bridge.tick(T0 + 60_000 + n * 1_000);
  }
  bridge.store.claim(DESTINATION, 100, T0 + 120_000, [], false);
  bridge.store.claimDesired(DESTINATION, 100, T0 + 120_000);
  bridge.store.sweep(T0 + 120_000, 1e12, 1e12);
  bridge.store.dueEvents(10, T0 + 120_000);
}

const COLUMNS: readonly (readonly [table: string, column: string])[] = [
  ['objects', 'state'],
  ['runs', 'run'],
  ['runs', 'memory'],
  ['attempts', 'attempt'],
  ['transitions', 'transition'],
  ['intents', 'payload'],
  ['intents', 'limits'],
  ['intents', 'gate'],
  ['desired', 'wanted'],
  ['claims', 'wanted'],
];

describe('stored rows that cannot be read', () => {
  it.each(COLUMNS.flatMap(([table, column]) => [BROKEN, '', 'null', '7', '[]'].map((text) => [table, column, text])))(
    '%s.%s as %j stop no list, no record, no tick, no start',
    (table, column, text) => {
      damage(`UPDATE ${table} SET ${column} = ?`, text);
      readAll();
      live();
      const ended = complete({ resourceVersion: '300' });
      expect(bridge.take([at(cronJobFacts({ schedule: '@hourly', resourceVersion: '300' }), T0)]).poisoned).toBe(0);
      expect(bridge.take([at(ended, T0 + 9_000), at({ ...pod, resourceVersion: '300' }, T0)]).poisoned).toBe(0);
      readAll();
      live();
      bridge.restart();
      live();
      readAll();
      expect(bridge.run()?.status).toBe('succeeded');
    },
  );

  it('of a living object are in quarantine within a pass of the retention, and the audit fetches it again', () => {
    damage('UPDATE objects SET state = ? WHERE uid = ?', BROKEN, JOB_UID);
    bridge.store.retain(T0 + 60_000, LIMITS);
    expect(quarantined()).toEqual([`objects/${JOB_UID} unreadable_row`]);
    expect(bridge.store.takeUnreadable()).toBe(1);
    expect(bridge.store.transaction((tx) => tx.versions.get(JOB_UID))).toBeUndefined();
    bridge.take([{ ...at(complete({ resourceVersion: '300' }), T0 + 9_000), listed: true }]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.transitions().map(({ id }) => id)).toEqual([...new Set(bridge.transitions().map(({ id }) => id))]);
  });

  it('of a run are shown with what is known beside them, and are whole again with the next record', () => {
    damage('UPDATE runs SET run = ? WHERE uid = ?', BROKEN, JOB_UID);
    expect(bridge.run()).toMatchObject({ name: scheduled().name, status: 'running', reason: 'unreadable_row' });
    bridge.take([at(complete(), T0 + 9_000)]);
    expect(bridge.run()).toMatchObject({ status: 'succeeded' });
    expect(bridge.run()?.reason).toBeUndefined();
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
  });

  it('of an intent are given up with their reason, and the next of the lane goes', () => {
    bridge.take([at(complete(), T0 + 9_000)]);
    const now = T0 + 120_000;
    for (const { key, wantedHash } of bridge.store.claimDesired(DESTINATION, 100, now)) {
      const delivery = { outcome: 'delivered' } as const;
      bridge.store.settleDesired([{ destination: DESTINATION, key, sentHash: wantedHash, delivery }], now);
    }
    damage("UPDATE intents SET payload = ? WHERE key LIKE '%/started'", BROKEN);
    const states = () =>
      bridge.store
        .claim(DESTINATION, 100, now, [], false)
        .map(({ payload }) => (payload as { query: { state: string } }).query.state);
    expect(states()).toEqual(['complete']);
    const drops = bridge.reader.drops({ limit: 10, kind: 'delivery' }).items;
    expect(drops.map(({ reason }) => reason)).toEqual(['unreadable_row', 'unreadable_row']);
  });

  it('of a monitor give way to what its CronJob claims', () => {
    damage('UPDATE desired SET wanted = ?', BROKEN);
    expect(bridge.store.claimDesired(DESTINATION, 100, T0 + 120_000)).toHaveLength(2);
    expect(quarantined()).toEqual([expect.stringMatching(/^desired\//), expect.stringMatching(/^desired\//)]);
  });

  it('of a claim have its CronJob read again by the audit', () => {
    damage('UPDATE claims SET wanted = ? WHERE uid = ?', BROKEN, CRON.uid);
    damage('UPDATE desired SET wanted = ?', BROKEN);
    bridge.store.claimDesired(DESTINATION, 100, T0 + 120_000);
    bridge.take([{ ...at(CRON, T0), listed: true }]);
    expect(count('FROM claims')).toBe(2);
    expect(count('FROM desired')).toBe(2);
  });

  it('of annotations that cannot be read are found again', () => {
    bridge.close();
    bridge = new TestEngine({ planners: [createCronitorPlanner('default', planConfig())] });
    const wrong = { 'k8s.cronitor.io/exclude': 'maybe' };
    bridge.take([at(cronJobFacts({ annotations: wrong }), T0)]);
    damage('UPDATE annotation_problems SET problems = ?', BROKEN);
    readAll();
    expect(bridge.reader.problemCounts()).toEqual([]);
    live();
    bridge.restart();
    expect(bridge.reader.problemCounts()).toHaveLength(1);
  });

  it('of a whole kind do not stop a new epoch of its versions', () => {
    damage('UPDATE objects SET state = ? WHERE uid = ?', BROKEN, JOB_UID);
    bridge.store.transaction((tx) => tx.versions.forget('Job'));
    expect(bridge.store.transaction((tx) => tx.objects.get(uidOf(9)))?.version).toBe('');
  });
});
