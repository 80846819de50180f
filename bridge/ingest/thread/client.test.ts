import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { startWorker, type WorkerClient } from './client.ts';

let folder: string;
let worker: WorkerClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'client-'));
  const config = loadConfig({ env: { LIFECYCLE_BRIDGE__STORE__PATH: join(folder, 'bridge.db') } });
  const ignore = (): void => undefined;
  worker = await startWorker({ config, startedAt: Date.now() }, ignore, ignore);
});

afterEach(() => rmSync(folder, { recursive: true }));

it('rejects calls under way and later ones when the thread has ended, so that nobody waits for ever', async () => {
  await worker.calls.probe();
  const underWay = worker.calls.tick(Date.now()).catch((error: unknown) => String(error));
  await worker.stop();
  expect([undefined, 'Error: the store thread ended with code 1']).toContain(await underWay);
  await expect(worker.calls.probe()).rejects.toThrow('the store thread ended');
  await expect(worker.calls.close()).rejects.toThrow('the store thread ended');
});
