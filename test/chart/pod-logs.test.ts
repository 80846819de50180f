import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { uidTraceId } from '../../bridge/lifecycle/trace-id.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { containerSpanId } from '../../bridge/sinks/otlp/ids.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { createNamespace, type Kube, type KubeObject, until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { type ArrivedLog, type OtlpReceiver, startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { accountKubeconfig } from './account.ts';
import { OLD_COLLECTOR, packageChart, render } from './helm.ts';
import { NODE, NodeLogs, workloads } from './node-logs.ts';
import { startPodLogs } from './programs.ts';

let cluster: Cluster;
let chart: string;
let shop: Kube;
let foreign: Kube;
const releases = new Releases();

beforeAll(async () => {
  [cluster, chart] = await Promise.all([startCluster('chart-pod-logs'), packageChart()]);
  shop = await createNamespace(cluster.kubeconfig, 'shop');
  foreign = await createNamespace(cluster.kubeconfig, 'foreign');
  await shop.apply(...workloads());
  for (const pod of ['bare', 'db-0']) await shop.wait(`pod/${pod}`, 'jsonpath={.spec.nodeName}');
});
afterEach(() => releases.release());
afterAll(async () => {
  await shop?.removeNamespace();
  await foreign?.removeNamespace();
  await cluster?.stop();
});

interface Stage {
  readonly receiver: OtlpReceiver;
  readonly logs: NodeLogs;
  /** Starts the Collector of the DaemonSet on what it knew before; it knows the pods of its node when this resolves. */
  readonly start: () => Promise<PodLogs>;
  /** Waits for a line of this text; returns its record. */
  readonly arrives: (text: string) => Promise<ArrivedLog>;
  readonly texts: () => readonly string[];
}

interface PodLogs {
  kill9(): Promise<void>;
  /** Waits until this many lines are in its queue on disk. */
  taken(count: number): Promise<unknown>;
}

/** With the permissions that the chart gives in these namespaces. */
async function setStage(...namespaces: readonly string[]): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'pod-logs-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const receiver = await startOtlpReceiver();
  releases.add(() => receiver.stop());
  const endpoint = receiver.endpoint.replace('http://', '');
  const backend = { exporter: 'otlp', endpoint, insecure: true, podLogs: { enabled: true } };
  const scope = { scope: 'namespaces', namespaces };
  const values = { ...scope, cluster: { name: 'production' }, backend };
  const manifests = await render(chart, values, {
    namespace: shop.namespace,
    args: OLD_COLLECTOR,
  });
  const access = manifests.filter(
    ({ kind, metadata }) => /Role|Account/.test(kind) && /pod-logs/.test(metadata.name) && kind !== 'ClusterRole',
  );
  for (const kube of [shop, foreign]) {
    const here = access.filter(({ metadata }) => metadata.namespace === kube.namespace);
    if (here.length > 0) await kube.apply(...here);
  }
  const kubeconfig = await accountKubeconfig(shop, cluster.kubeconfig, 'lb-pod-logs', folder);
  const logs = new NodeLogs(join(folder, 'pods'));
  const env = { NODE_NAME: NODE, POD_LOGS_DIR: logs.folder };
  const texts = () => receiver.logs().map(({ body }) => String(body));
  return {
    receiver,
    logs,
    texts,
    start: async () => {
      const program = await startPodLogs({ manifests, kubeconfig, folder: join(folder, 'otelcol'), env });
      releases.add(() => program.stop());
      const metric = (name: string) => readMetric(`http://127.0.0.1:${program.port}/metrics`, name);
      const pods = (await shop.list('pods')).length;
      await until('it knows the pods', async () => (await metric('otelcol_otelsvc_k8s_pod_added')) >= pods);
      return {
        kill9: () => program.kill9(),
        taken: (count) =>
          until(
            `${count} lines are taken`,
            async () => (await metric('otelcol_receiver_accepted_log_records')) >= count,
          ),
      };
    },
    arrives: (text) => until(`the line ${text}`, () => receiver.logs().find(({ body }) => body === text)),
  };
}

const ownerOf = (pod: KubeObject): string | undefined =>
  (pod.metadata as unknown as { ownerReferences?: [{ uid: string }] }).ownerReferences?.[0].uid;

async function podOf(owner: string): Promise<KubeObject> {
  return until(`a pod of ${owner}`, async () =>
    (await shop.list('pods')).find(({ metadata }) => metadata.name.startsWith(`${owner}-`)),
  );
}

describe('the Collector of the DaemonSet', () => {
  it('stamps lines of a Job with its trace, under the span of their container, and with the attributes of its resource', async () => {
    const { logs, start, arrives } = await setStage(shop.namespace);
    const pod = await podOf('report-29380415');
    const file = logs.of(pod, 'main', 1);
    await start();
    file.write('stdout F the first');
    const record = await arrives('the first');
    const traceId = uidTraceId(ownerOf(pod)!);
    expect(record).toMatchObject({
      traceId,
      spanId: containerSpanId(traceId, pod.metadata.uid, 'main', 1),
      attributes: { 'log.iostream': 'stdout' },
      at: file.at,
    });
    expect(Object.keys(record.attributes)).toEqual(['log.iostream']);
    expect(record.resource).toMatchObject({
      'k8s.cluster.name': 'production',
      'k8s.namespace.name': shop.namespace,
      'k8s.node.name': NODE,
      'k8s.pod.name': pod.metadata.name,
      'k8s.pod.uid': pod.metadata.uid,
      'k8s.container.name': 'main',
      'k8s.container.restart_count': 1,
      'k8s.job.name': 'report-29380415',
      'k8s.job.uid': ownerOf(pod),
      'k8s.cronjob.name': 'report',
      'container.image.name': 'app',
      'container.image.tag': '1',
      'service.name': 'report',
      'service.namespace': shop.namespace,
      'helm.release.name': 'lb',
    });
    expect(Object.keys(record.resource).filter((key) => /^(path|run)|template/.test(key))).toEqual([]);
  });

  it('a bare pod is its own run; a Job by hand has no CronJob; what a workload owns has attributes and no trace', async () => {
    const { logs, start, arrives } = await setStage(shop.namespace);
    await start();
    const owners = ['migrate-20260101', 'web', 'db', 'agent'];
    for (const owner of owners) logs.of(await podOf(owner), 'main').write(`stdout F of ${owner}`);
    const bare = await shop.get('pod/bare');
    logs.of(bare, 'main').write('stderr F of itself');
    logs
      .of({ metadata: { name: 'static', uid: 'f'.repeat(32), namespace: shop.namespace } }, 'main')
      .write('stdout F x');
    expect(await arrives('of itself')).toMatchObject({
      traceId: uidTraceId(bare.metadata.uid),
      resource: { 'service.name': 'bare' },
    });
    const job = await arrives('of migrate-20260101');
    expect(job.traceId).toBe(uidTraceId((await shop.get('job/migrate-20260101')).metadata.uid));
    expect(job.resource).toMatchObject({ 'service.name': 'migrate-20260101' });
    expect(job.resource).not.toHaveProperty('k8s.cronjob.name');
    for (const [owner, resource] of [
      [
        'web',
        { 'k8s.deployment.name': 'web', 'k8s.replicaset.name': expect.stringMatching(/^web-/), 'service.name': 'web' },
      ],
      ['db', { 'k8s.statefulset.name': 'db', 'service.name': 'db' }],
      ['agent', { 'k8s.daemonset.name': 'agent', 'service.name': 'agent' }],
    ] as const) {
      expect(await arrives(`of ${owner}`)).toMatchObject({ traceId: '', spanId: '', resource });
    }
    // No pod of the API has that UID, as of a static pod: nobody knows whose it is.
    expect(await arrives('x')).toMatchObject({ traceId: '', resource: { 'k8s.pod.name': 'static' } });
  });

  it('puts together what a runtime has cut, and reads neither its own logs nor those of other namespaces', async () => {
    const { logs, start, arrives, texts } = await setStage(shop.namespace, foreign.namespace);
    const pod = await podOf('report-29380415');
    const elsewhere = { metadata: { ...pod.metadata, namespace: 'elsewhere' } };
    logs.of(elsewhere, 'main').write('stdout F not in scope');
    for (const name of ['lb-bridge-0', 'lb-collector-0', 'lb-pod-logs-x7k2p'])
      logs.of({ metadata: { ...pod.metadata, name } }, 'main').write(`stdout F of ${name}`);
    const file = logs.of(pod, 'main');
    file.write('stdout P über ', 'stdout P 日本 ', 'stdout F Ende', 'stdout F ', 'stderr F  two  spaces');
    await start();
    await arrives(' two  spaces');
    file.write('stdout F last');
    await arrives('last');
    expect(texts().toSorted()).toEqual(['', ' two  spaces', 'last', 'über 日本 Ende']);
  });

  it('has every line once over a rotation, a backend that is away, and a kill with a rotation in it', async () => {
    const { receiver, logs, start, arrives, texts } = await setStage(shop.namespace);
    const file = logs.of(await podOf('report-29380415'), 'main');
    file.write(...lines(0, 300));
    const other = logs.of(await podOf('web'), 'main');
    const collector = await start();
    await arrives('line 299');
    file.rotate();
    file.writeToRotated(...lines(300, 310)); // until it is asked to reopen, the runtime writes to the file that it has open
    file.write(...lines(310, 320));
    await arrives('line 319');
    receiver.refuse(status.UNAVAILABLE);
    file.write(...lines(320, 330));
    await collector.taken(330);
    // That the next poll finds this proves that the places of the polls before it are on the disk; its own need not be.
    other.write('stdout F perhaps twice');
    await collector.taken(331);
    await collector.kill9();
    file.write(...lines(330, 340));
    file.rotate();
    file.write(...lines(340, 350));
    receiver.accept();
    await start();
    await arrives('line 349');
    await until('all', () => new Set(texts()).size === 351);
    const once = texts().filter((text) => text !== 'perhaps twice');
    expect(once.toSorted()).toEqual(
      lines(0, 350)
        .map((line) => line.slice('stdout F '.length))
        .toSorted(),
    );
  });
});

function lines(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => `stdout F line ${from + index}`);
}
