import { ABOUT } from '../../../../test/fixtures/facts.ts';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Run, RunStatus, Transition } from '../../../lifecycle/transition.ts';
import type { Page } from '../../read.ts';
import { DELIVERED, DESTINATION, REFUSED, T0, TestStore } from '../../testing/test-store.ts';
import { openReader } from '../open.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

function putRun(uid: string, startedAt: number | undefined, more: Partial<Run> = {}): void {
  const run = {
    uid,
    kind: 'Job',
    namespace: 'ns',
    name: `job-${uid}`,
    runKey: uid,
    status: 'running',
    startedAt,
    ...more,
  };
  const memory = { memos: {}, waiting: [], waitingFor: undefined };
  t.store.transaction((tx) => tx.runs.put({ run: { createdAt: T0, ...run } as Run, memory }));
}

/** Everything that paging shows, with something done between the pages. */
function readAll<T>(read: (cursor?: string) => Page<T>, between: () => void): T[] {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = read(cursor);
    items.push(...page.items);
    cursor = page.next;
    between();
  } while (cursor !== undefined);
  return items;
}

const paged = (cursor: string | undefined) => ({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
const uids = (runs: readonly Run[]) => runs.map(({ uid }) => uid);

describe('runs', () => {
  it('are listed newest first, by start or else creation', () => {
    putRun('a', T0 + 1);
    putRun('b', undefined, { createdAt: T0 + 3 });
    putRun('c', T0 + 2);
    expect(uids(t.reader.runs({ limit: 10 }).items)).toEqual(['b', 'c', 'a']);
  });

  it('are paged without a gap or a repeat while newer ones arrive, those of one instant too', () => {
    for (const uid of ['a', 'b', 'c', 'd', 'e']) putRun(uid, T0);
    let added = 0;
    const all = readAll(
      (cursor) => t.reader.runs(paged(cursor)),
      () => putRun(`new${added++}`, T0 + 1),
    );
    expect(uids(all)).toEqual(['e', 'd', 'c', 'b', 'a']);
  });

  it('are filtered by status, namespace and owner, together', () => {
    putRun('a', T0, { status: 'failed', ownerName: 'backup' });
    putRun('b', T0, { status: 'failed', ownerName: 'report' });
    putRun('c', T0, { status: 'succeeded', ownerName: 'backup', namespace: 'other' });
    expect(uids(t.reader.runs({ limit: 10, status: 'failed' }).items)).toEqual(['b', 'a']);
    expect(uids(t.reader.runs({ limit: 10, owner: 'backup' }).items)).toEqual(['c', 'a']);
    expect(uids(t.reader.runs({ limit: 10, owner: 'backup', namespace: 'ns', status: 'failed' }).items)).toEqual(['a']);
    expect(t.reader.runCounts()).toEqual({ failed: 2, succeeded: 1 } satisfies Partial<Record<RunStatus, number>>);
  });

  it('are counted by state, within a namespace or a CronJob too, as they change and go', () => {
    putRun('a', T0, { status: 'running', ownerName: 'backup' });
    putRun('b', T0, { status: 'failed', ownerName: 'report' });
    putRun('c', T0, { status: 'failed', ownerName: 'backup', namespace: 'other' });
    putRun('d', T0, { status: 'failed', ownerName: undefined });
    putRun('a', T0, { status: 'failed', ownerName: 'backup' });
    putRun('a', T0 + 1, { status: 'failed', ownerName: 'backup' });
    putRun('d', T0, { status: 'failed', ownerName: 'report' });
    expect(t.reader.runCounts()).toEqual({ failed: 4 });
    expect(t.reader.runCounts({ namespace: 'ns' })).toEqual({ failed: 3 });
    expect(t.reader.runCounts({ namespace: 'ns', owner: 'report' })).toEqual({ failed: 2 });
    expect(t.reader.runCounts({ owner: 'backup' })).toEqual({ failed: 2 });
    expect(t.reader.runCounts({ namespace: 'none' })).toEqual({});
    const retention = new DatabaseSync(t.path);
    for (const uid of ['a', 'b', 'd']) retention.prepare('DELETE FROM runs WHERE uid = ?').run(uid);
    expect(t.reader.runCounts()).toEqual({ failed: 1 });
    const kept = retention.prepare("SELECT namespace, count FROM run_counts WHERE owner_name <> ''").all();
    expect(kept).toEqual([{ namespace: 'other', count: 1 }]);
    retention.close();
  });

  it('are found by UID, by name and by CronJob name', () => {
    putRun('a', T0, { ownerName: 'backup' });
    putRun('b', T0 + 1, { ownerName: 'backup' });
    putRun('c', T0, { namespace: 'other', ownerName: 'backup' });
    expect(uids(t.reader.findRuns('ns', 'backup', 10))).toEqual(['b', 'a']);
    expect(uids(t.reader.findRuns('ns', 'backup', 1))).toEqual(['b']);
    expect(uids(t.reader.findRuns('ns', 'job-a', 10))).toEqual(['a']);
    expect(uids(t.reader.findRuns('any', 'c', 10))).toEqual(['c']);
  });

  it('refuses a cursor of another list', () => {
    t.enqueue({ key: 'a' }, { key: 'b' });
    const { next } = t.reader.deliveries({ limit: 1 });
    expect(() => t.reader.runs({ limit: 1, cursor: next! })).toThrow('this cursor does not belong to this list');
    for (const text of ['nonsense', '["uid", 1]', '{}']) {
      const cursor = Buffer.from(text).toString('base64url');
      expect(() => t.reader.runs({ limit: 1, cursor })).toThrow('this cursor does not belong to this list');
    }
  });
});

describe('one run', () => {
  it('comes with its attempts, timeline, decisions and deliveries', () => {
    putRun('r', T0);
    t.store.transaction((tx) => {
      const transition: Transition = {
        id: 't2',
        kind: 'run.ended',
        at: T0 + 2,
        about: ABOUT,
        runUid: 'r',
        text: 'ended',
      };
      tx.timeline.add(transition, T0);
      tx.timeline.add({ ...transition, id: 't1', kind: 'run.started', at: T0 + 1 }, T0);
      tx.timeline.add({ ...transition, id: 't3', runUid: 'other' }, T0);
      tx.runs.putAttempt('r', { podUid: 'p', podName: 'pod', phase: 'Running' } as never);
      const decision = { destination: DESTINATION, reason: undefined, detail: undefined, at: T0 };
      tx.timeline.decide({ ...decision, transitionId: 't1', verdict: 'planned' });
      tx.timeline.decide({ ...decision, transitionId: 't3', verdict: 'planned' });
      tx.timeline.enqueue(DESTINATION, 't1', { key: 'k', lane: 'r', payload: { state: 'run' }, limits: [] }, T0);
    });
    expect(t.reader.run('r')).toMatchObject({
      run: { uid: 'r' },
      attempts: [{ podUid: 'p' }],
      transitions: [{ id: 't1' }, { id: 't2' }],
      decisions: [{ transitionId: 't1', verdict: 'planned' }],
      deliveries: [{ transitionId: 't1', runUid: 'r', payload: { state: 'run' }, status: 'pending', nextAt: T0 }],
    });
    expect(t.reader.run('unknown')).toBeUndefined();
  });
});

describe('deliveries', () => {
  it('are filtered by status and destination, newest first, and paged', () => {
    t.enqueue({ key: 'a' }, { key: 'b' }, { key: 'c' }, { key: 'd', lane: 'c' });
    const [a, b] = t.claim();
    t.settle([a!], DELIVERED);
    t.settle([b!], REFUSED);
    const seqs = (query: Parameters<typeof t.reader.deliveries>[0]) =>
      t.reader.deliveries(query).items.map(({ transitionId }) => transitionId.at(-1));
    expect(seqs({ limit: 9 })).toEqual(['d', 'c', 'b', 'a']);
    expect(seqs({ limit: 9, status: 'pending' })).toEqual(['d']);
    expect(seqs({ limit: 9, status: 'sending' })).toEqual(['c']);
    expect(seqs({ limit: 9, status: 'delivered' })).toEqual(['a']);
    expect(seqs({ limit: 9, status: 'dropped', destination: DESTINATION })).toEqual(['b']);
    expect(seqs({ limit: 9, destination: 'sentry/default' })).toEqual([]);
    const all = readAll(
      (cursor) => t.reader.deliveries(paged(cursor)),
      () => {},
    );
    expect(all).toHaveLength(4);
  });
});

describe('drops', () => {
  it('are decisions, deliveries and quarantine in one list, newest first, paged while more are added', () => {
    t.store.transaction((tx) => {
      tx.timeline.add({ id: 't1', kind: 'run.started', at: T0, about: ABOUT, runUid: 'r', text: 'started' }, T0);
      const decision = { destination: DESTINATION, verdict: 'dropped' as const, detail: undefined };
      tx.timeline.decide({ ...decision, transitionId: 't1', reason: 'before_cutoff', at: T0 });
      tx.timeline.decide({ ...decision, transitionId: 't2', reason: 'not_selected', at: T0 + 2 });
      tx.timeline.decide({ ...decision, transitionId: 't3', verdict: 'waiting', reason: 'owner_unknown', at: T0 });
      const bytes = new Uint8Array(1);
      tx.quarantine.put({ subject: 'u', reason: 'core_error', version: '1', error: 'boom', bytes, at: T0 + 1 });
    });
    t.enqueue({ key: 'a' });
    t.now = T0 + 1;
    t.settle(t.claim(), REFUSED);
    let later = T0 + 9;
    const all = readAll(
      (cursor) => t.reader.drops(paged(cursor)),
      () =>
        t.store.transaction((tx) => {
          const bytes = new Uint8Array(1);
          const at = later++;
          tx.quarantine.put({ subject: `u${at}`, reason: 'not_kubernetes', version: undefined, error: 'x', bytes, at });
        }),
    );
    expect(all).toEqual([
      { at: T0 + 2, kind: 'decision', id: 2, subject: 't2', destination: DESTINATION, reason: 'not_selected' },
      { at: T0 + 1, kind: 'quarantine', id: 1, subject: 'u', reason: 'core_error', detail: 'boom' },
      {
        at: T0 + 1,
        kind: 'delivery',
        id: 1,
        subject: 'transition of a',
        destination: DESTINATION,
        reason: 'bad_request',
        detail: 'no such schedule',
      },
      {
        at: T0,
        kind: 'decision',
        id: 1,
        subject: 't1',
        destination: DESTINATION,
        runUid: 'r',
        reason: 'before_cutoff',
      },
    ]);
  });
});

describe('figures', () => {
  it('give depth per destination, its oldest intent and what is not in sync', () => {
    t.store.cutoff('sentry/default', T0);
    t.enqueue({ key: 'a' });
    t.now += 1;
    t.enqueue({ key: 'b' });
    t.want('m', 1);
    t.want('n', 1, { uid: 'other' });
    t.settleRows(t.claimRows().slice(0, 1), DELIVERED);
    expect(t.reader.depth()).toEqual([
      { destination: DESTINATION, pending: 2, oldestCreatedAt: T0, notInSync: 1 },
      { destination: 'sentry/default', pending: 0, oldestCreatedAt: undefined, notInSync: 0 },
    ]);
  });

  it('count the CronJobs that are not deleted', () => {
    const row = { kind: 'CronJob' as const, namespace: 'ns', name: 'n', ownerUid: undefined, version: '1', state: {} };
    t.store.transaction((tx) => {
      tx.objects.put({ ...row, uid: 'a', deleted: false });
      tx.objects.put({ ...row, uid: 'b', deleted: true });
      tx.objects.put({ ...row, uid: 'c', kind: 'Job', deleted: false });
    });
    expect(t.reader.cronJobCount()).toBe(1);
  });

  it('page the monitors, newest first', () => {
    for (const key of ['a', 'b', 'c']) t.want(key, 1, { uid: key });
    const all = readAll(
      (cursor) => t.reader.desired(paged(cursor)),
      () => {},
    );
    expect(all.map(({ key }) => key)).toEqual(['c', 'b', 'a']);
  });

  it('of a dry run count as in sync and say why they are not sent', () => {
    t.want('a', 1);
    expect(t.reader.depth()).toMatchObject([{ destination: DESTINATION, notInSync: 1 }]);
    const dry = openReader(t.path, [DESTINATION]);
    expect(dry.depth()).toMatchObject([{ destination: DESTINATION, notInSync: 0 }]);
    expect(dry.desired({ limit: 10 }).items).toMatchObject([{ key: 'a', inSync: false, reason: 'dry_run' }]);
    dry.close();
  });

  it('are given with their CronJob, the live one of its name', () => {
    const row = { kind: 'CronJob' as const, namespace: 'ns', ownerUid: undefined, version: '1' };
    const put = (uid: string, name: string, deleted: boolean): void =>
      t.store.transaction((tx) => tx.objects.put({ ...row, uid, name, deleted, state: { facts: { uid }, deleted } }));
    put('old', 'n', true);
    put('new', 'n', false);
    put('gone', 'm', true);
    t.want('a', 1, { uid: 'new' });
    t.want('b', 1, { uid: 'other' });
    expect(t.reader.cronJob('ns', 'n')).toMatchObject({ facts: { uid: 'new' }, desired: [{ key: 'a' }] });
    expect(t.reader.cronJob('ns', 'm')).toMatchObject({ facts: { uid: 'gone' }, deleted: true, desired: [] });
    expect(t.reader.cronJob('other', 'n')).toBeUndefined();
  });
});

describe('what probes and scrapes ask for', () => {
  const pending = () => t.reader.depth().map(({ pending }) => pending);
  const enqueue = (key: string): void =>
    void t.store.transaction((tx) =>
      tx.timeline.enqueue(DESTINATION, 't', { key, lane: key, payload: null, limits: [] }, T0),
    );

  it('is read once for each state of the store', () => {
    enqueue('a');
    const first = t.reader.depth();
    expect(t.reader.depth()).toBe(first);
    t.store.transaction((tx) => tx.meta.get('nothing is written'));
    expect(t.reader.depth()).toBe(first);
  });

  it('is never older than the last commit', () => {
    const counts = ['a', 'b', 'c'].map((key) => (enqueue(key), pending()));
    expect(counts).toEqual([[1], [2], [3]]);
    const [claimed] = t.store.claim(DESTINATION, 1, T0, [], false);
    t.store.settle([{ seq: claimed!.seq, delivery: DELIVERED }], T0);
    expect(pending()).toEqual([2]);
    expect(t.reader.receiptCounts()).toEqual([{ destination: DESTINATION, reason: 'delivered', count: 1 }]);
  });
});
