import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startApp } from '../../bridge/app/app.ts';
import type { App } from '../../bridge/app/app.ts';
import { loadConfig } from '../../bridge/config/load.ts';
import { systemClock } from '../../bridge/lib/clock.ts';
import { createLogger } from '../../bridge/telemetry/logger.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Vendors } from '../vendors/start-vendors.ts';

let folder: string;
let vendors: Vendors;
let app: App;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heartbeat-'));
  vendors = await startVendors();
  const overrides = {
    cluster: { list: false, name: 'production' },
    otlp: { port: 0, host: '127.0.0.1' },
    web: { port: 0 },
    store: { path: join(folder, 'bridge.db') },
    cronitor: { default: { apiKey: vendors.key, apiUrl: vendors.url, pingUrl: vendors.url, heartbeat: {} } },
  };
  const config = loadConfig({ env: {}, overrides });
  app = await startApp({ config, clock: systemClock, logger: createLogger('error', []) });
});
afterEach(async () => {
  await app.stop();
  await vendors.close();
  rmSync(folder, { recursive: true });
});

it('a bridge that works makes its monitor, then pings it; nothing of it is in the outbox', async () => {
  await expect.poll(() => vendors.cronitor.heartbeats.length, { timeout: 60_000 }).toBe(1);
  const [monitor, ...others] = vendors.cronitor.monitors.values();
  expect(monitor).toMatchObject({ type: 'heartbeat', name: 'lifecycle-bridge of production' });
  expect(others).toEqual([]);
  expect(vendors.cronitor.heartbeats[0]?.monitor).toBe(monitor!.key);
  expect([vendors.cronitor.autoCreated, vendors.cronitor.violations]).toEqual([[], []]);
  expect(app.reader.deliveries({ limit: 10 }).items).toEqual([]);
  const page = await (await fetch(`http://127.0.0.1:${app.webPort}/desired`)).text();
  expect(page).toContain('the bridge itself');
});
