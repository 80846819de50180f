import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { connectOtlp, encodeLogs } from '../otlp-client.ts';

/** A sink is a folder and a line in SINKS: each of these runs the programs as they are, with that line added. */
const ROOT = join(import.meta.dirname, '../..');
const ONE_LINE = ['--import', join(import.meta.dirname, 'one-line.ts')];
const run = promisify(execFile);

let folder: string;
let printed: string;
let bridge: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'toy-'));
  printed = join(folder, 'printed');
});
afterEach(async () => {
  if (bridge?.exitCode === null) {
    bridge.kill();
    await once(bridge, 'exit');
  }
  bridge = undefined;
  rmSync(folder, { recursive: true });
});

function configFile(settings: object): string {
  const file = join(folder, 'bridge.yaml');
  const config = {
    cluster: { list: false },
    otlp: { host: '127.0.0.1', port: 0 },
    web: { port: 0 },
    store: { path: join(folder, 'store/bridge.db') },
    toy: { one: settings },
  };
  writeFileSync(file, stringify(config));
  return file;
}

/** What a program says, and its exit code. */
async function say(env: Record<string, string>, ...argv: string[]): Promise<{ code: number; text: string }> {
  try {
    const { stdout, stderr } = await run(process.execPath, [...ONE_LINE, ...argv], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

const command = (...argv: string[]) => say({}, 'bridge/main.ts', ...argv);

it('its settings are checked, filled in and shown', async () => {
  const wrong = await command('check', '--config', configFile({ fil: 'x', namespaces: ['Shop'] }));
  expect(wrong.code).toBe(1);
  expect(wrong.text).toContain('toy.one.fil: unknown key; did you mean file?');
  expect(wrong.text).toContain('toy.one.namespaces.0: "Shop"; must be the name of a namespace');
  const scope = { LIFECYCLE_BRIDGE__CLUSTER__SCOPE: '[team-a]' };
  const elsewhere = await say(
    { ...scope },
    'bridge/main.ts',
    'check',
    '--config',
    configFile({ file: printed, namespaces: ['shop'] }),
  );
  expect(elsewhere.text).toContain('toy.one.namespaces.0: "shop"; allowed: a namespace of cluster.scope (team-a)');
  const shown = await command('run', '--print-config', '--config', configFile({ file: printed }));
  expect(shown.text).toMatch(/toy:\n {2}one:\n {4}file: \S+printed\n {4}namespaces: \[\]/);
});

it('check counts it, and says of a bridge without a destination how to set it', async () => {
  const good = await command('check', '--config', configFile({ file: printed }));
  expect(good).toMatchObject({ code: 0, text: expect.stringContaining('valid, 1 destination') });
  const without = { LIFECYCLE_BRIDGE__CLUSTER__LIST: 'false', LIFECYCLE_BRIDGE__STORE__PATH: printed };
  const none = await say(without, 'bridge/main.ts', 'check');
  expect(none.text).toMatch(/Nothing is sent anywhere: set .*toy\.default\.file/);
});

it('has its page of documentation and its place in the values of the chart', async () => {
  expect(await say({}, 'scripts/gen-sink-docs.ts', '--check')).toEqual({ code: 0, text: '' });
  const script = "import { sinkValues } from './scripts/chart/sinks.ts'; console.log(JSON.stringify(sinkValues({})))";
  const { text } = await say({}, '--input-type=module', '-e', script);
  const { toy } = JSON.parse(text) as { toy: { patternProperties: Record<string, { properties: object }> } };
  expect(Object.keys(Object.values(toy.patternProperties)[0]!.properties)).toContain('labelSelector');
});

it('has its kinds in the table by which the chart watches and permits', async () => {
  const script = "import { kindsFile } from './scripts/chart/kinds.ts'; console.log(kindsFile())";
  const { text } = await say({}, '--input-type=module', '-e', script);
  expect(parse(text)).toMatchObject({ follow: { always: ['CronJob', 'Job', 'Pod'], toy: expect.any(Array) } });
});

const uid = (n: number): string => `33333333-0000-4000-8000-${String(n).padStart(12, '0')}`;
const START = new Date(Date.now() - 60_000).toISOString();
const END = new Date(Date.now() - 30_000).toISOString();
const owned = (kind: string, apiVersion: string, name: string, owner: number) => {
  return [{ apiVersion, kind, name, uid: uid(owner), controller: true }];
};
const metadata = (n: number, name: string, more: object = {}) => {
  return { uid: uid(n), namespace: 'shop', name, resourceVersion: String(n), creationTimestamp: START, ...more };
};
const failed = {
  phase: 'Failed',
  startTime: START,
  containerStatuses: [
    {
      name: 'main',
      restartCount: 0,
      state: { terminated: { exitCode: 3, reason: 'Error', startedAt: START, finishedAt: END } },
    },
  ],
};
const OBJECTS = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(1, 'web', { generation: 1, annotations: { 'toy.example/note': 'a note that is far too long' } }),
    spec: { replicas: 1 },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: metadata(2, 'web-1', { ownerReferences: owned('Deployment', 'apps/v1', 'web', 1) }),
    spec: { replicas: 1 },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(3, 'web-1-x', { ownerReferences: owned('ReplicaSet', 'apps/v1', 'web-1', 2) }),
    spec: {},
    status: failed,
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(4, 'report-1'),
    spec: {},
    status: { startTime: START, active: 1 },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(5, 'report-1-x', { ownerReferences: owned('Job', 'batch/v1', 'report-1', 4) }),
    spec: {},
    status: failed,
  },
];

/** Starts the bridge; resolves with what it says of itself once it serves. */
async function start(file: string): Promise<{ otlpPort: number; webPort: number; destinations: string[] }> {
  bridge = spawn(process.execPath, [...ONE_LINE, 'bridge/main.ts', 'run', '--config', file], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: bridge.stdout! })) {
    const said = JSON.parse(line) as { msg: string; otlpPort: number; webPort: number; destinations: string[] };
    if (said.msg === 'started') return said;
  }
  throw new Error('the bridge ended');
}

