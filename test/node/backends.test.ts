import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { own, spanGroup, standard, wrongWith } from '../../bridge/telemetry/testing/registry.ts';
import { packageChart } from '../chart/helm.ts';
import type { Backend } from '../harness/backends.ts';
import { jaegerSpans, spanTree, startJaeger, startVictoriaLogs, tagsOf, victoriaLogs } from '../harness/backends.ts';
import { type KubeObject, until } from '../harness/kube.ts';
import { metricIn } from '../harness/metrics.ts';
import { type Judge, startJudge } from './judge.ts';
import { setStage, type Stage } from './stage.ts';
import { COLLECTOR } from './values.ts';
import type { Work } from './workloads.ts';

type Spans = Awaited<ReturnType<typeof jaegerSpans>>;
type Records = Awaited<ReturnType<typeof victoriaLogs>>;

const releases = new Releases();
let stage: Stage;
let jaeger: Backend;
let logs: Backend;
let judge: Judge;

beforeAll(async () => {
  if (inject('node') === undefined) return;
  stage = await setStage('backends');
  releases.add(() => stage.close());
  const folder = mkdtempSync(join(tmpdir(), 'node-backends-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const { hostIp } = stage.node;
  [jaeger, logs] = [await startJaeger(folder, hostIp), await startVictoriaLogs(folder, hostIp)];
  releases.add(() => jaeger.stop());
  releases.add(() => logs.stop());
  // Else nothing may read the disk of a node.
  const privileged = 'pod-security.kubernetes.io/enforce=privileged';
  await stage.kube.kubectl(['label', 'namespace', stage.kube.namespace, privileged, '--overwrite']);
  const backend = {
    exporter: 'otlp',
    endpoint: jaeger.endpoint,
    insecure: true,
    signals: { metrics: { exporter: 'none' }, logs: { exporter: 'otlphttp', endpoint: logs.endpoint } },
    podLogs: { enabled: true },
  };
  // Without Cronitor the bridge may read no log but that of the Collector.
  const values = stage.values({ backend, cronitor: {}, collector: { image: COLLECTOR.image } });
  await stage.release('lb').apply(await packageChart(), values);
});
afterAll(() => releases.release());

const LINES = 20;
/** Pods of one Job, one after the other. The runtime cuts a line of this length. */
const work = (name: string): Work => ({
  name,
  script: [
    `code=$(wget -qO- ${judge.url}$(hostname))`,
    `for i in $(seq ${LINES}); do echo "line $i of $(hostname)"; done`,
    'echo "$(head -c 40000 /dev/zero | tr "\\0" x)"', // in one write: the Collector waits 5 s for the rest of a line
    '[ "$code" = 0 ] && echo good || echo bad >&2',
    'exit ${code:-9}',
  ].join('\n'),
  job: { backoffLimit: 3 },
});
const printed = (pod: string, place: number): readonly string[] => [
  ...Array.from({ length: LINES }, (_, line) => `line ${line + 1} of ${pod}`),
  'x'.repeat(40_000),
  place < 2 ? 'bad' : 'good',
];

/** Whatever there is of the run and its pods, also what is not under its trace. */
async function recordsOf({ metadata: { name } }: KubeObject): Promise<Records> {
  const all = await victoriaLogs(logs, `"k8s.namespace.name":="${stage.kube.namespace}"`);
  return all.filter(
    (record) => record['k8s.job.name'] === name || record['k8s.pod.name']?.startsWith(`${name}-`) === true,
  );
}
const isLine = (record: Records[number]): boolean => 'log.iostream' in record;

/** What the bridge says of the run. Of Kubernetes Events those are missing that no watch saw (docs/events.md). */
const textsOf = (records: Records): readonly string[] =>
  records.filter((record) => !isLine(record) && !('lifecycle_bridge.event.uid' in record)).map(({ _msg = '' }) => _msg);

const isReader = ({ metadata: { name } }: KubeObject): boolean => name.startsWith('lb-pod-logs-');

/** One of 0.111 reads also before it knows a pod; a line that it reads then has no trace. */
async function isKnown(): Promise<void> {
  const { kube } = stage;
  const known = async ({ metadata: { name } }: KubeObject): Promise<number> => {
    const path = `/api/v1/namespaces/${kube.namespace}/pods/${name}:8888/proxy/metrics`;
    const text = await kube.kubectl(['get', '--raw', path]).catch(() => '');
    return metricIn(text, 'otelcol_otelsvc_k8s_pod_added{') - metricIn(text, 'otelcol_otelsvc_k8s_pod_deleted{');
  };
  await until('the Collector of each node knows its pods', async () => {
    const pods = await kube.list('pods');
    const readers = pods.filter(isReader);
    const all = readers.map(async (reader) => {
      const ofNode = pods.filter(({ spec }) => spec?.['nodeName'] === reader.spec?.['nodeName']);
      return (await known(reader)) >= ofNode.length;
    });
    return readers.length > 0 && (await Promise.all(all)).every(Boolean);
  });
}

/** Until all of the first pod has arrived, so that no answer is on its way when all goes. */
async function firstFailed(job: KubeObject): Promise<void> {
  await until('the first pod has failed', async () => {
    const records = await recordsOf(job);
    const failed = records.some(({ _msg }) => _msg?.endsWith(': pod failed'));
    return failed && records.filter(isLine).length >= printed('', 0).length;
  });
}

/** Bridge, Collector, the reader of the disk and the store of logs go, while the second pod comes. */
async function disturb(): Promise<void> {
  const { kube } = stage;
  await logs.stop();
  try {
    const readers = (await kube.list('pods')).filter(isReader).map(({ metadata: { name } }) => name);
    await kube.kubectl(['delete', 'pod', 'lb-bridge-0', 'lb-collector-0', ...readers], { timeoutMs: 120_000 });
    judge.goOn();
    await until('the bridge has read in the log of the Collector that a backend is away', async () =>
      (await ownLog()).some(({ msg, exporter }) => msg === AWAY && exporter === 'otlphttp/lifecycle-logs'),
    );
  } finally {
    await logs.start();
  }
}
const AWAY = 'a backend does not take what the Collector sends; the Collector keeps it and tries again';

/** How often the bridge says that it sent again what may have arrived: its answer was lost. */
async function sentAgain(): Promise<number> {
  const path = `/api/v1/namespaces/${stage.kube.namespace}/services/lb-bridge:http/proxy/metrics`;
  const text = await stage.kube.kubectl(['get', '--raw', path]);
  return metricIn(
    text,
    'lifecycle_bridge_receipts_total{destination="opentelemetry/backend",reason="delivered_again"}',
  );
}

interface OwnLine {
  readonly level: string;
  readonly msg: string;
  readonly exporter?: string;
  readonly why?: string;
}
async function ownLog(): Promise<readonly OwnLine[]> {
  const text = await stage.kube.kubectl(['logs', 'lb-bridge-0']).catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as OwnLine);
}

describe.skipIf(inject('node') === undefined)(
  'a Job with two pods that fail and one that succeeds, on a real node, in Jaeger and VictoriaLogs (needs root)',
  () => {
    it('its UID without dashes finds each span and each line once, though all was restarted in the middle', async () => {
      const { kube } = stage;
      judge = await startJudge(stage.node.hostIp, isKnown);
      releases.add(() => judge.close());
      const retried = work('retried');
      await stage.make(retried);
      const before = await sentAgain();
      const job = await stage.start(retried, 'retried-1');
      await firstFailed(job);
      await disturb();
      const { name } = job.metadata;
      await kube.wait(`job/${name}`, 'condition=Complete', 180_000);
      const uid = await kube.kubectl(['get', 'job', name, '-o', 'jsonpath={.metadata.uid}']);
      const traceId = uid.replaceAll('-', '');

      const spans = await traceOf(traceId);
      expect(new Set(spans.map(({ spanID }) => spanID)).size).toBe(spans.length);
      expect(spanTree(spans).filter((line) => !WAITED.test(line))).toEqual(GOLDEN);
      const containers = spans
        .filter(({ operationName }) => operationName === 'container')
        .toSorted((a, b) => a.startTime - b.startTime);
      expect(containers.map(({ resource }) => resource['k8s.pod.name'])).toEqual(judge.asked);
      expect(containers.map(({ tags }) => tagsOf(tags)['process.exit.code'])).toEqual([3, 3, 0]);

      const expected = textsAbout(job, String(containers[0]?.resource['k8s.node.name']));
      const lines = judge.asked.flatMap(printed);
      const records = await until(
        `${lines.length} lines of pods, ${expected.length} records of the bridge`,
        async () => {
          const found = await recordsOf(job);
          return (
            found.filter(isLine).length >= lines.length && new Set(textsOf(found)).size >= expected.length && found
          );
        },
      );
      const texts = records.filter(isLine).map(({ _msg = '' }) => _msg);
      expect(texts.toSorted()).toEqual(lines.toSorted());
      const heard = (await sentAgain()) === before ? textsOf(records) : [...new Set(textsOf(records))];
      expect(heard.toSorted()).toEqual(expected.toSorted());
      expectUnderSpans(records, spans, traceId);
      expectNamesOfTheRegistry(records, spans);

      // Neither its own lines nor those of the bridge, whose own way is another.
      const all = await victoriaLogs(logs, '*');
      expect(all.filter((record) => isLine(record) && record['k8s.pod.name']?.startsWith('lb-') !== false)).toEqual([]);
      expect(all.map((record) => record['service.name'])).toContain('lifecycle-bridge');
      expect((await ownLog()).filter(({ why }) => why?.includes('answered 403'))).toEqual([]);
    });
  },
);

/** The whole trace: Jaeger shows each span as soon as it has it. */
async function traceOf(traceId: string): Promise<Spans> {
  return until(`trace ${traceId}`, async () => {
    const spans = await jaegerSpans(jaeger, traceId);
    return spanTree(spans).filter((line) => !WAITED.test(line)).length >= GOLDEN.length && spans;
  });
}

/** Spans that are there where something waited for a whole second. */
const WAITED = /^(?: {2}queue| {4}schedule)$/;
const GOLDEN = [
  'RUN retried',
  '  attempt failed',
  '    container failed',
  '  back-off',
  '  attempt failed',
  '    container failed',
  '  back-off',
  '  attempt',
  '    container',
];

function textsAbout({ metadata: { name, namespace } }: KubeObject, node: string): readonly string[] {
  const run = `Job ${namespace}/${name}`;
  const pods = judge.asked.flatMap((pod, place) =>
    [
      `pod taken by node ${node}`,
      ...(place < 2 ? ['container main: exit code 3', 'pod failed'] : ['container main: completed', 'pod succeeded']),
    ].map((what) => `Pod ${namespace}/${pod}: ${what}`),
  );
  return [`${run}: started`, ...pods, `${run}: succeeded: CompletionsReached`, `${run}: all of it is known`];
}

/** A Kubernetes Event that left before the bridge knew its pod (docs/traces.md). */
const isEarly = (record: Records[number]): boolean =>
  'lifecycle_bridge.event.uid' in record && 'k8s.pod.name' in record && !('trace_id' in record);

/** Each record is under a span of the trace; a line of a pod under the container that printed it, with what it ran as. */
function expectUnderSpans(records: Records, spans: Spans, traceId: string): void {
  const byId = new Map(spans.map((span) => [span.spanID, span]));
  for (const record of records) {
    if (isEarly(record)) continue;
    const span = byId.get(record['span_id'] ?? '');
    expect([record['_msg'], record['trace_id'], span?.traceID]).toEqual([record['_msg'], traceId, traceId]);
    if (!isLine(record)) continue;
    expect(span?.operationName).toBe('container');
    const {
      'k8s.cronjob.name': _name,
      'k8s.cronjob.uid': _uid,
      'service.name': _service,
      ...resource
    } = span!.resource;
    expect(record).toMatchObject({
      ...resource,
      'k8s.container.name': 'main',
      'k8s.container.restart_count': '0',
      'container.image.name': 'localhost/busybox',
    });
  }
}

/** The names that Jaeger and VictoriaLogs add, and those that the chart's Collector adds to resources. */
const BY_JAEGER = /^(?:error|span\.kind|otel\..*)$/;
const BY_VICTORIALOGS = /^(?:_.*|scope\..*|severity_(?:number|text)|span_id|trace_id)$/;
const BY_COLLECTOR = /^(?:helm\.release\.name(?:space)?|container\.image\.tag)$/;

function expectNamesOfTheRegistry(records: Records, spans: Spans): void {
  for (const { operationName, tags } of spans) {
    const attributes = Object.entries(tagsOf(tags)).filter(([key]) => !BY_JAEGER.test(key));
    expect(wrongWith(spanGroup(operationName), operationName, Object.fromEntries(attributes))).toEqual([]);
  }
  const names = new Set([...spans.map(({ resource }) => resource), ...records].flatMap(Object.keys));
  const others = [...names].filter((name) => !standard.has(name) && !own.has(name));
  expect(others.filter((name) => !BY_VICTORIALOGS.test(name) && !BY_COLLECTOR.test(name))).toEqual([]);
}
