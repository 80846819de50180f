import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { isSettled } from '../harness/readyz.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';

const RECORDING = join(import.meta.dirname, '../fixtures/recordings/node.bin.gz');
const releases = new Releases();
let vendors: Vendors;
let bridge: Bridge;

interface ApiRun {
  readonly uid: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly reason?: string | null;
  readonly cause?: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'replay-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  vendors = await startVendors();
  releases.add(() => vendors.close());
  const command = ['replay', RECORDING, '--serve'];
  bridge = await startBridge({ vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir, command });
  releases.add(async () => void (await bridge.stop()));
  await until(
    'everything is replayed and delivered',
    async () => {
      const runs = await jobs();
      const open = runs.filter(({ status }) => ['pending', 'running', 'stuck'].includes(status));
      return runs.length > 15 && open.length === 0 && isSettled(await bridge.readyz());
    },
    60_000,
  );
});

afterAll(() => releases.release());

async function jobs(): Promise<ApiRun[]> {
  const { items } = (await (await fetch(`${bridge.pageUrl}api/runs?limit=200`)).json()) as { items: ApiRun[] };
  return items.filter(({ kind }) => kind === 'Job');
}

async function cause(name: string): Promise<string | undefined> {
  return (await jobs()).find((job) => job.name === name)?.cause;
}

const EXPECTED: [string, number, string, string | undefined][] = [
  ['report', 5, 'succeeded', undefined],
  ['manual-report', 1, 'succeeded', undefined],
  ['sync-stock', 2, 'failed', 'BackoffLimitExceeded'],
  ['thumbnails', 2, 'failed', 'BackoffLimitExceeded'],
  ['migrate', 1, 'failed', 'BackoffLimitExceeded'],
  ['import-legacy', 1, 'failed', 'DeadlineExceeded'],
  ['too-big', 1, 'failed', 'DeadlineExceeded'],
  ['shards', 1, 'succeeded', undefined],
  ['short-lived', 1, 'succeeded', undefined],
  ['doomed', 1, 'cancelled', undefined],
];

async function detail(name: string): Promise<string> {
  const run = (await jobs()).find((job) => job.name.startsWith(name))!;
  return JSON.stringify(await (await fetch(`${bridge.pageUrl}api/runs/${run.uid}`)).json());
}

describe('the recording of a real node', () => {
  it.each(EXPECTED)('%s: %i runs end as %s %s', async (name, count, status, reason) => {
    const runs = (await jobs()).filter((job) => new RegExp(`^${name}(-\\d+)?$`).test(job.name));
    expect(runs).toHaveLength(count);
    for (const run of runs) {
      expect(run).toMatchObject({ status, ...(reason !== undefined && { reason }) });
    }
  });

  it('sends one run and one end per Job of a CronJob, in order, and none for others', async () => {
    const byOwner = (await jobs()).filter(({ name }) => /report|sync-stock|thumbnails/.test(name));
    const series = new Map<string, string[]>();
    for (const { query } of vendors.cronitor.pings)
      series.set(query.series!, [...(series.get(query.series!) ?? []), query.state]);
    const reported = byOwner.map(
      ({ uid, status }) => [uid, ['run', status === 'succeeded' ? 'complete' : 'fail']] as const,
    );
    expect(Object.fromEntries(series)).toEqual(Object.fromEntries(reported));
  });

  it('leaves three monitors: a deleted one is paused, a resumed one is not', () => {
    const paused = [...vendors.cronitor.monitors.values()].map(({ name, paused }) => [name, paused]);
    expect(new Map(paused as [string, boolean][])).toEqual(
      new Map([
        ['shop/report', false],
        ['shop/sync-stock', true],
        ['shop/thumbnails', undefined],
      ]),
    );
    expect(vendors.cronitor.autoCreated).toEqual([]);
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it('shows the OOM kill, the failing init container and the image that cannot be pulled', async () => {
    expect(await detail('thumbnails')).toContain('OOMKilled (exit code 137)');
    expect(await detail('migrate')).toContain('container wait-for-db: exit code 2');
    expect(await detail('import-legacy')).toContain('waits with ErrImagePull');
    expect(await cause('import-legacy')).toMatch(
      /^container \S+ waited with (ErrImagePull|ImagePullBackOff): .*; DeadlineExceeded$/,
    );
    expect(await cause('too-big')).toMatch(/^no node took the pod: 0\/1 nodes are available: .*; DeadlineExceeded$/);
    const oom = vendors.cronitor.pings.find(({ query }) => query.message?.includes('OOMKilled'));
    expect(oom?.query).toMatchObject({
      state: 'fail',
      message: expect.stringContaining('container resize was OOMKilled (exit code 137)'),
    });
  });

  it('moved all times so that it ended less than a minute ago', async () => {
    const last = Math.max(...(await jobs()).map(({ endedAt }) => Date.parse(endedAt)));
    expect(Date.now() - last).toBeLessThan(4 * 60_000);
    expect(last).toBeLessThanOrEqual(Date.now());
  });
});
