import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Tree } from '../../bridge/config/tree.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { connectOtlp } from '../otlp-client.ts';
import { SENTRY_KEY, startVendors } from '../vendors/start-vendors.ts';
import { command } from './bench.ts';
import type { KubeJson } from './objects.ts';
import { exported } from './objects.ts';

/** Whole seconds, as Kubernetes keeps them; now and later are after the cut-off of a bridge that runs. */
const iso = (at = Date.now()): string => new Date(Math.ceil(at / 1000) * 1000).toISOString().replace('.000Z', 'Z');
let version = 1;

type Owner = readonly [kind: string, name: string];

function object(kind: string, name: string, owner: Owner | undefined, rest: object): KubeJson {
  const controller = owner && {
    apiVersion: 'v1',
    kind: owner[0],
    name: owner[1],
    uid: `uid-${owner[1]}`,
    controller: true,
  };
  const metadata = {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    resourceVersion: String(version++),
    creationTimestamp: iso(Date.now() - 86_400_000),
    ...(controller && {
      ownerReferences: [
        { ...controller, apiVersion: owner[0] === 'ReplicaSet' || owner[0] === 'Deployment' ? 'apps/v1' : 'batch/v1' },
      ],
    }),
  };
  const group = { CronJob: 'batch/v1', Job: 'batch/v1', Pod: 'v1' }[kind] ?? 'apps/v1';
  return { apiVersion: group, kind, metadata, ...rest };
}

const cronJob = (): KubeJson =>
  object('CronJob', 'report', undefined, {
    spec: { schedule: '*/5 * * * *', concurrencyPolicy: 'Allow', suspend: false, jobTemplate: {} },
    status: {},
  });
const workload = (): KubeJson[] => [
  object('Deployment', 'web', undefined, { spec: { replicas: 1 }, status: { replicas: 1 } }),
  object('ReplicaSet', 'web-a', ['Deployment', 'web'], { spec: { replicas: 1 }, status: { replicas: 1 } }),
];

/** A Job that began at `start`; when it is over, its end is now. */
function job(name: string, start: string, isOver: boolean): KubeJson {
  const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: iso() }];
  const status = isOver ? { succeeded: 1, completionTime: iso(), conditions } : { active: 1 };
  return object('Job', name, ['CronJob', 'report'], {
    spec: { parallelism: 1, completions: 1 },
    status: { startTime: start, ...status },
  });
}

/** A pod whose container has just failed. */
function failed(name: string, owner: Owner | undefined, exitCode = 1): KubeJson {
  const terminated = {
    exitCode,
    reason: exitCode === 137 ? 'OOMKilled' : 'Error',
    startedAt: iso(),
    finishedAt: iso(),
  };
  return object('Pod', name, owner, {
    spec: { nodeName: 'node-1', restartPolicy: 'Always' },
    status: {
      phase: 'Running',
      startTime: iso(),
      containerStatuses: [{ name: 'main', image: 'shop/web:2', restartCount: 0, state: { terminated } }],
    },
  });
}

it('a bridge that ran beside sentry-kubernetes in a dry run goes on with its issues and monitors, and reports nothing that it reported', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'change-'));
  const vendors = await startVendors();
  onTestFinished(async () => {
    await vendors.close();
    rmSync(folder, { recursive: true });
  });
  const [old, config] = [join(folder, 'env'), join(folder, 'bridge.yaml')];
  const dsn = `${vendors.url.replace('://', `://${SENTRY_KEY}@`)}/1`;
  writeFileSync(
    old,
    [`SENTRY_DSN=${dsn}`, 'SENTRY_K8S_WATCH_NAMESPACES=__all__', 'SENTRY_K8S_MONITOR_CRONJOBS=1'].join('\n'),
  );
  const migrated = async (more: object): Promise<void> => {
    const { code, stdout } = await command(['migrate-from', 'sentry', '--env', old]);
    expect(code).toBe(0);
    const values = parse(stdout) as { sentry: { default: Tree }; bridge: { config: Tree } };
    const { existingSecret: _, key: _1, ...ours } = values.sentry.default;
    writeFileSync(config, stringify({ ...values.bridge.config, sentry: { default: { ...ours, dsn, ...more } } }));
  };
  await migrated({ dryRun: true });
  const options = { vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir: folder };
  const bridge = await startBridge({ ...options, env: { LIFECYCLE_BRIDGE_CONFIG: config } });
  const client = connectOtlp(bridge.endpoint);
  onTestFinished(async () => {
    client.close();
    await bridge.stop();
  });
  const insist = async (...objects: readonly KubeJson[]): Promise<void> => {
    const request = exported(...objects);
    await until('acknowledged', async () => (await client.export(request)).response !== undefined, 60_000);
  };

  const start = iso();
  const before = [cronJob(), ...workload(), job('report-1', start, false), failed('web-a-1', ['ReplicaSet', 'web-a'])];
  await insist(...before);
  await bridge.settled(60_000);
  const drops = (await (await fetch(`${bridge.pageUrl}api/drops?limit=500`)).json()) as { items: { reason: string }[] };
  expect(drops.items.filter(({ reason }) => reason === 'dry_run')).toHaveLength(2);
  expect([vendors.sentry.events, vendors.sentry.checkIns]).toEqual([[], []]);

  await bridge.stop();
  await migrated({});
  await bridge.start();
  await insist(...before);
  await insist(job('report-1', start, true));
  await insist(failed('web-a-2', ['ReplicaSet', 'web-a']), failed('alone', undefined, 137));
  const second = iso();
  await insist(job('report-2', second, false));
  await insist(job('report-2', second, true));
  await bridge.settled(100_000);

  expect(vendors.sentry.events).toHaveLength(2);
  expect(Object.fromEntries(vendors.sentry.events.map(({ event }) => [event.message, event.fingerprint]))).toEqual({
    'alone: OOMKilled: container "main"': ['OOMKilled: container "main"', 'Pod', 'alone'],
    'web-a-2: Error: container "main"': ['Error: container "main"', 'Deployment', 'web'],
  });
  const checkIns = vendors.sentry.checkIns.map(({ checkIn }) => checkIn);
  expect(checkIns.map(({ monitor_slug: slug, status }) => `${slug} ${status}`).toSorted()).toEqual([
    'report in_progress',
    'report ok',
    'report ok',
  ]);
  expect(new Set(checkIns.map(({ check_in_id: id }) => id)).size).toBe(2);
  expect([vendors.sentry.duplicates, vendors.sentry.violations]).toEqual([[], []]);
});
