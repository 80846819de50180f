import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FakeApi } from '../../bridge/cluster/fake-api.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { fileOf, packageChart, render, type Tree } from '../chart/helm.ts';
import type { Backend, JaegerSpan } from '../harness/backends.ts';
import { jaegerSpans, spanTree, startJaeger, startVictoriaLogs, tagsOf, victoriaLogs } from '../harness/backends.ts';
import { until } from '../harness/kube.ts';
import type { CollectorConfig, LifecycleCollector } from '../harness/lifecycle-collector.ts';
import { startLifecycleCollector } from '../harness/lifecycle-collector.ts';
import { Bench } from '../replay/bench.ts';
import { exported } from '../replay/objects.ts';
import type { RetriedJob } from './retried-job.ts';
import { retriedJob } from './retried-job.ts';

/** What the container of a pod prints, by the name of the pod. */
const printed = (pod: string): string => `connecting\nrows of ${pod}\n`;

describe('a Job with two pods that fail and one that succeeds, in Jaeger and VictoriaLogs', () => {
  const releases = new Releases();
  const fake = new FakeApi();
  let jaeger: Backend;
  let logs: Backend;
  let collector: LifecycleCollector;
  let bench: Bench;
  const start = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const [calm, rough] = [retriedJob(1, start), retriedJob(2, start)];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'backends-'));
    releases.add(() => rmSync(folder, { recursive: true, force: true }));
    [jaeger, logs] = [await startJaeger(folder), await startVictoriaLogs(folder)];
    releases.add(() => jaeger.stop());
    releases.add(() => logs.stop());
    collector = await startLifecycleCollector(await collectorConfig(jaeger, logs), folder);
    releases.add(() => collector.kill9());
    await fake.start();
    releases.add(() => fake.stop());
    fake.intercept = (path) => {
      const pod = /\/pods\/(report-\d+-\d+)\/log\?/.exec(path)?.[1];
      return pod === undefined ? undefined : { status: 200, body: printed(pod) };
    };
    bench = await Bench.start({ kubeconfig: fake.kubeconfig, env: bridgeEnv(collector.endpoint) });
    releases.add(() => bench.close());
  });
  afterAll(() => releases.release());

  it('its UID without dashes finds root, attempts, containers and the gaps between them', async () => {
    await bench.insist(exported(...calm.running, ...calm.ended));
    const spans = await traceOf(calm);
    expect(tree(spans, start)).toEqual(GOLDEN);
    const root = spans.find(({ references }) => references.length === 0)!;
    expect(tagsOf(root.tags)).toMatchObject({
      'span.kind': 'server',
      'cicd.pipeline.name': 'report',
      'cicd.pipeline.run.id': calm.uid,
      'cicd.pipeline.result': 'success',
    });
    expect(root.resource).toMatchObject({
      'service.name': 'report',
      'k8s.job.uid': calm.uid,
      'k8s.cluster.name': 'test-cluster',
      'helm.release.name': 'lb',
    });
    const pods = spans.filter(({ operationName }) => operationName === 'attempt').map(({ resource }) => resource);
    expect(pods).toContainEqual(
      expect.objectContaining({ 'k8s.pod.name': 'report-1-1', 'k8s.node.name': 'node-a', 'k8s.job.uid': calm.uid }),
    );
  });

  it('and all that happened to it, with every line that its containers printed', async () => {
    const known = new Set((await traceOf(calm)).map(({ spanID }) => spanID));
    const records = await recordsOf(calm, REPORTED.length + 6);
    expect(said(records, calm)).toEqual(REPORTED);
    const lines = records.filter((record) => LINE in record).map(({ _msg = '' }) => _msg);
    expect(lines.toSorted()).toEqual(
      [1, 2, 3].flatMap((pod) => printed(`report-1-${pod}`).trimEnd().split('\n')).toSorted(),
    );
    expect(records.filter(({ span_id: id = '' }) => !known.has(id))).toEqual([]);
  });

  it('a restart of bridge, Collector and both backends in the middle changes nothing', async () => {
    await bench.insist(exported(...rough.running));
    await recordsOf(rough, 1);
    await jaeger.stop();
    await logs.stop();
    await bench.insist(exported(...rough.ended));
    await bench.bridge.kill9();
    await bench.bridge.start();
    for (const signal of ['logs', 'traces'])
      await until(`the Collector has tried to send ${signal}`, () => isRetried(collector.log(), signal), 120_000);
    await collector.kill9();
    await collector.start();
    await jaeger.start();
    await logs.start();
    const spans = await traceOf(rough);
    expect(tree(spans, start)).toEqual(GOLDEN);
    expect(new Set(spans.map(({ spanID }) => spanID)).size).toBe(spans.length);
    // The answer to an export may be lost with its sender: then it is there twice.
    expect(new Set(said(await recordsOf(rough, REPORTED.length + 6), rough))).toEqual(new Set(REPORTED));
    // What was there before is there still.
    expect(tree(await traceOf(calm), start)).toEqual(GOLDEN);
  });

  /** The whole trace: Jaeger shows each span as soon as it has it. */
  async function traceOf({ traceId }: RetriedJob): Promise<Awaited<ReturnType<typeof jaegerSpans>>> {
    return until(
      `trace ${traceId}`,
      async () => {
        const spans = await jaegerSpans(jaeger, traceId);
        return spans.length >= GOLDEN.length && spans;
      },
      90_000,
    );
  }

  /** All records of the trace, when there are as many. */
  async function recordsOf({ traceId }: RetriedJob, atLeast: number): ReturnType<typeof victoriaLogs> {
    return until(
      `${atLeast} records of ${traceId}`,
      async () => {
        const records = await victoriaLogs(logs, `trace_id:${traceId} | sort by (_time)`);
        return records.length >= atLeast && records;
      },
      120_000,
    );
  }
});

