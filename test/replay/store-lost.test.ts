import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { cronJob, job, pings, sendUntilTaken } from './made-up.ts';

let releases: Releases;
let vendors: Vendors;
let bridge: Bridge;
let began: number;

beforeEach(async () => {
  releases = new Releases();
  const dataDir = mkdtempSync(join(tmpdir(), 'store-lost-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  vendors = await startVendors();
  releases.add(() => vendors.close());
  bridge = await startBridge({ vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir });
  releases.add(async () => void (await bridge.stop()));
  began = Date.now();
  await sendUntilTaken(bridge.endpoint, cronJob(began), ...history());
  await until('all is reported', async () => pings(vendors.requests).length === 3);
  const file = `${bridge.storePath}.last-commit`;
  await until('the last commit is noted', async () => existsSync(file) && Number(readFileSync(file)) >= began);
});

afterEach(() => releases.release());

/** A run that is over, and one that goes on. */
const history = (): object[] => [job(1, began - 5000), job(1, began - 5000, began - 3000), job(2, began - 2000)];

/** What a LIST, or the Collector's queue, brings after the loss: the ended run, and the one that goes on and ends. */
async function goOn(): Promise<void> {
  await sendUntilTaken(bridge.endpoint, cronJob(began), ...history());
  const endedAt = Date.now();
  await sendUntilTaken(bridge.endpoint, job(2, began - 2000, endedAt), ...history());
  await sendUntilTaken(bridge.endpoint, job(3, endedAt), job(3, endedAt, endedAt));
  await until('the next run is reported', async () => pings(vendors.requests).includes('complete 03'));
  await until('the open run is closed', async () => pings(vendors.requests).includes('complete 02'));
}

async function readiness(): Promise<{ ready: boolean; notes: string[] }> {
  return (await (await fetch(`${bridge.pageUrl}readyz`)).json()) as { ready: boolean; notes: string[] };
}

/** Not even the start of the run that was open is reported twice. */
const ONCE = ['complete 01', 'complete 02', 'complete 03', 'run 01', 'run 02', 'run 03'];

async function expectSaid(text: RegExp): Promise<void> {
  const { ready, notes } = await readiness();
  expect([ready, notes.join()]).toEqual([true, expect.stringMatching(text)]);
  expect(await (await fetch(bridge.pageUrl)).text()).toMatch(text);
  const lines = readFileSync(bridge.logFile, 'utf8').split('\n');
  expect(lines.some((line) => line.includes('"error"') && text.test(line))).toBe(true);
}

describe('a store that is lost during runs', () => {
  it('while the bridge was down is made again: no history twice, the open run ends once', async () => {
    await bridge.kill9();
    // The write-ahead log alone would repair the file.
    for (const file of [bridge.storePath, `${bridge.storePath}-wal`]) {
      writeFileSync(file, Buffer.alloc(statSync(file).size, 0xa5));
    }
    await bridge.start();
    await goOn();
    expect(pings(vendors.requests).toSorted()).toEqual(ONCE);
    await expectSaid(/The store was corrupted/);
    const names = readdirSync(dirname(bridge.storePath));
    expect(names.filter((name) => name.startsWith('bridge.db.corrupt-') && !name.endsWith('-wal'))).toHaveLength(1);
  });

  it('by its removal under a running bridge: it starts again by itself', async () => {
    // A process that lives for some seconds starts again; one that loses its store at once needs a person.
    await until('the bridge is old enough', async () => Date.now() - began > 11_000);
    rmSync(bridge.storePath);
    await until('a new store is there', async () => existsSync(bridge.storePath), 30_000);
    await goOn();
    expect(pings(vendors.requests).toSorted()).toEqual(ONCE);
    await expectSaid(/The store was missing/);
  });

  it('by corruption that a commit finds: it starts again by itself', async () => {
    await until('the bridge is old enough', () => Date.now() - began > 11_000);
    const db = new DatabaseSync(bridge.storePath, { defensive: false, timeout: 5000 });
    db.exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'runs'");
    db.exec('PRAGMA schema_version = 999');
    db.close();
    await until('a new store is there', async () => {
      // An idle bridge writes when it is asked whether it can.
      await bridge.readyz().catch(() => undefined);
      return readdirSync(dirname(bridge.storePath)).some((name) => name.includes('.corrupt-'));
    });
    await goOn();
    expect(pings(vendors.requests).toSorted()).toEqual(ONCE);
    await expectSaid(/The store was corrupted \(.*malformed/);
  });
});
