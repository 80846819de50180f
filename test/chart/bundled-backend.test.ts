import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Releases } from '../../bridge/lib/releases.ts';
import { TRACE_ID } from '../../bridge/sinks/otlp/fixtures.ts';
import { jaegerSpans, victoriaLogs } from '../harness/backends.ts';
import { until } from '../harness/kube.ts';
import type { CollectorConfig } from '../harness/lifecycle-collector.ts';
import { startLifecycleCollector } from '../harness/lifecycle-collector.ts';
import { connectOtlp, encodeLogs } from '../otlp-client.ts';
import { fileOf, one, packageChart, refusal, render, type Tree } from './helm.ts';
import { startJaegerOf, startVictoriaLogsOf } from './programs.ts';
import { sendTrace } from './send-trace.ts';

let chart: string;
const releases = new Releases();
const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
beforeAll(async () => {
  chart = await packageChart();
});
afterAll(async () => {
  await releases.release();
  rmSync(folder, { recursive: true, force: true });
});

const bundled = (more: Tree, backend: Tree = {}): Tree => ({ 'bundled-backend': { enabled: true, ...more }, backend });
const ON = bundled({});
const yamlOf = async (values: Tree, configMap: string, file: string): Promise<Tree> =>
  parse(fileOf(await render(chart, values), configMap, file)) as Tree;
const collectorOf = async (values: Tree, workload = 'lb-collector') =>
  (await yamlOf(values, workload, 'collector.yaml')) as unknown as CollectorConfig;

describe('bundled-backend.enabled', () => {
  it('sends traces to its Jaeger and logs to its VictoriaLogs, and metrics nowhere', async () => {
    const { exporters, service } = await collectorOf(ON);
    expect(exporters).toMatchObject({
      'otlp/lifecycle-traces': { endpoint: 'lb-jaeger:4317', tls: { insecure: true } },
      'otlphttp/lifecycle-logs': { endpoint: 'http://lb-victorialogs:9428/insert/opentelemetry' },
    });
    expect(Object.keys(service.pipelines)).not.toContain('metrics');
    expect((await yamlOf(ON, 'lb-bridge', 'bridge.yaml'))['opentelemetry']).toEqual({
      backend: { endpoint: 'http://lb-collector:4317' },
    });
  });

  it('leaves metrics, their headers and their authority to the backend that the values name', async () => {
    const key = { existingSecret: 'b', key: 'c' };
    const metrics = { exporter: 'otlp', endpoint: 'mimir:4317', headers: { authorization: key } };
    const backend = { signals: { metrics }, headers: { other: key }, caBundle: { existingConfigMap: 'ca' } };
    const { exporters, service } = await collectorOf({ ...ON, backend });
    expect(exporters['otlp/backend']).toMatchObject({ endpoint: 'mimir:4317', tls: { ca_file: expect.any(String) } });
    expect(Object.keys(service.pipelines)).toContain('metrics');
    expect(exporters['otlp/lifecycle-traces']).toMatchObject({ tls: { insecure: true } });
    for (const name of ['otlp/lifecycle-traces', 'otlphttp/lifecycle-logs'])
      expect(JSON.stringify(exporters[name])).not.toMatch(/headers|ca_file/);
  });

  it('gets the logs of pods too, but not those of its own VictoriaLogs', async () => {
    const { exporters, receivers } = await collectorOf(
      { ...ON, backend: { podLogs: { enabled: true } } },
      'lb-pod-logs',
    );
    expect(exporters['otlphttp/pods']).toMatchObject({ endpoint: 'http://lb-victorialogs:9428/insert/opentelemetry' });
    expect((receivers['filelog/pods'] as { exclude: string[] }).exclude).toContain(
      '${env:POD_LOGS_DIR:-/var/log/pods}/ops_lb-victorialogs-0_*/*/*',
    );
  });

  it('is reached by the Collectors of its release and by whom the values name, and reaches nothing', async () => {
    const from = [{ namespaceSelector: { matchLabels: { team: 'a' } } }];
    const manifests = await render(chart, { 'bundled-backend': { enabled: true, networkPolicy: { from } } });
    for (const [name, senders, ingest] of [
      ['lb-jaeger', ['collector'], 'otlp'],
      ['lb-victorialogs', ['collector', 'pod-logs'], 'http'],
    ] as const) {
      const { ingress, egress } = one(manifests, 'NetworkPolicy', name)['spec'] as { ingress: Tree[]; egress: Tree[] };
      const pods = senders.map((sender) => ({
        podSelector: { matchLabels: { 'app.kubernetes.io/name': sender, 'app.kubernetes.io/instance': 'lb' } },
      }));
      expect(ingress).toEqual([
        { from: pods, ports: [{ port: ingest, protocol: 'TCP' }] },
        { from, ports: [{ port: 'http', protocol: 'TCP' }] },
      ]);
      expect(egress).toEqual([]);
    }
  });
});