it('a running bridge keeps its annotations, plans its rows and issues, and delivers them, rows first', async () => {
  const { otlpPort, webPort, destinations } = await start(configFile({ file: printed }));
  expect(destinations).toEqual(['toy/one']);
  const client = connectOtlp(`127.0.0.1:${otlpPort}`);
  const bodies = OBJECTS.map((object) => ({ body: { type: 'MODIFIED', object } }));
  expect((await client.export(encodeLogs(bodies))).code).toBe(0);
  client.close();
  const lines = () => (existsSync(printed) ? readFileSync(printed, 'utf8').trim().split('\n') : []);
  const ofWeb = ['{"row":"web"}', '{"issue":"main of web-1-x of web: 3","note":"a note that is far too long"}'];
  const ofJob = '{"issue":"main of report-1-x of report-1-x: 3","note":""}';
  await expect.poll(() => lines().filter((line) => line !== ofJob), { timeout: 60_000 }).toEqual(ofWeb);
  await expect.poll(lines, { timeout: 60_000 }).toContain(ofJob);
  const page = async (path: string) => (await fetch(`http://127.0.0.1:${webPort}${path}`)).text();
  expect(await page('/problems')).toContain('toy.example/note');
  expect(await page('/metrics')).toMatch(/destination="toy\/one".*reason="delivered"|reason="delivered".*toy\/one/);
  const explained = await command('explain', uid(4), '--store', join(folder, 'store/bridge.db'));
  expect(explained.text).toMatch(/delivered +\S+ +toy\/one/);
  bridge!.kill();
  expect(await once(bridge!, 'exit')).toEqual([0, null]);
});

it('a dry run prints nothing', async () => {
  const { otlpPort, destinations } = await start(configFile({ file: printed, dryRun: true }));
  expect(destinations).toEqual(['toy/one (dry run: nothing is sent)']);
  const client = connectOtlp(`127.0.0.1:${otlpPort}`);
  await client.export(encodeLogs(OBJECTS.map((object) => ({ body: { type: 'MODIFIED', object } }))));
  client.close();
  const explain = async () => (await command('explain', uid(4), '--store', join(folder, 'store/bridge.db'))).text;
  await expect.poll(explain, { timeout: 60_000 }).toContain('dry run');
  expect(existsSync(printed)).toBe(false);
});
