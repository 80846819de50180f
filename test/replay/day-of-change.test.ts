import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Tree } from '../../bridge/config/tree.ts';
import type { Monitor } from '../vendors/cronitor-rules.ts';
import { Bench, command } from './bench.ts';
import { exported, type KubeJson } from './objects.ts';
import { OldAgent } from './old-agent.ts';

const KEY = 'simulated-api-key';
const OLD_VALUES = {
  credentials: { createSecret: { apiKey: KEY } },
  config: { tags: 'team-a, cluster:eu', defaultEnvironment: 'production' },
};

/** Whole seconds, as Kubernetes keeps them; now and later are after the cut-off of a bridge that runs. */
const iso = (at: number): string => new Date(Math.ceil(at / 1000) * 1000).toISOString().replace('.000Z', 'Z');
const uid = (kind: string, number: number): string => `${kind}-0000-4000-8000-${String(number).padStart(12, '0')}`;
let version = 1;

function cronJob(
  number: number,
  annotations: Record<string, string> = {},
  spec: object = {},
  name = `cron-${number}`,
): KubeJson {
  const prefixed = Object.entries(annotations).map(([key, value]) => [`k8s.cronitor.io/${key}`, value]);
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name,
      namespace: 'shop',
      uid: uid('c0000000', number),
      resourceVersion: String(version++),
      creationTimestamp: iso(Date.now() - 86_400_000),
      annotations: Object.fromEntries(prefixed) as Record<string, string>,
    },
    spec: { schedule: '*/5 * * * *', concurrencyPolicy: 'Allow', suspend: false, jobTemplate: {}, ...spec },
    status: {},
  };
}

/** Every way to a key, a name and tags. */
const CRON_JOBS: readonly KubeJson[] = [
  cronJob(0),
  cronJob(1, { key: 'own-key' }),
  cronJob(2, { 'cronitor-id': 'legacy-key', 'cronitor-name': 'A name' }),
  cronJob(3, { 'key-inference': 'name' }),
  cronJob(4, { 'id-inference': 'name', 'name-prefix': 'none' }),
  cronJob(5, { 'name-prefix': 'team-', tags: 'a, b:c', note: 'Note', env: 'staging' }),
  cronJob(6, {
    group: 'g',
    notify: 'devops, infra',
    'grace-seconds': '305',
    'metric.duration': '< 5 seconds, > 1 second',
  }),
  cronJob(7, { 'cronitor-group': 'g', 'cronitor-notify': 'devops', 'cronitor-grace-seconds': '60' }),
  cronJob(8, {}, { timeZone: 'America/New_York', startingDeadlineSeconds: 30, concurrencyPolicy: 'Forbid' }),
  cronJob(9, {}, {}, `long-${'x'.repeat(110)}`),
  cronJob(10, { key: '', 'cronitor-id': 'hidden', 'key-inference': 'unknown', tags: 't'.repeat(120) }),
];
const EXCLUDED = cronJob(20, { exclude: 'true' });

type Phase = 'running' | 'complete' | 'failed';

