import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { connectOtlp, encodeLogs } from '../../test/otlp-client.ts';
import { startVendors, type Vendors } from '../../test/vendors/start-vendors.ts';
import { startApp, type App } from '../app/app.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { createLogger } from '../telemetry/logger.ts';
import { resendCommand } from './resend.ts';
import { retireCommand } from './retire.ts';
import { testDeliveryCommand } from './test-delivery.ts';

const CRON_UID = '33333333-0000-4000-8000-000000000001';
const RUN_UID = '44444444-0000-4000-8000-000000000001';

let folder: string;
let path: string;
let vendors: Vendors;
let app: App;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'local-'));
  path = join(folder, 'bridge.db');
  vendors = await startVendors();
  app = await start();
});
afterEach(async () => {
  await app.stop();
  await vendors.close();
  rmSync(folder, { recursive: true });
});

function start(name = 'default', logger = createLogger('error', [])): Promise<App> {
  const cronitor = (apiKey: string) => ({ apiKey, apiUrl: vendors.url, pingUrl: vendors.url });
  const overrides = {
    cluster: { list: false },
    otlp: { port: 0, host: '127.0.0.1' },
    web: { port: 0 },
    store: { path },
    cronitor: { [name]: cronitor(vendors.key), other: { ...cronitor('wrong-key'), dryRun: true } },
  };
  const config = loadConfig({ env: {}, overrides });
  return startApp({ config, clock: systemClock, logger });
}

type Command = (argv: readonly string[], terminal: Parameters<typeof resendCommand>[1]) => Promise<number>;

async function run(command: Command, ...argv: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await command([...argv, '--store', path], { env: {}, print: (line) => (text += `${line}\n`) });
  return { code, text };
}

const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, '');

async function cronJob(version = 1): Promise<void> {
  await send({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: 'report',
      namespace: 'shop',
      uid: CRON_UID,
      resourceVersion: String(version),
      creationTimestamp: iso(0),
    },
    spec: { schedule: '*/5 * * * *' },
  });
}

async function job(version: number, status: object): Promise<void> {
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'report', uid: CRON_UID, controller: true };
  const name = 'report-1';
  const metadata = {
    name,
    namespace: 'shop',
    uid: RUN_UID,
    resourceVersion: String(version),
    ownerReferences: [owner],
  };
  await send({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {}, status });
}

async function send(object: object): Promise<void> {
  const client = connectOtlp(`127.0.0.1:${app.otlpPort}`);
  const body = { type: 'MODIFIED', object };
  expect((await client.export(encodeLogs([{ body: body }]))).code).toBe(0);
  client.close();
}

const settled = () =>
  expect.poll(() => app.reader.depth().map(({ pending, notInSync }) => pending + notInSync)[0]).toBe(0);
const states = () => vendors.cronitor.pings.map(({ query }) => query.state);

it('is for this user only', () => {
  expect(statSync(`${path}.sock`).mode & 0o777).toBe(0o600);
});

it('sends again what was given up, what was delivered only by force, and keeps who asked', async () => {
  await cronJob();
  await settled();
  vendors.inject({ match: '/ping/', status: 404 });
  await job(10, { startTime: iso(Date.now()) });
  await settled();
  expect(states()).toEqual([]);
  const again = await run(resendCommand, RUN_UID, '--by', 'ada');
  expect(again).toMatchObject({
    code: 0,
    text: expect.stringMatching(/✓ +1 +cronitor\/default .*is sent again; before: the vendor does not know this/),
  });
  await settled();
  expect(states()).toEqual(['run']);
  const refused = await run(resendCommand, RUN_UID, '--destination', 'cronitor/default');
  expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('--force sends that again') });
  const forced = await run(resendCommand, '1', '--force');
  expect(forced).toMatchObject({ code: 0, text: expect.stringContaining('the vendor may see it twice') });
  await expect.poll(states).toEqual(['run', 'run']);
  expect(app.reader.run(RUN_UID)?.deliveries[0]?.resends).toMatchObject([{ by: 'ada', wasReason: 'not_found' }, {}]);
});

