import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeLogs, watchBody } from '../../test/otlp-client.ts';
import type { App } from './app.ts';
import { startApp } from './app.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../lib/clock.ts';
import { connectOtlp } from '../lib/otlp-client.ts';
import { createLogger } from '../telemetry/logger.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'app-stop-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function start(stopMs?: number): Promise<App> {
  const settings = {
    CLUSTER__LIST: 'false',
    STORE__PATH: join(folder, 'bridge.db'),
    OTLP__HOST: '127.0.0.1',
    OTLP__PORT: '0',
    WEB__PORT: '0',
  };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`LIFECYCLE_BRIDGE__${key}`, value]));
  const logger = createLogger('error', []);
  return startApp({ config: loadConfig({ env }), clock: systemClock, logger, ...(stopMs !== undefined && { stopMs }) });
}

/** Takes the thread of the store far longer than any stop may take. */
function endless(): Buffer {
  const body = (number: number): object => {
    const name = `p-${number}`;
    return watchBody('ADDED', { apiVersion: 'v1', kind: 'Pod', metadata: { uid: name, name, resourceVersion: '1' } });
  };
  return encodeLogs(Array.from({ length: 100_000 }, (_, number) => ({ body: body(number) })));
}

it('stops in order when the thread of the store answers', async () => {
  expect(await (await start()).stop()).toBe(true);
});

it('ends a thread of the store that does not answer by force, and the next start is sound', async () => {
  const app = await start(1);
  const client = connectOtlp(`127.0.0.1:${app.otlpPort}`);
  const reply = client.export(endless(), { deadlineMs: 300_000 });
  // Once the request is there the thread is busy with it: only then the stop finds it hanging.
  const busy = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${app.webPort}/readyz`)).status === 503;
  while (!(await busy()));
  expect(await app.stop()).toBe(false);
  expect((await reply).code).not.toBe(0);
  client.close();
  const again = await start();
  expect(again.reader.runCounts()).toEqual({});
  expect(await again.stop()).toBe(true);
});
