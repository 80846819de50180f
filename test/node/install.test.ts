import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { permissions } from '../chart/account.ts';
import { packageChart, UMBRELLA } from '../chart/helm.ts';
import { type Kube, until } from '../harness/kube.ts';
import type { Release } from './release.ts';
import { expectReported, setStage, type Stage } from './stage.ts';
import { measured } from './usage.ts';
import { cronJob, EATS_MEMORY, FAILS, SUCCEEDS } from './workloads.ts';

const PARTS = ['bridge', 'collector', 'kube-state-metrics'];
const SCHEDULED = { ...SUCCEEDS, name: 'every-minute', schedule: '* * * * *' };

let stage: Stage;
let kube: Kube;
let foreign: Kube;
let release: Release;

beforeAll(async () => {
  if (inject('node') === undefined) return;
  stage = await setStage('ops');
  ({ kube } = stage);
  foreign = await stage.namespace('foreign');
  // It is there before the bridge, and fires while the other tests run.
  await stage.make(SCHEDULED);
  release = stage.release('lb');
  await release.apply(await packageChart(), stage.values());
});
afterAll(() => stage?.close());

describe.skipIf(inject('node') === undefined)('the chart in a restricted namespace (needs root)', () => {
  it('has every pod Ready, without a restart and without a warning', async () => {
    const pods = await release.pods();
    expect([...pods.keys()].toSorted()).toEqual(PARTS);
    for (const { metadata, status } of pods.values()) {
      expect(status.conditions, `the pod ${metadata.name}`).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True' }),
      );
      expect(status.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
    }
    expect(await warnings()).toEqual([]);
  });

  it('passes helm test: something harmless reaches Cronitor, in a monitor that is paused', async () => {
    expect(await release.helm('test', '--timeout', '2m')).toContain('Phase:          Succeeded');
    const { monitors, pings } = stage.vendors.cronitor;
    expect(monitors.get('lifecycle-bridge-test')).toMatchObject({ paused: true });
    const sent = pings.filter(({ monitor }) => monitor === 'lifecycle-bridge-test');
    expect(sent.map(({ query }) => query.state)).toEqual(['run', 'complete']);
  });

  it('reports to Cronitor a run that succeeds, one that fails and one that is killed for its memory', async () => {
    await stage.make(SUCCEEDS, FAILS, EATS_MEMORY);
    const [fine, failed, killed] = [
      await stage.start(SUCCEEDS, 'succeeds-1'),
      await stage.start(FAILS, 'fails-1'),
      await stage.start(EATS_MEMORY, 'eats-memory-1'),
    ];
    await expectReported(stage, [
      { job: fine, end: 'complete' },
      { job: failed, end: 'fail', message: /exited with 3/ },
      { job: killed, end: 'fail', message: /OOMKilled/ },
    ]);
  });

  it('reports a run that its own schedule starts', async () => {
    const job = await until('the schedule fires', async () => (await kube.list('jobs')).find(isScheduled), 90_000);
    await expectReported(stage, [{ job, end: 'complete' }]);
    const [run] = stage.vendors.cronitor.pings.filter(({ query }) => query.series === job.metadata.uid);
    // Read now: the Job that was found may have been too new to have a start.
    const { status } = await kube.get(`job/${job.metadata.name}`);
    expect(Number(run?.query.stamp)).toBe(Date.parse(String(status?.['startTime'])) / 1000);
  });

  const isScheduled = ({ metadata: { name } }: { metadata: { name: string } }) => name.startsWith(SCHEDULED.name);

  it('shows the way of a run from its Job to the call at the vendor, behind the token', async () => {
    const { metadata } = await kube.get('job/fails-1');
    await release.settled();
    const page = await release.page(`/runs/${metadata.uid}`);
    expect(page.status).toBe(200);
    const text = (await page.text()).replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
    for (const wanted of ['fails', 'exited with 3', 'cronitor/default', 'delivered']) expect(text).toContain(wanted);
    const [, reported] = stage.vendors.cronitor.pings.filter(({ query }) => query.series === metadata.uid);
    const detail = (await (await release.page(`/api/runs/${metadata.uid}`)).json()) as {
      deliveries: { payload: object; status: string }[];
    };
    expect(detail.deliveries).toContainEqual(
      expect.objectContaining({ status: 'delivered', payload: { key: reported?.monitor, query: reported?.query } }),
    );
  });

  it('sends metrics of its parts and of workloads, each with the cluster, the release and its pod', async () => {
    const of = (name: string, attributes: object = {}) => {
      const wanted = Object.entries(attributes);
      return until(
        `a sample of ${name}`,
        () =>
          stage.sink
            .samples()
            .find((sample) => sample.name === name && wanted.every(([key, value]) => sample.attributes[key] === value)),
        90_000,
      );
    };
    const everywhere = {
      'k8s.cluster.name': 'node',
      'deployment.environment.name': 'test',
      'helm.release.name': 'lb',
      'helm.release.namespace': kube.namespace,
    };
    const failed = await of('kube_job_failed', { job_name: 'fails-1', condition: 'true' });
    expect(failed).toMatchObject({ value: 1, attributes: { namespace: kube.namespace }, resource: everywhere });
    const reason = await of('kube_pod_container_status_terminated_reason', { reason: 'OOMKilled' });
    expect(reason.attributes['pod']).toMatch(/^eats-memory-1-/);
    const bridge = await of('lifecycle_bridge_cronjobs');
    expect(bridge.resource).toMatchObject({ ...everywhere, 'k8s.pod.name': 'lb-bridge-0' });
    const collector = await of('otelcol_exporter_sent_log_records');
    expect(collector.resource).toMatchObject({ ...everywhere, 'k8s.pod.name': 'lb-collector-0' });
    const bare = stage.sink
      .samples()
      .filter(({ resource }) => Object.keys(everywhere).some((key) => resource[key] === undefined));
    expect(bare).toEqual([]);
  });

  it('sees nothing of another namespace', async () => {
    await foreign.apply(cronJob({ ...FAILS, name: 'not-ours' }));
    await foreign.runCronJob('not-ours', 'not-ours-1');
    await foreign.wait('job/not-ours-1', 'condition=Failed', 60_000);
    const after = await stage.start(SUCCEEDS, 'succeeds-after-foreign');
    await expectReported(stage, [{ job: after, end: 'complete' }]);
    const seen = await until(
      'kube-state-metrics shows the later run',
      () => {
        const samples = stage.sink.samples();
        return samples.some(({ attributes }) => attributes['job_name'] === 'succeeds-after-foreign') && samples;
      },
      90_000,
    );
    expect(JSON.stringify(seen)).not.toContain(foreign.namespace);
    const shown = await (await release.page('/api/cronjobs?limit=500')).text();
    expect(shown).toContain(kube.namespace);
    expect(shown).not.toContain(foreign.namespace);
    expect(JSON.stringify(stage.vendors.cronitor.state())).not.toContain(foreign.namespace);
  });

  it('lets each account do what the table of permissions says, and no more', async () => {
    const everybody = new Set(await permissions(kube, '', kube.namespace));
    for (const part of PARTS) {
      const may = (await permissions(kube, `lb-${part}`, kube.namespace)).filter((rule) => !everybody.has(rule));
      expect(may.toSorted(), `the ${part}`).toEqual(documented(`lb-${part}`, kube.namespace).toSorted());
      const elsewhere = await permissions(kube, `lb-${part}`, foreign.namespace);
      expect(elsewhere.filter((rule) => !everybody.has(rule))).toEqual([]);
    }
  });

  it('uses less memory than it requests, and says so', async () => {
    const usage = await measured(kube, release);
    console.table(usage);
    for (const { part, memory, request } of usage) expect(memory, `the ${part}`).toBeLessThan(request);
  });

  it('has been refused nothing, and has warned of nothing', async () => {
    for (const part of PARTS) {
      const target = part === 'kube-state-metrics' ? `deployment/lb-${part}` : `statefulset/lb-${part}`;
      const log = await kube.kubectl(['logs', target]);
      expect(log, `the ${part}`).not.toMatch(/forbidden|"level":(?:"(?:error|fatal|panic)"|[56]0)|^[EF]\d{4}/m);
    }
    for (const { status } of (await release.pods()).values())
      expect(status.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
    expect(await warnings()).toEqual([]);
  });
});

/** What a busy machine makes Kubernetes say of a pod that starts or answers slowly, and says of it once. */
const SLOW = new RegExp(
  [
    '^Startup probe failed: .*connection refused',
    '^(?:Startup|Liveness|Readiness) probe failed: .*(?:deadline exceeded|Client\\.Timeout|i/o timeout)',
    '^Readiness probe failed: .*statuscode: 503', // its store took two seconds for a write
    'failed to sync (?:configmap|secret) cache: timed out', // the kubelet waits a second for its first LIST
    'the object has been modified',
  ].join('|'),
);

/** What Kubernetes has to say against the objects of the release, except that a busy machine made them slow. */
async function warnings(): Promise<readonly string[]> {
  const events = await kube.kubectl(['get', 'events', '--field-selector=type=Warning', '-o', 'json']);
  const { items } = JSON.parse(events) as {
    items: { involvedObject: { name: string }; reason: string; message: string }[];
  };
  return items
    .filter(({ involvedObject }) => /^(?:data-|queue-)?lb-/.test(involvedObject.name))
    .filter(({ message }) => !SLOW.test(message))
    .map(({ involvedObject, reason, message }) => `${involvedObject.name}: ${reason}: ${message}`);
}

/** The rules of an account in PERMISSIONS.md, for scope: namespace. */
function documented(account: string, namespace: string): readonly string[] {
  const text = readFileSync(join(UMBRELLA, 'PERMISSIONS.md'), 'utf8').replaceAll('RELEASE-NAMESPACE', namespace);
  const section = text.split(/^## /m).find((each) => each.startsWith(`${account}\n`)) ?? '';
  return section.split('\n').flatMap((line) => {
    const [, resource = '', verbs = '', inNamespace] = line.split('|').map((cell) => cell.trim());
    return inNamespace === 'yes' ? [`${resource}: ${verbs}`] : [];
  });
}
