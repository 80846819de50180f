import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cronJobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { loadConfig } from '../config/load.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { backupStore } from '../store/sqlite/recovery/backup.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import { restoreStore } from '../store/sqlite/recovery/restore.ts';
import type { Store } from '../store/store.ts';
import { startWorker } from './thread/client.ts';
import type { Engine } from './engine.ts';
import { createEngine } from './engine.ts';

const CRON = cronJobFacts();
const DESTINATION = 'cronitor/default';
let folder: string;
let path: string;
let store: Store;
let engine: Engine;
let now = T0;

function open(): void {
  store = openStore(path, { now: () => now });
  const rule = { cutoff: T0, running: 'announce' as const };
  engine = createEngine(store, [{ planner: createCronitorPlanner('default', planConfig()), rule }]);
  if (store.recovery?.at === now) engine.recovered(now);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retired-'));
  path = join(folder, 'bridge.db');
  now = T0;
  open();
  store.cutoff(DESTINATION, now);
  see();
  converge();
  // From here on the file beside the store is written only for what changes.
  store.retain(now, { age: 1e9, maxBytes: 1e9 });
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function see(): void {
  engine.commit([{ observations: [seen(CRON)], quarantine: [], records: [] }], now);
  store.ingested(now);
}

/** `paused` of what is sent now, as the vendor that takes all of it hears it. */
function converge(): unknown[] {
  const rows = store.claimDesired(DESTINATION, 100, now);
  store.settleDesired(
    rows.map(({ destination, key, wantedHash }) => {
      return { destination, key, sentHash: wantedHash, delivery: { outcome: 'delivered' as const } };
    }),
    now,
  );
  return rows.map(({ wanted }) => (wanted as { paused?: boolean }).paused);
}

function retire(on: boolean): void {
  now += 60_000;
  engine.retire(on, 'ada', now);
}

/** Ends the bridge, lets `happen`, and starts it a minute later. */
function restart(happen: () => void): void {
  store.close();
  happen();
  now += 60_000;
  open();
}

function retiredBy(): string | undefined {
  const reader = openReader(path);
  const by = reader.retirement()?.by;
  reader.close();
  return by;
}

async function backup(name: string): Promise<string> {
  const file = join(folder, name);
  await backupStore(path, file, now, () => undefined);
  return file;
}

it('a store that was lost while the bridge was retired is made again as retired, and undo resumes its monitors', () => {
  retire(true);
  expect(converge()).toEqual([true]);
  restart(() => rmSync(path));
  expect(store.recovery).toMatchObject({ cause: 'missing' });
  expect(retiredBy()).toBe('ada');
  see();
  expect(converge()).toEqual([true]);
  retire(false);
  expect(converge()).toEqual([false]);
});

it('a store that was lost after the undo is not retired', () => {
  retire(true);
  retire(false);
  restart(() => rmSync(path));
  expect(retiredBy()).toBeUndefined();
});

it('the mode is that of before the restore, whatever the backup says', async () => {
  const before = await backup('before.db');
  retire(true);
  converge();
  const during = await backup('during.db');
  restart(() => restoreStore(path, before, now));
  expect(retiredBy()).toBe('ada');
  expect(converge()).toEqual([true]);
  retire(false);
  converge();
  restart(() => restoreStore(path, during, now));
  expect(retiredBy()).toBeUndefined();
  expect(converge()).toEqual([false]);
});

it('a bridge that starts on such a backup asks for every monitor to be paused', async () => {
  const before = await backup('before.db');
  retire(true);
  store.close();
  restoreStore(path, before, now);
  now += 60_000;
  const env = { LIFECYCLE_BRIDGE__STORE__PATH: path, LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_KEY: 'a-key' };
  const unexpected = (error: Error): void => expect.unreachable(error.message);
  const worker = await startWorker({ config: loadConfig({ env }), startedAt: now }, () => undefined, unexpected);
  const rows = await worker.calls.claimDesired(DESTINATION, 10, now);
  expect(rows.map(({ wanted }) => (wanted as { paused?: boolean }).paused)).toEqual([true]);
  await worker.calls.close();
  await worker.stop();
  open();
});
