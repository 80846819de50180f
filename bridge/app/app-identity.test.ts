import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { App } from './app.ts';
import { startApp } from './app.ts';
import { FakeApi } from '../cluster/fake-api.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../telemetry/logger.ts';

let folder: string;
let fake: FakeApi;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'app-identity-'));
  fake = new FakeApi();
  await fake.start();
});

afterEach(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true });
});

function start(): Promise<App> {
  const settings = {
    CLUSTER__KUBECONFIG: fake.kubeconfig,
    STORE__PATH: join(folder, 'bridge.db'),
    OTLP__HOST: '127.0.0.1',
    OTLP__PORT: '0',
    WEB__PORT: '0',
  };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`LIFECYCLE_BRIDGE__${key}`, value]));
  return startApp({ config: loadConfig({ env }), clock: systemClock, logger: createLogger('error', []) });
}

function kubeSystem(uid: string): void {
  const body = { metadata: { uid, name: 'kube-system', namespace: '', resourceVersion: '1' } };
  fake.intercept = (path) => (path.endsWith('/namespaces/kube-system') ? { status: 200, body } : undefined);
}

it('starts again on the store of its cluster, and refuses that of another with what to do', async () => {
  kubeSystem('one');
  await (await start()).stop();
  await (await start()).stop();
  kubeSystem('two');
  await expect(start()).rejects.toMatchObject({
    message: expect.stringContaining('belongs to another cluster'),
    next: expect.stringContaining('move the store file away'),
  });
});

it('starts while the API is away, and stops when it turns out to be of another cluster', async () => {
  kubeSystem('one');
  await (await start()).stop();
  fake.intercept = () => 'reset';
  const app = await start();
  kubeSystem('two');
  expect((await app.failed).message).toContain('belongs to another cluster');
  await app.stop();
});
