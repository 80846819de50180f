import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeApi } from '../../bridge/cluster/fake-api.ts';
import { until } from '../harness/kube.ts';
import { encodeLogs } from '../otlp-client.ts';
import { Bench, command } from './bench.ts';
import type { KubeJson } from './objects.ts';
import { cronJob, exported, job, jobUid, podOfJob } from './objects.ts';

let seeds = 0;
/** A text as people and programs write them, with several secrets of its own. */
function seeded(): string {
  const secret = (): string => `SEED${++seeds}x`;
  return [
    `login failed password=${secret()} user=app postgres://app:${secret()}@db:5432/shop`,
    `Authorization: Bearer ${secret()}0123456789`,
    `{"apiKey":"${secret()}"} --token ${secret()} ghp_${secret()}0123456789 -u app:${secret()}`,
    `-----BEGIN PRIVATE KEY-----\n${secret()}\n-----END PRIVATE KEY-----`,
  ].join(' ');
}
/** What cannot be read is kept as it came, and shown without. */
const kept = (text: string): string => text.replaceAll('SEED', 'RAWSEED');

const KEY = 'K3Y-of-the-account-0123456789';
const NOW = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');

const unread = () => ({
  'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ env: [{ name: 'PASSWORD', value: seeded() }] }),
  'example.com/credentials': seeded(),
});

function withAnnotations(object: KubeJson, annotations: Readonly<Record<string, string>>): KubeJson {
  const metadata = object['metadata'] as object;
  const labels = { app: 'report', token: `glpat-SEED${++seeds}0123456789` };
  return { ...object, metadata: { ...metadata, labels, annotations: { ...unread(), ...annotations } } };
}

const container = (name: string) => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', seeded()],
  args: [`--password=${seeded()}`],
  env: [{ name: 'DB_PASSWORD', value: seeded() }],
});
const ended = () => ({ exitCode: 1, reason: 'Error', message: seeded(), startedAt: NOW, finishedAt: NOW });
const status = (name: string) => ({
  name,
  image: 'busybox',
  restartCount: 1,
  state: { terminated: ended() },
  lastState: { terminated: ended() },
});

/** The pod of the Job `number`; it has ended, or waits for ever. */
function pod(number: number, phase: 'Failed' | 'Pending'): KubeJson {
  const waiting = { ...status('main'), state: { waiting: { reason: 'CreateContainerError', message: seeded() } } };
  const conditions = ['PodScheduled', 'Ready', 'DisruptionTarget'].map((type) => ({
    type,
    status: 'False',
    reason: 'Unschedulable',
    message: seeded(),
    lastTransitionTime: NOW,
  }));
  const podStatus = {
    phase,
    reason: 'Evicted',
    message: seeded(),
    conditions,
    initContainerStatuses: [status('init')],
    containerStatuses: [phase === 'Failed' ? status('main') : waiting],
    ephemeralContainerStatuses: [status('debug')],
  };
  const spec = {
    containers: [container('main')],
    initContainers: [container('init')],
    ephemeralContainers: [container('debug')],
  };
  return withAnnotations(podOfJob(number, NOW, podStatus, spec), {});
}

