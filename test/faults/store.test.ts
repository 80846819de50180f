import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { basename, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import type { SmallDisk } from '../harness/small-disk.ts';
import { mountSmallDisk } from '../harness/small-disk.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, makeCronJobs, runs, setStage, SHORT, startRun } from './stage.ts';

/** A bridge that loses its store earlier than that needs a person. */
const LASTS_MS = 11_000;

let disk: SmallDisk | undefined;
let stage: Stage;
let bridgeBegan: number;

beforeAll(async () => {
  disk = mountSmallDisk(64);
  stage = await setStage('store', disk && { bridgeDir: disk.folder });
  bridgeBegan = Date.now();
});
afterAll(async () => {
  await stage.close();
  disk?.remove();
});

function logged(text: string): number {
  return readFileSync(stage.bridge.logFile, 'utf8').split(text).length - 1;
}

// Short, test/replay/disk-full and store-lost and the simulation show it.
describe.skipIf(SHORT)('a full disk during runs', () => {
  it('makes the Collector keep what happens; with room again all is reported once, without a restart', async ({
    skip,
  }) => {
    skip(disk === undefined, 'a full disk needs the right to mount a tmpfs (root)');
    const { bridge } = stage;
    const started = await runs(stage, 'full', 3);
    emptyWriteAheadLog();
    disk?.fill();
    const ready = async (): Promise<boolean> => (await fetch(`${bridge.pageUrl}readyz`)).ok;
    for (let n = 3; n < 6 || (await ready()); n++) started.push(await startRun(stage, 'full', n));
    for (let n = started.length, end = n + 6; n < end; n++) started.push(await startRun(stage, 'full', n));
    expect(await ready()).toBe(false);
    disk?.free();
    await expectReported(stage, started);
    await until('it is ready', ready);
    expect(logged('"msg":"started"')).toBe(1);
  });
});

/** What is left of it would have room for many commits more. */
function emptyWriteAheadLog(): void {
  const db = new DatabaseSync(stage.bridge.storePath, { timeout: 5_000 });
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

/** Overwrites files in place, as a broken disk does. */
function destroy(...files: readonly string[]): void {
  for (const file of files.filter((name) => existsSync(name))) {
    const { size } = statSync(file);
    const handle = openSync(file, 'r+');
    writeSync(handle, Buffer.alloc(size, 0xa5), 0, size, 0);
    closeSync(handle);
  }
}

/** Runs that are over and reported, and runs that go on: their starts are reported. */
async function history(name: string): Promise<{ over: Started[]; open: Started[] }> {
  const { kube, vendors } = stage;
  const over = await runs(stage, name, 3);
  await kube.apply(
    cronJob({ name: `${name}-long-ok`, pod: { run: '120s' } }),
    cronJob({ name: `${name}-long-bad`, pod: { run: '120s', exit: '3' }, job: { backoffLimit: 0 } }),
  );
  const open: Started[] = [];
  for (let n = 0; n < 4; n++) open.push(await startRun(stage, `${name}-long`, n));
  await expectReported(stage, over);
  const began = ({ job }: Started): boolean =>
    vendors.cronitor.pings.some(({ query }) => query.series === job.metadata.uid);
  await until('the open runs have begun at the vendor', () => open.every(began));
  // What is reported after the noted time may be reported again.
  const reportedBy = Date.now() + 1_000;
  await until('the last commit is noted', async () => {
    await kube.apply(cronJob({ name: `${name}-note`, schedule: `0 0 ${1 + (Date.now() % 28)} 1 *` }));
    return Number(readFileSync(`${stage.bridge.storePath}.last-commit`)) > reportedBy;
  });
  return { over, open };
}

const aside = (): string[] =>
  readdirSync(dirname(stage.bridge.storePath)).filter(
    (name) => name.startsWith(`${basename(stage.bridge.storePath)}.corrupt-`) && !name.endsWith('-wal'),
  );

describe.skipIf(SHORT)('a store that is destroyed during runs', () => {
  it('while the bridge is killed is made again: history is not reported again, what ends afterwards is reported once', async () => {
    const { bridge } = stage;
    const { over, open } = await history('killed');
    const before = aside().length;
    await bridge.kill9();
    destroy(bridge.storePath, `${bridge.storePath}-wal`);
    await makeCronJobs(stage, 'later');
    const later = [await startRun(stage, 'later', 0)];
    await bridge.start();
    bridgeBegan = Date.now();
    later.push(await startRun(stage, 'later', 1));
    await expectReported(stage, [...over, ...open, ...later]);
    expect(aside()).toHaveLength(before + 1);
  });

  it('under the running bridge is made again by itself, with the same outcome', async () => {
    const { bridge } = stage;
    await until('the bridge is old enough', () => Date.now() - bridgeBegan > LASTS_MS);
    const { over, open } = await history('running');
    const before = aside().length;
    destroy(bridge.storePath, `${bridge.storePath}-wal`);
    await until('a new store is there', () => aside().length > before, 120_000);
    const later = await runs(stage, 'after', 3);
    await expectReported(stage, [...over, ...open, ...later]);
  });
});
