import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { encodeLogs, watchBody } from '../../../test/otlp-client.ts';
import { loadConfig } from '../../config/load.ts';
import { startWorker } from './client.ts';
import type { Committed } from './protocol.ts';

const folder = mkdtempSync(join(tmpdir(), 'group-'));
afterEach(() => rmSync(folder, { recursive: true }));

const T0 = Date.UTC(2026, 0, 1);

function request(uid: string, resourceVersion = '1', status: object = {}): Uint8Array {
  const metadata = { uid, name: uid, namespace: 'ns', resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {}, status };
  return encodeLogs([{ body: watchBody('ADDED', job), observedAt: T0 }], { clusterName: 'c' });
}

it('requests of one moment share a commit, each has its own answer, and what was asked after them comes after them', async () => {
  const config = loadConfig({ env: { LIFECYCLE_BRIDGE__STORE__PATH: join(folder, 'bridge.db') } });
  const [commits, crashed]: [Committed[], Error[]] = [[], []];
  const worker = await startWorker(
    { config, startedAt: T0 },
    (committed) => commits.push(committed),
    (error) => crashed.push(error),
  );
  const { calls } = worker;
  const order: string[] = [];
  const noted =
    (name: string) =>
    <T>(value: T): T => (order.push(name), value);
  const ingest = (bytes: Uint8Array) => calls.ingest(bytes, T0).then(noted('ingest'));
  const answers = [ingest(request('a')), ingest(Uint8Array.of(0xff)), ingest(request('b'))];
  const probed = calls.probe().then(noted('probe'));
  const last = ingest(request('c'));
  expect((await Promise.all([...answers, last])).map(({ result }) => result)).toEqual([
    'committed',
    'undecodable',
    'committed',
    'committed',
  ]);
  await probed;
  await calls.probe();
  expect(order).toEqual(['ingest', 'ingest', 'ingest', 'probe', 'ingest']);
  expect(commits.map(({ requests, records }) => ({ requests, records }))).toEqual([
    { requests: 3, records: [{ kind: 'Job', result: 'observed', count: 2 }] },
    { requests: 1, records: [{ kind: 'Job', result: 'observed', count: 1 }] },
  ]);
  expect(crashed).toEqual([]);
  await calls.close();
  await worker.stop();
});

it('says of each commit whether there may be something to send', async () => {
  const config = loadConfig({ env: { LIFECYCLE_BRIDGE__STORE__PATH: join(folder, 'work', 'bridge.db') } });
  const commits: Committed[] = [];
  const worker = await startWorker(
    { config, startedAt: T0 },
    (committed) => commits.push(committed),
    () => undefined,
  );
  const started = { active: 1, startTime: '2026-01-01T00:00:00Z' };
  await worker.calls.ingest(request('a'), T0);
  await worker.calls.ingest(request('a', '2', started), T0);
  await worker.calls.ingest(request('a', '3', { ...started, active: 2 }), T0);
  await worker.calls.probe();
  const onlyJournal = {
    intents: new Set(),
    desired: new Set(),
    journal: true,
    logs: false,
    events: false,
    sweep: false,
  };
  expect(commits.map(({ changed, work, transitions }) => ({ changed, work, transitions }))).toEqual([
    { changed: true, work: undefined, transitions: [] },
    // Without a destination only who follows the journal has something to do.
    { changed: true, work: onlyJournal, transitions: ['run.started'] },
    { changed: true, work: undefined, transitions: [] },
  ]);
  await worker.calls.close();
  await worker.stop();
});