it('says what to do when nothing fits, the destination is unknown, or no bridge runs with that store', async () => {
  await expect(run(resendCommand, 'nothing')).rejects.toThrow(/no delivery was ever planned for nothing/);
  await expect(run(resendCommand, '1', '--destination', 'x')).rejects.toThrow(/x is not a destination of this bridge/);
  const elsewhere = resendCommand(['1', '--store', join(folder, 'other.db')]);
  await expect(elsewhere).rejects.toThrow(/there is no store at .*other.db/);
  await app.stop();
  await expect(run(resendCommand, '1')).rejects.toThrow(UserError);
  await expect(run(resendCommand, '1')).rejects.toThrow(/no bridge runs with the store/);
  app = await start();
});

it('tests every destination: a paused monitor and one run of it', async () => {
  const { code, text } = await run(testDeliveryCommand);
  expect(text).toMatch(
    /✓ +cronitor\/default +passed +put the paused monitor lifecycle-bridge-test, sent run, sent complete/,
  );
  expect(text).toMatch(/– +cronitor\/other +skipped +dry run: nothing is sent/);
  expect(code).toBe(0);
  expect(vendors.cronitor.monitors.get('lifecycle-bridge-test')).toMatchObject({ paused: true });
  expect(states()).toEqual(['run', 'complete']);
  expect(vendors.cronitor.violations).toEqual([]);
});

it('fails the test of a destination that refuses, with what it did and why', async () => {
  vendors.cronitor.keys.clear();
  const { code, text } = await run(testDeliveryCommand, '--destination', 'cronitor/default');
  expect(code).toBe(1);
  expect(text).toMatch(/✗ +cronitor\/default +failed +the vendor refused the key \(401\)/);
  expect(text).not.toContain(vendors.key);
});

it('retires: every monitor paused, no telemetry, over a restart; undo ends it', async () => {
  await cronJob();
  await settled();
  const retired = await run(retireCommand, '--by', 'ada');
  expect(retired.text).toMatch(
    /Retired since \S+ by ada: no telemetry is sent\.\n[^]*1 of 1 vendor objects are accepted as paused\nDone/,
  );
  expect(retired.code).toBe(0);
  expect(vendors.cronitor.monitors.get(CRON_UID)).toMatchObject({ paused: true });
  await app.stop();
  app = await start();
  await job(10, { startTime: iso(Date.now()) });
  const ready = await (await fetch(`http://127.0.0.1:${app.webPort}/readyz`)).json();
  expect(ready).toMatchObject({
    ready: true,
    retired: { since: expect.stringMatching(/Z$/), destinations: [{ rows: 1, open: 0 }] },
  });
  expect(await (await fetch(`http://127.0.0.1:${app.webPort}/`)).text()).toContain('<b>Retired</b> by ada');
  await expect(run(resendCommand, RUN_UID)).rejects.toThrow(/retired/);
  expect(await run(retireCommand, '--undo')).toMatchObject({ code: 0 });
  await settled();
  expect(vendors.cronitor.monitors.get(CRON_UID)).toMatchObject({ paused: false });
  expect(states()).toEqual([]);
});

it('says that monitors are still open when the vendor is away', async () => {
  await cronJob();
  await settled();
  vendors.cronitor.keys.clear();
  const { code, text } = await run(retireCommand, '--timeout', '0');
  expect(code).toBe(1);
  expect(text).toContain('1 still open; the bridge goes on trying');
});

it('says once that a destination left the configuration, and sends nothing to it again', async () => {
  await cronJob();
  await job(10, { startTime: iso(Date.now()) });
  await settled();
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  for (let n = 0; n < 2; n++) {
    await app.stop();
    app = await start('renamed', createLogger('warn', [], stream));
  }
  expect(lines.filter((line) => line.includes('cronitor/default is not in the configuration any more'))).toHaveLength(
    1,
  );
  const { text } = await run(resendCommand, RUN_UID, '--force');
  expect(text).toMatch(/– .*cronitor\/default .*not sent again: this destination is not in the configuration any more/);
});
