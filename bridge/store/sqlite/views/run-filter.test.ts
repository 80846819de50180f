import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Run } from '../../../lifecycle/transition.ts';
import { T0, TestStore } from '../../testing/test-store.ts';

const RUN_UID = '6f1f3c52-4c2e-4b6a-9a55-0123456789ab';

let t: TestStore;
beforeEach(() => void (t = new TestStore()));
afterEach(() => t.remove());

function putRun(uid: string, createdAt: number, more: Partial<Run>): void {
  const run = { uid, kind: 'Job', namespace: 'ns', runKey: uid, createdAt, startedAt: createdAt, ...more } as Run;
  t.store.transaction((tx) => tx.runs.put({ run, memory: { memos: {}, waiting: [], waitingFor: undefined } }));
}

const uids = (runs: readonly Run[]): string[] => runs.map(({ uid }) => uid);

it.each<[string, string[]]>([
  ['report', ['c', 'b']],
  ['PORT-2938', ['b']],
  ['other/report', ['c']],
  ['none/report', []],
  ['backup', [RUN_UID]],
  [RUN_UID, [RUN_UID]],
  [RUN_UID.replaceAll('-', ''), [RUN_UID]],
  ['6f1f3c52', [RUN_UID]],
  ['report-29380415-x7k2q', ['c', 'b']], // a Deployment of that name might have such a pod
  ['ns/job/report-29380415', ['b']],
  ["'; --%", []],
])('runs are searched by a part of a name, a pod, a UID or a trace id: %s', (q, found) => {
  putRun(RUN_UID, T0, { name: 'nightly', ownerName: 'backup', status: 'failed' });
  putRun('b', T0 + 1, { name: 'report-29380415', ownerName: undefined, status: 'failed' });
  putRun('c', T0 + 2, { name: 'report', namespace: 'other', ownerName: undefined, status: 'failed' });
  expect(uids(t.reader.runs({ limit: 10, q }).items)).toEqual(found);
  expect(t.reader.runCounts({ q })).toEqual(found.length === 0 ? {} : { failed: found.length });
  expect(uids(t.reader.runs({ limit: 10, q, status: 'running' }).items)).toEqual([]);
});
