import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadConfig } from '../config/load.ts';
import type { WorkerClient } from '../ingest/thread/client.ts';
import { startWorker } from '../ingest/thread/client.ts';
import type { Releases } from '../lib/releases.ts';
import type { KubeApi } from './api.ts';
import { FakeApi } from './fake-api.ts';

/** What the tests of the audit have: an API, and the real worker thread with a store in a folder of its own. */
export interface ApiBench {
  readonly fake: FakeApi;
  readonly api: KubeApi;
  readonly worker: WorkerClient;
  /** Of the store. */
  readonly path: string;
}

export async function startApiBench(releases: Releases): Promise<ApiBench> {
  const folder = mkdtempSync(join(tmpdir(), 'api-bench-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'bridge.db');
  const config = { ...loadConfig({ env: { LIFECYCLE_BRIDGE__STORE__PATH: path } }), watch: { Event: true } };
  const crashed = (error: Error): void => expect.unreachable(error.message);
  const worker = await startWorker({ config, startedAt: Date.now() }, () => undefined, crashed);
  releases.add(async () => {
    await worker.calls.close();
    await worker.stop();
  });
  const fake = new FakeApi();
  const api = await fake.start();
  releases.add(() => fake.stop());
  return { fake, api, worker, path };
}