/** A Job that began a minute ago; its end is now. */
function job(number: number, owner: KubeJson, phase: Phase, start = Date.now() - 60_000): KubeJson {
  const { name, uid: ownerUid } = owner['metadata'] as { name: string; uid: string };
  const end = iso(Date.now());
  const failed = {
    type: 'Failed',
    status: 'True',
    reason: 'DeadlineExceeded',
    message: 'too long',
    lastTransitionTime: end,
  };
  const ends = {
    running: { active: 1 },
    complete: { completionTime: end, conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: end }] },
    failed: { conditions: [failed] },
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${name}-${number}`,
      namespace: 'shop',
      uid: uid('a0000000', number),
      resourceVersion: String(version++),

      creationTimestamp: iso(start),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', controller: true, name, uid: ownerUid }],
    },
    spec: { parallelism: 1, completions: 1 },
    status: { startTime: iso(start), ...ends[phase] },
  };
}

let folder: string;
let bench: Bench;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'change-'))));
afterEach(async () => {
  await bench.close();
  rmSync(folder, { recursive: true });
});

/** The bridge.yaml that the chart makes of the values that `migrate-from` prints, with more of the account. */
async function migrated(account: object = {}): Promise<string> {
  const [old, config] = [join(folder, 'old.yaml'), join(folder, 'bridge.yaml')];
  writeFileSync(old, stringify(OLD_VALUES));
  const { code, stdout, stderr } = await command(['migrate-from', 'cronitor', old]);
  expect({ code, error: /^error.*/m.exec(stderr)?.[0] }).toEqual({ code: 0, error: undefined });
  const values = parse(stdout) as { cronitor: { default: Tree }; bridge: { config: Tree } };
  const { existingSecret: _, key: __, ...ours } = values.cronitor.default;
  writeFileSync(config, stringify({ ...values.bridge.config, cronitor: { default: { ...ours, ...account } } }));
  return config;
}

/** The bridge with what the old agent left at the vendor: monitors, and runs of which it reported the start. */
async function change(config: string, running: ReadonlyMap<KubeJson, KubeJson>): Promise<OldAgent> {
  bench = await Bench.start({ env: { LIFECYCLE_BRIDGE_CONFIG: config } }, KEY);
  const { tags, defaultEnvironment: env } = OLD_VALUES.config;
  const old = new OldAgent(bench.vendors.url, KEY, { tags, env });
  await old.sync([...CRON_JOBS, EXCLUDED]);
  for (const [active, owner] of running) await old.ping('run', active, owner);
  return old;
}

/** The old agent left the time zone away where a CronJob has none. */
const monitors = (): Map<string, Monitor> => {
  const found = structuredClone([...bench.vendors.cronitor.monitors]);
  return new Map(found.map(([key, monitor]) => [key, { timezone: 'UTC', ...monitor }]));
};

/** `monitor state series env` of what was sent since a number of pings. */
const pingsSince = (count: number): string[] =>
  bench.vendors.cronitor.pings
    .slice(count)
    .map(({ monitor, query: { state, series, env } }) => `${monitor} ${state} ${series} ${env}`)
    .toSorted();

const jobUid = (object: KubeJson): string => (object['metadata'] as { uid: string }).uid;

function expectNothingWrong(): void {
  expect(bench.vendors.cronitor.autoCreated).toEqual([]);
  expect(bench.vendors.cronitor.violations).toEqual([]);
}

it('keeps every monitor as the old agent made it, and ends the runs that it began, once', async () => {
  const owners = [0, 1, 2, 3, 4, 5].map((index) => CRON_JOBS[index]!);
  const running = new Map(owners.map((owner, index) => [job(index, owner, 'running'), owner] as const));
  await change(await migrated(), running);
  const [before, sent] = [monitors(), bench.vendors.cronitor.pings.length];
  expect([...before.keys()]).toHaveLength(CRON_JOBS.length);

  await bench.insist(exported(...CRON_JOBS, EXCLUDED, ...running.keys()));
  await bench.delivered();
  expect(bench.vendors.cronitor.puts.length).toBeGreaterThan(1);
  expect(monitors()).toEqual(before);
  expect(pingsSince(sent)).toEqual([]);

  const ends = owners.map((owner, index) => job(index, owner, index === 1 ? 'failed' : 'complete'));
  await bench.insist(exported(...ends));
  await bench.insist(exported(...ends));
  const next = [job(9, owners[0]!, 'running', Date.now()), job(9, owners[0]!, 'complete', Date.now())];
  for (const each of next) await bench.insist(exported(each));
  await bench.delivered();
  const keys = [...before.keys()];
  const ended = ends.map((end, index) => {
    const state = index === 1 ? 'fail' : 'complete';
    return `${keys[index]} ${state} ${jobUid(end)} ${index === 5 ? 'staging' : 'production'}`;
  });
  const whole = ['run', 'complete'].map((state) => `${keys[0]} ${state} ${jobUid(next[0]!)} production`);
  expect(pingsSince(sent)).toEqual([...ended, ...whole].toSorted());
  expect(monitors()).toEqual(before);
  expectNothingWrong();
});

it('pauses what is suspended, which the old agent did not, and nothing else', async () => {
  await change(await migrated(), new Map());
  const before = monitors();
  const suspended = cronJob(0, {}, { suspend: true });
  await bench.insist(exported(suspended, ...CRON_JOBS.slice(1), EXCLUDED));
  await bench.delivered();
  const [key] = before.keys();
  expect(monitors()).toEqual(before.set(key!, { ...before.get(key!)!, paused: true }));
  expectNothingWrong();
});

it('ran beside it in a dry run before: it sent nothing then, and goes on without a gap and without a second start', async () => {
  const config = await migrated({ dryRun: true });
  const owner = CRON_JOBS[3]!;
  const active = job(0, owner, 'running');
  const old = await change(config, new Map([[active, owner]]));
  const during = job(1, owner, 'running', Date.now());
  await bench.insist(exported(...CRON_JOBS, EXCLUDED, active, during));
  await old.ping('run', during, owner);
  const [before, sent, requests] = [monitors(), bench.vendors.cronitor.pings.length, bench.vendors.requests.length];
  await bench.delivered();
  const drops = await bench.list<{ runUid: string; reason: string }>('drops');
  expect(drops.map(({ runUid, reason }) => `${runUid} ${reason}`).toSorted()).toEqual([
    `${jobUid(active)} running_suppressed`,
    `${jobUid(during)} dry_run`,
  ]);
  expect(bench.vendors.requests).toHaveLength(requests);

  await bench.bridge.stop();
  await migrated();
  await bench.bridge.start();
  await bench.insist(exported(job(0, owner, 'complete'), job(1, owner, 'complete')));
  await bench.delivered();
  const key = [...before.keys()][3];
  const ends = [active, during].map((each) => `${key} complete ${jobUid(each)} production`);
  expect(pingsSince(sent)).toEqual(ends.toSorted());
  expect(monitors()).toEqual(before);
  expectNothingWrong();
});
