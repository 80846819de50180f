import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import { connectOtlp, readRequests } from '../otlp-client.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { command, main } from './bench.ts';

const RECORDING = join(import.meta.dirname, '../fixtures/recordings/node.bin.gz');
const PREFIX = 'LIFECYCLE_BRIDGE__';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'record-replay-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('record and replay', () => {
  let vendors: Vendors;
  beforeAll(async () => void (vendors = await startVendors()));
  beforeEach(() => vendors.clear());
  afterAll(() => vendors.close());

  const env = (): Record<string, string> => ({
    [`${PREFIX}CRONITOR__DEFAULT__API_KEY`]: vendors.key,
    [`${PREFIX}CRONITOR__DEFAULT__API_URL`]: vendors.url,
    [`${PREFIX}CRONITOR__DEFAULT__PING_URL`]: vendors.url,
    [`${PREFIX}WEB__PORT`]: '0',
  });
  const reported = (): object[] =>
    vendors.cronitor.pings
      .map(({ monitor, query }) => ({ monitor, ...query }))
      .toSorted((a, b) => `${a.series} ${a.stamp} ${a.state}`.localeCompare(`${b.series} ${b.stamp} ${b.state}`));

  it('of a stream gives the same stream: at its recorded times it is reported as it happened', async () => {
    const file = join(folder, 'stream.gz');
    const port = await freePort();
    const recorder = spawn(process.execPath, [main, 'record', file, '--listen', `127.0.0.1:${port}`], {
      stdio: 'ignore',
    });
    const ended = once(recorder, 'exit');
    const client = connectOtlp(`127.0.0.1:${port}`);
    const requests = await readRequests(RECORDING);
    for (const request of requests)
      await until('it is recorded', async () => (await client.export(request)).response !== undefined);
    client.close();
    recorder.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect((await readRequests(file)).map(String)).toEqual(requests.map(String));

    const store = join(folder, 'kept.db');
    const replayed = await command(['replay', RECORDING, '--as-recorded', '--store', store], env());
    expect(replayed.code).toBe(0);
    const asRecorded = reported();
    expect(asRecorded.length).toBeGreaterThan(10);
    const stamps = asRecorded.map((ping) => Number((ping as { stamp: string }).stamp) * 1000);
    expect(new Date(Math.min(...stamps)).toISOString()).toBe('2026-11-21T06:11:00.000Z');

    // Its store is kept: the same stream again is nothing new, and `explain` reads it.
    vendors.clear();
    expect((await command(['replay', RECORDING, '--as-recorded', '--store', store], env())).code).toBe(0);
    expect(reported()).toEqual([]);
    const { stdout } = await command(['explain', 'shop/sync-stock', '--store', store]);
    expect(stdout).toMatch(/^shop\/sync-stock: CronJob, deleted\n/);
    expect(stdout).toContain('The last 2 runs of shop/sync-stock');
    expect(stdout.match(/BackoffLimitExceeded/g)).toHaveLength(2);
  });

  it('of a damaged recording replays what is whole, and says where it ends', async () => {
    const file = join(folder, 'cut.gz');
    await copyFile(RECORDING, file);
    truncateSync(file, Math.floor(statSync(file).size * 0.7));
    const replayed = await command(['replay', file], env());
    expect(replayed.stderr).toMatch(/replayed [4-7]\d\d requests\nruns /);
    expect(replayed.stderr).toMatch(
      /error: \S+cut\.gz is damaged at byte \d+ of its uncompressed content: it ends early\nnext: /,
    );
    expect(replayed.code).toBe(1);
    expect(reported().length).toBeGreaterThan(5);
  });

  it('ends in the middle when it is asked to, and leaves nothing behind', async () => {
    const options = { env: { PATH: process.env['PATH'], TMPDIR: folder, ...env() } };
    const replaying = spawn(process.execPath, [main, 'replay', RECORDING], options);
    const ended = once(replaying, 'exit');
    let asked = false;
    for await (const chunk of replaying.stderr.setEncoding('utf8')) {
      if (!asked && String(chunk).includes('replayed 100 requests')) asked = replaying.kill('SIGINT');
    }
    expect(await ended).toEqual([1, null]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('in a dry run ends by itself, sends nothing and says so', async () => {
    const store = join(folder, 'dry.db');
    const dry = { ...env(), [`${PREFIX}CRONITOR__DEFAULT__DRY_RUN`]: 'true', [`${PREFIX}STORE__PATH`]: store };
    const { code, stdout } = await command(['replay', RECORDING, '--store', store], dry);
    expect(code).toBe(0);
    expect(stdout).toContain('cronitor/default (dry run: nothing is sent)');
    expect(vendors.requests).toEqual([]);
    const explained = await command(['explain', 'shop/report'], dry);
    expect(explained.stdout).toMatch(
      /○ not in sync +cronitor\/default +\S+ +dry run: everything was done except the request/,
    );
  });
});