/** What the chart makes of a backend for each signal. */
async function collectorConfig(jaeger: Backend, logs: Backend): Promise<CollectorConfig> {
  const signals = {
    metrics: { exporter: 'none' },
    logs: { exporter: 'otlphttp', endpoint: logs.endpoint },
  };
  const values: Tree = {
    cluster: { name: 'test-cluster' },
    backend: { exporter: 'otlp', endpoint: jaeger.endpoint, insecure: true, signals },
  };
  return parse(fileOf(await render(await packageChart(), values), 'lb-collector', 'collector.yaml')) as CollectorConfig;
}

function bridgeEnv(endpoint: string): Record<string, string> {
  return {
    LIFECYCLE_BRIDGE__OPENTELEMETRY__BACKEND__ENDPOINT: endpoint,
    LIFECYCLE_BRIDGE__OPENTELEMETRY__BACKEND__POD_LOGS: 'true',
  };
}

/** The tree of the spans with seconds after `start`. */
function tree(spans: readonly JaegerSpan[], start: number): string[] {
  return spanTree(spans, (span) => {
    const from = span.startTime / 1e6 - start / 1e3;
    return ` ${from}-${from + span.duration / 1e6}`;
  });
}

/** What the lifecycle logs say, with the number of the run left out. */
function said(records: Awaited<ReturnType<typeof victoriaLogs>>, { name }: RetriedJob): string[] {
  return records
    .filter((record) => !(LINE in record))
    .map(({ _msg = '' }) => _msg.replaceAll(name, 'report'))
    .toSorted();
}

function isRetried(log: string, signal: string): boolean {
  return log.split('\n').some((line) => line.includes('Will retry') && line.includes(`/lifecycle-${signal}"`));
}

/** Only lines that a container printed have it. */
const LINE = 'lifecycle_bridge.log.line';

/** Seconds after the creation of the Job. */
const GOLDEN = [
  'RUN report 0-25',
  '  queue 0-1',
  '  attempt 1-5 failed',
  '    schedule 1-2',
  '    container 3-5 failed',
  '  back-off 5-10',
  '  attempt 10-14 failed',
  '    schedule 10-11',
  '    container 12-14 failed',
  '  back-off 14-20',
  '  attempt 20-24',
  '    schedule 20-21',
  '    container 22-24',
];

const REPORTED = [
  'Job shop/report: all of it is known',
  'Job shop/report: started',
  'Job shop/report: succeeded',
  'Job shop/report: tails of 3 logs kept (90 bytes)',
  'Pod shop/report-1: container main: exit code 3',
  'Pod shop/report-1: pod failed',
  'Pod shop/report-1: pod taken by node node-a',
  'Pod shop/report-2: container main: exit code 3',
  'Pod shop/report-2: pod failed',
  'Pod shop/report-2: pod taken by node node-a',
  'Pod shop/report-3: container main: completed',
  'Pod shop/report-3: pod succeeded',
  'Pod shop/report-3: pod taken by node node-a',
];
