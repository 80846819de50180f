import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { Bench, command } from './bench.ts';
import { exported, type KubeJson } from './objects.ts';

/**
 * The examples of docs/explain.md are what the command prints, apart from the times. `EXPLAIN_DOC=write` writes them
 * again.
 */
const DOC = join(import.meta.dirname, '../../docs/explain.md');
const START = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const NAMES = ['report', 'cleanup', 'import'] as const;
type Name = (typeof NAMES)[number];

const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString().replace('.000Z', 'Z');
const uid = (kind: string, name: Name): string => `${kind}-5a1c-4b0e-9d52-00000000000${NAMES.indexOf(name) + 1}`;

function object(kind: string, version: string, name: string, id: string, rest: object, owner?: object): KubeJson {
  const references =
    owner === undefined ? {} : { ownerReferences: [{ controller: true, apiVersion: 'batch/v1', ...owner }] };
  const metadata = {
    name,
    namespace: 'shop',
    uid: id,
    resourceVersion: version,
    creationTimestamp: at(0),
    ...references,
  };
  return { apiVersion: kind === 'Pod' ? 'v1' : 'batch/v1', kind, ...rest, metadata };
}

function cronJob(name: Name, annotations: object = {}): KubeJson {
  const spec = { schedule: '*/5 * * * *', concurrencyPolicy: 'Allow', suspend: false, jobTemplate: {} };
  const made = object('CronJob', '100', name, uid('c7d2a1f0', name), { spec, status: {} });
  return { ...made, metadata: { ...(made['metadata'] as object), annotations } };
}

function job(name: Name, version: string, status: object): KubeJson {
  const owner = { kind: 'CronJob', name, uid: uid('c7d2a1f0', name) };
  return object('Job', version, `${name}-29381`, uid('4be1c9d3', name), { spec: {}, status }, owner);
}

/** A run from its start to its end, with one pod. */
function run(name: Name, exitCode: number): KubeJson[] {
  const outcome =
    exitCode === 0
      ? { type: 'Complete' }
      : { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  const conditions = [{ ...outcome, status: 'True', lastTransitionTime: at(9) }];
  const terminated = {
    exitCode,
    reason: exitCode === 137 ? 'OOMKilled' : 'Completed',
    startedAt: at(2),
    finishedAt: at(8),
  };
  const containerStatuses = [{ name: 'worker', image: 'shop:1', restartCount: 0, state: { terminated } }];
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
  const owner = { kind: 'Job', name: `${name}-29381`, uid: uid('4be1c9d3', name) };
  const spec = { nodeName: 'node-2', restartPolicy: 'Never', containers: [{ name: 'worker', image: 'shop:1' }] };
  const status = { phase, startTime: at(1), containerStatuses };
  const completion = exitCode === 0 ? { completionTime: at(9) } : {};
  return [
    job(name, '110', { startTime: at(1), active: 1 }),
    object('Pod', '120', `${name}-29381-x7k2p`, uid('9f03e6b8', name), { spec, status }, owner),
    job(name, '130', { startTime: at(1), conditions, ...completion }),
  ];
}

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
  bench.vendors.inject({ match: 'state=fail', status: 503 });
  bench.vendors.inject({ match: 'state=complete', status: 400 });
  await bench.insist(
    exported(cronJob('report'), cronJob('cleanup', { 'k8s.cronitor.io/exclude': 'true' }), cronJob('import')),
  );
  await bench.insist(exported(...run('report', 137), ...run('cleanup', 0), ...run('import', 0)));
  await until(
    'everything is settled',
    async () => (await bench.metric('lifecycle_bridge_outbox_pending{destination="cronitor/default"}')) === 0,
  );
});

afterAll(() => bench.close());

const untimed = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');

/** The block after the marker of this name. */
const block = (name: string): RegExp => new RegExp(`(<!-- explain:${name} -->\n+\`\`\`text\n)([^]*?)(\n\`\`\`)`);

it.each([
  ['delivered', 'report'],
  ['suppressed', 'cleanup'],
  ['dead-lettered', 'import'],
] as const)('the example of a %s transition is what explain prints', async (example, name) => {
  const shown = await command(['explain', uid('4be1c9d3', name), '--store', bench.bridge.storePath]);
  const text = `$ lifecycle-bridge explain ${uid('4be1c9d3', name)}\n${shown.stdout.trimEnd()}`;
  const doc = readFileSync(DOC, 'utf8');
  if (process.env['EXPLAIN_DOC'] === 'write')
    writeFileSync(
      DOC,
      doc.replace(block(example), (_, before: string, _old, after: string) => before + text + after),
    );
  expect(untimed(text)).toBe(untimed(block(example).exec(readFileSync(DOC, 'utf8'))?.[2] ?? ''));
});
