import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { uidTraceId } from '../../bridge/lifecycle/trace-id.ts';
import { packageChart } from '../chart/helm.ts';
import { type KubeObject, until } from '../harness/kube.ts';
import { type ArrivedLog, type OtlpReceiver, startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { setStage, type Stage } from './stage.ts';
import { COLLECTOR } from './values.ts';

let stage: Stage;
let receiver: OtlpReceiver;

beforeAll(async () => {
  if (inject('node') === undefined) return;
  stage = await setStage('pod-logs');
  receiver = await startOtlpReceiver(0, stage.node.hostIp);
  // Else nothing may read the disk of a node.
  const privileged = 'pod-security.kubernetes.io/enforce=privileged';
  await stage.kube.kubectl(['label', 'namespace', stage.kube.namespace, privileged, '--overwrite']);
  const backend = {
    exporter: 'otlp',
    endpoint: receiver.endpoint.replace('http://', ''),
    insecure: true,
    signals: { metrics: { exporter: 'none' } },
    podLogs: { enabled: true },
  };
  const values = stage.values({ backend, collector: { image: COLLECTOR.image } });
  await stage.release('lb').apply(await packageChart(), values);
});
afterAll(async () => {
  receiver?.stop();
  await stage?.close();
});

const LINES = 20;
/** Three pods of one Job, of which two fail. The runtime cuts a line of this length. */
const WORK = {
  name: 'prints',
  script: [
    `for i in $(seq ${LINES}); do echo "line $i of $JOB_COMPLETION_INDEX"; done`,
    'head -c 40000 /dev/zero | tr "\\0" x; echo',
    '[ $JOB_COMPLETION_INDEX = 2 ] && echo good || { echo bad >&2; exit 3; }',
  ].join('\n'),
  job: { completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimit: 9, backoffLimitPerIndex: 0 },
};

const printed = (index: number): readonly string[] => [
  ...Array.from({ length: LINES }, (_, line) => `line ${line + 1} of ${index}`),
  'x'.repeat(40_000),
  index === 2 ? 'good' : 'bad',
];
/** Records that the DaemonSet sent, and not the bridge. */
const ofPods = (): readonly ArrivedLog[] =>
  receiver.logs().filter(({ resource }) => resource['k8s.container.name'] !== undefined);
const ofRun = (job: KubeObject): readonly ArrivedLog[] =>
  ofPods().filter(({ traceId }) => traceId === uidTraceId(job.metadata.uid));

async function arrived(job: KubeObject): Promise<void> {
  const all = 3 * printed(0).length;
  await until(`the lines of ${job.metadata.name}`, () => ofRun(job).length >= all, 90_000).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${ofRun(job).length} of ${all}`);
  });
  const texts = ofRun(job).map(({ body }) => String(body));
  expect(texts.toSorted()).toEqual([0, 1, 2].flatMap(printed).toSorted());
}

/** One of 0.111 reads also before it knows them; a line that it reads then has no trace. */
async function knowsPods(): Promise<void> {
  const { kube } = stage;
  const [name] = (await kube.kubectl(['get', 'pods', '-l', 'app.kubernetes.io/name=pod-logs', '-o', 'name'])).split(
    '\n',
  );
  const path = `/api/v1/namespaces/${kube.namespace}/pods/${name?.replace('pod/', '')}:8888/proxy/metrics`;
  await until('the new Collector knows the pods', async () =>
    /^otelcol_otelsvc_k8s_pod_added\{.*\} [1-9]/m.test(await kube.kubectl(['get', '--raw', path])),
  );
}

describe.skipIf(inject('node') === undefined)('logs of pods on a real node (needs root)', () => {
  it('every line of a Job with two failing pods and a good one arrives once under the span of its container, also after the Collector of the node was replaced', async () => {
    const { kube } = stage;
    await stage.make(WORK);
    await knowsPods();
    const first = await stage.start(WORK, 'prints-1');
    await arrived(first);
    await kube.kubectl(['rollout', 'restart', 'daemonset/lb-pod-logs']);
    await kube.kubectl(['rollout', 'status', 'daemonset/lb-pod-logs', '--timeout=90s'], { timeoutMs: 95_000 });
    await knowsPods();
    const second = await stage.start(WORK, 'prints-2');
    await arrived(second);
    await arrived(first);

    const { metadata } = await kube.get('cronjob/prints');
    for (const job of [first, second]) {
      const traceId = uidTraceId(job.metadata.uid);
      const spans = await until('the trace of the run', () => {
        const found = receiver.spans().filter((span) => span.traceId === traceId && span.name === 'container');
        return found.length === 3 && found;
      });
      for (const { spanId, resource } of ofRun(job)) {
        const container = spans.find((span) => span.spanId === spanId);
        expect(container?.resource['k8s.pod.uid']).toBe(resource['k8s.pod.uid']);
        expect(resource).toMatchObject({
          'k8s.namespace.name': kube.namespace,
          'k8s.job.name': job.metadata.name,
          'k8s.job.uid': job.metadata.uid,
          'k8s.container.name': 'main',
          'k8s.container.restart_count': 0,
          'k8s.node.name': container?.resource['k8s.node.name'],
          'k8s.cluster.name': 'node',
          'container.image.name': 'localhost/busybox',
        });
      }
      expect(spans[0]?.resource).toMatchObject({ 'k8s.cronjob.uid': metadata.uid });
    }
    // Neither its own logs nor those of the bridge, whose own way is another.
    expect(new Set(ofPods().map(({ resource }) => resource['k8s.pod.name'])).size).toBe(6);
    expect(receiver.logs().map(({ resource }) => resource['service.name'])).toContain('lifecycle-bridge');
  });
});
