import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { startVendors } from '../../test/vendors/start-vendors.ts';
import { startApp } from './app.ts';
import { loadConfig } from '../config/load.ts';
import type { CallMessage } from '../ingest/thread/protocol.ts';
import { systemClock } from '../lib/clock.ts';
import { Releases } from '../lib/releases.ts';
import { createLogger } from '../telemetry/logger.ts';

const releases = new Releases();
afterEach(async () => {
  vi.restoreAllMocks();
  await releases.release();
});

/** Whatever looks each second would not leave the store alone for this time. */
const QUIET_MS = 4_000;

it('a bridge without anything to do asks its store nothing for seconds, and has no timer that rings often', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idle-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const vendors = await startVendors({ key: 'k' });
  releases.add(() => vendors.close());
  const posted = vi.spyOn(Worker.prototype, 'postMessage');
  const intervals = vi.spyOn(globalThis, 'setInterval');
  const overrides = {
    store: { path: join(folder, 'bridge.db') },
    otlp: { host: '127.0.0.1', port: 0 },
    web: { host: '127.0.0.1', port: 0, auth: 'none' },
    cluster: { list: false },
    cronitor: { default: { apiKey: 'k', apiUrl: vendors.url, pingUrl: vendors.url } },
  };
  const config = loadConfig({ env: {}, overrides });
  const app = await startApp({ config, clock: systemClock, logger: createLogger('error', []) });
  releases.add(async () => void (await app.stop()));

  let [asked, since] = [0, performance.now()];
  const quietMs = (): number => {
    const methods = posted.mock.calls.flatMap(([calls]) => (calls as CallMessage[]).map(({ method }) => method));
    if (methods.length !== asked || !methods.includes('tick')) since = performance.now();
    asked = methods.length;
    return performance.now() - since;
  };
  await expect.poll(quietMs, { timeout: 30_000, interval: 200 }).toBeGreaterThan(QUIET_MS);
  // Those of the pulse, while an answer was awaited, are over.
  const often = intervals.mock.calls.filter(([, ms]) => ms !== 1_000 && (ms ?? 0) < 5_000);
  expect(often).toEqual([]);
});