describe('values that leave it nothing to do, or that it does not know', () => {
  it.each<[Tree, string]>([
    [bundled({ victorialogs: { retention: '7' } }), "at '/victorialogs/retention': '7' does not match"],
    [bundled({ jaeger: { maxTraces: 0 } }), "at '/jaeger/maxTraces': minimum: got 0, want 1"],
    [bundled({ tempo: {} }), "additional properties 'tempo' not allowed"],
    [bundled({ podLabels: { 'app.kubernetes.io/name': 'x' } }), 'bundled-backend.podLabels has app.kubernetes.io/name'],
    [
      bundled({}, { exporter: 'otlp', endpoint: 'tempo:4317' }),
      'bundled-backend.enabled would take traces and logs away from backend.endpoint (tempo:4317): set',
    ],
    [
      bundled({}, { signals: { logs: { exporter: 'debug' } } }),
      'bundled-backend.enabled and backend.signals.logs contradict each other: take backend.signals.logs out, or set',
    ],
    [
      bundled({}, { traces: false }),
      'bundled-backend.enabled, but nothing would be sent to it: it needs collector.enabled, and',
    ],
    [{ ...bundled({}), collector: { enabled: false } }, 'bundled-backend.enabled, but nothing would be sent to it'],
    [bundled({ jaeger: { image: { tag: '' } } }), 'bundled-backend.jaeger.image has neither tag nor digest: set one'],
    [
      bundled({ jaeger: { resources: { limits: { memory: '512M' } } } }),
      'bundled-backend.jaeger.resources.limits.memory is 512M: write it in Mi or Gi',
    ],
  ])('%j are refused with what to do', async (values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });
});

it('the programs start as their pods do, and have what the Collector of the chart was given', async () => {
  const manifests = await render(chart, ON);
  const jaeger = await startJaegerOf(manifests, join(folder, 'jaeger'));
  releases.add(() => jaeger.stop());
  const logs = await startVictoriaLogsOf(manifests, join(folder, 'victorialogs'));
  releases.add(() => logs.stop());
  const text = fileOf(manifests, 'lb-collector', 'collector.yaml')
    .replace('lb-jaeger:4317', `127.0.0.1:${jaeger.otlp}`)
    .replace('lb-victorialogs:9428', `127.0.0.1:${logs.port}`);
  const collector = await startLifecycleCollector(parse(text) as CollectorConfig, join(folder, 'collector'));
  releases.add(() => collector.kill9());
  expect(await sendTrace(collector.endpoint, releases)).toEqual({ outcome: 'delivered' });
  const client = connectOtlp(new URL(collector.endpoint).host);
  releases.add(() => client.close());
  const record = { body: 'Job shop/report: started', time: Date.now() };
  expect((await client.export(encodeLogs([record]))).code).toBe(0);
  const spans = await until('the trace', async () => {
    const found = await jaegerSpans({ url: `http://127.0.0.1:${jaeger.port}/` }, TRACE_ID);
    return found.length === 13 && found;
  });
  expect(spans[0]?.resource).toMatchObject({ 'helm.release.name': 'lb', 'service.name': 'report' });
  const found = await until('the log', async () => {
    const records = await victoriaLogs({ url: `http://127.0.0.1:${logs.port}/` }, '*');
    return records.length > 0 && records;
  });
  expect(found).toMatchObject([{ _msg: 'Job shop/report: started', 'helm.release.name': 'lb' }]);
}, 180_000);