function failed(number: number): KubeJson {
  const object = withAnnotations(job(number, 1, 'complete'), {});
  const condition = { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', lastTransitionTime: NOW };
  const conditions = [{ ...condition, message: seeded() }];
  return { ...object, status: { startTime: NOW, failed: 1, conditions } };
}

/** Every page that a link leads to from the first, by its address. */
async function pages(bench: Bench): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const open = ['/'];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    const { text } = await bench.get(path.slice(1));
    found.set(path, text);
    const links = [...text.matchAll(/href="(\/[^"#]*)/g)].map(([, link = '']) => link.replaceAll('&amp;', '&'));
    open.push(...links.filter((link) => !link.startsWith('/assets')));
  }
  return found;
}

describe('secrets in everything that people, programs and vendors write', () => {
  const fake = new FakeApi();
  let bench: Bench;
  /** All that leaves the bridge, by where it is. */
  const outputs = new Map<string, string>();

  beforeAll(async () => {
    await fake.start();
    fake.intercept = (path) => (path.includes('/log?') ? { status: 200, body: `${seeded()}\nthe end\n` } : undefined);
    bench = await Bench.start({ kubeconfig: fake.kubeconfig }, KEY);
    const echo = { k: KEY, b64: Buffer.from(KEY).toString('base64'), hex: Buffer.from(KEY).toString('hex') };
    bench.vendors.inject({ match: 'state=fail', status: 400, body: `${JSON.stringify(echo)} \u001B[2J${seeded()}` });
    await bench.insist(
      exported(
        withAnnotations(cronJob(1), {
          'k8s.cronitor.io/note': `runbook: ${seeded()}`,
          'k8s.cronitor.io/group': `team token=SEED${++seeds}x`,
          'k8s.cronitor.io/tags': `a, password=SEED${++seeds}x`,
          'k8s.cronitor.io/notify': `secret=SEED${++seeds}x`,
          'k8s.cronitor.io/passwort': seeded(),
          'k8s.cronitor.io/grace-seconds': `token=SEED${++seeds}x`,
        }),
        withAnnotations(job(1, 1, 'running'), {}),
        pod(1, 'Failed'),
        failed(1),
        withAnnotations(job(2, 1, 'running'), {}),
        pod(2, 'Pending'),
      ),
    );
    const record = { kind: 'Secret', data: { key: 'RAWSEED1x' }, env: [{ name: 'A', value: 'RAWSEED2x' }] };
    await bench.client.export(encodeLogs([{ body: { ...record, log: kept(seeded()) } }]));
    await bench.client.export(Buffer.from(`no protobuf ${kept(seeded())}`));
    await until('the logs are there', () => bench.vendors.cronitor.logs.uploads.length > 0, 60_000);
    await bench.delivered(60_000);
    await until('the Event is written', () => fake.created.size > 0, 60_000);
    await collect();
  });
  afterAll(async () => {
    await bench?.close();
    await fake.stop();
  });

  async function collect(): Promise<void> {
    for (const [path, text] of await pages(bench)) outputs.set(`page ${path}`, text);
    for (const path of ['runs', 'desired', 'deliveries', 'drops', 'cronjobs', 'problems'])
      outputs.set(`api/${path}`, (await bench.get(`api/${path}?limit=500`)).text);
    for (const path of [`api/runs/${jobUid(1)}`, `api/runs/${jobUid(2)}`, 'metrics', 'readyz', 'version'])
      outputs.set(path, (await bench.get(path)).text);
    for (const { id } of (await bench.list<{ kind: string; id: number }>('drops')).filter(
      (row) => row.kind === 'quarantine',
    ))
      outputs.set(`api/quarantine/${id}`, (await bench.get(`api/quarantine/${id}`)).text);
    for (const what of [jobUid(1), jobUid(2), 'shop/cron-1', 'shop/job-1']) {
      const { code, stdout, stderr } = await command(['explain', what, '--store', bench.bridge.storePath]);
      expect(code).toBe(0);
      outputs.set(`explain ${what}`, stdout + stderr);
    }
    const backup = join(bench.folder, 'backup.db');
    const { code, stdout, stderr } = await command(['backup', backup, '--store', bench.bridge.storePath]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    outputs.set('backup', stdout);
    for (const [index, request] of bench.vendors.requests.entries())
      outputs.set(`request ${index} to the vendor`, JSON.stringify(request));
    for (const [index, upload] of bench.vendors.cronitor.logs.uploads.entries())
      outputs.set(`upload ${index}`, upload.text);
    for (const [path, event] of fake.created) outputs.set(`Event ${path}`, JSON.stringify(event));
  }

  /** The files of the bridge: store, write-ahead log, side files, backup, its own log. */
  const files = (): string[] => readdirSync(bench.folder).filter((name) => statSync(join(bench.folder, name)).isFile());

  it('are in no page, answer, explanation, metric, Event, upload or request to a vendor', () => {
    expect(outputs.size).toBeGreaterThan(30);
    for (const [where, text] of outputs) {
      expect({ where, seed: /(?:RAW)?SEED\d+.{0,20}/.exec(text)?.[0] }).toEqual({ where, seed: undefined });
    }
  });

  it('are in no file', () => {
    expect(files()).toEqual(expect.arrayContaining(['bridge.db', 'bridge.db-wal', 'backup.db', 'bridge.log']));
    for (const name of files()) {
      const text = readFileSync(join(bench.folder, name), 'latin1').replaceAll(/RAWSEED/g, '');
      expect({ name, seed: /.{0,40}SEED\d+.{0,20}/s.exec(text)?.[0] }).toEqual({ name, seed: undefined });
    }
  });

  it('take the rest of the text with them nowhere', () => {
    expect(outputs.get(`explain ${jobUid(1)}`)).toContain('login failed password=[redacted] user=app');
    expect(outputs.get(`page /runs/${jobUid(1)}`)).toContain('login failed password=[redacted] user=app');
    const ping = bench.vendors.requests.find(({ path }) => path.includes('state=fail'));
    expect(decodeURIComponent(ping?.path ?? '')).toContain('login+failed+password=[redacted]');
    expect([...outputs.keys()].filter((where) => where.startsWith('page /quarantine/'))).toHaveLength(2);
    expect(bench.vendors.cronitor.logs.uploads[0]?.text).toContain('the end');
  });

  it('of the account itself are nowhere, however the vendor spells them', () => {
    const spelled = new RegExp([KEY, Buffer.from(KEY).toString('base64'), Buffer.from(KEY).toString('hex')].join('|'));
    for (const [where, text] of outputs) expect({ where, has: spelled.test(text) }).toEqual({ where, has: false });
    for (const name of files()) {
      const text = readFileSync(join(bench.folder, name), 'latin1');
      expect({ name, has: spelled.test(text) }).toEqual({ name, has: false });
    }
  });

  it('would be in files that only the user of the bridge can read', () => {
    for (const name of files().filter((file) => file !== 'bridge.log')) {
      const mode = statSync(join(bench.folder, name)).mode & 0o077;
      expect({ name, mode }).toEqual({ name, mode: 0 });
    }
  });

  it('and control characters are nowhere in what is printed', () => {
    for (const [where, text] of outputs) {
      if (!where.startsWith('explain')) continue;
      // oxlint-disable-next-line no-control-regex
      expect({ where, has: /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/.test(text) }).toEqual({ where, has: false });
    }
  });
});
