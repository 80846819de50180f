import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Releases } from '../../bridge/lib/releases.ts';
import { otlpSchema } from '../../bridge/sinks/otlp/config.ts';
import { JOB_UID, TRACE_ID } from '../../bridge/sinks/otlp/fixtures.ts';
import { until } from '../harness/kube.ts';
import type { CollectorConfig } from '../harness/lifecycle-collector.ts';
import { startLifecycleCollector } from '../harness/lifecycle-collector.ts';
import { freePort } from '../harness/ports.ts';
import { startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { cases, fileOf, one, packageChart, refusal, render, type Tree } from './helm.ts';
import { validateOnNewer } from './programs.ts';
import { sendTrace } from './send-trace.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});
const releases = new Releases();
afterEach(() => releases.release());

const backend = (endpoint: string, more: Tree = {}): Tree => ({
  backend: { exporter: 'otlp', endpoint, insecure: true, ...more },
});
const collectorOf = async (values: Tree): Promise<CollectorConfig> =>
  parse(fileOf(await render(chart, values), 'lb-collector', 'collector.yaml')) as CollectorConfig;
const bridgeOf = async (values: Tree): Promise<Tree> =>
  parse(fileOf(await render(chart, values), 'lb-bridge', 'bridge.yaml')) as Tree;

describe('with a backend', () => {
  it('the bridge sends traces and lifecycle logs to the Collector of its release', async () => {
    expect((await bridgeOf(backend('tempo:4317')))['opentelemetry']).toEqual({
      backend: { endpoint: 'http://lb-collector:4317' },
    });
  });

  it('the lines of its log go there too, beside other settings of the log', async () => {
    const values = { ...backend('tempo:4317'), bridge: { config: { log: { level: 'debug' } } } };
    expect((await bridgeOf(values))['log']).toEqual({ level: 'debug', otlpEndpoint: 'http://lb-collector:4317' });
  });

  it('spans of the bridge itself go there too, where they are wanted', async () => {
    const values = { ...backend('tempo:4317'), bridge: { config: { tracing: { sampleRatio: 0.5 } } } };
    expect((await bridgeOf(values))['tracing']).toEqual({ sampleRatio: 0.5, otlpEndpoint: 'http://lb-collector:4317' });
    expect((await bridgeOf(backend('tempo:4317')))['tracing']).toBeUndefined();
  });

  it('settings of a destination without an endpoint are those of that way', async () => {
    const values = { ...backend('tempo:4317'), opentelemetry: { mine: { podLogs: true } } };
    expect((await bridgeOf(values))['opentelemetry']).toEqual({
      mine: { endpoint: 'http://lb-collector:4317', podLogs: true },
    });
  });

  it('backend.traces: false leaves metrics alone', async () => {
    const values = backend('tempo:4317', { traces: false });
    expect((await bridgeOf(values))['opentelemetry']).toBeUndefined();
    expect(Object.keys((await collectorOf(values)).service.pipelines)).not.toContain('traces/lifecycle');
  });

  it('a signal may go to a backend of its own, with headers of its own', async () => {
    const from = (key: string): Tree => ({ authorization: { existingSecret: 'backend', key } });
    const logs = { exporter: 'otlphttp', endpoint: 'http://logs:9428/insert/opentelemetry', headers: from('logs') };
    const values = backend('tempo:4317', { headers: from('all'), signals: { metrics: { exporter: 'none' }, logs } });
    const manifests = await render(chart, values);
    const { exporters, service } = await collectorOf(values);
    expect(Object.keys(exporters).filter((name) => name !== 'otlp/bridge')).toEqual([
      'otlp/lifecycle-traces',
      'otlphttp/lifecycle-logs',
    ]);
    expect(exporters['otlp/lifecycle-traces']).toMatchObject({
      endpoint: 'tempo:4317',
      headers: { authorization: '${env:BACKEND_AUTHORIZATION}${env:NOTHING:-}' },
      retry_on_failure: { max_elapsed_time: '0s' },
    });
    expect(exporters['otlphttp/lifecycle-logs']).toMatchObject({
      endpoint: 'http://logs:9428/insert/opentelemetry',
      headers: { authorization: '${env:LOGS_BACKEND_AUTHORIZATION}${env:NOTHING:-}' },
      sending_queue: { storage: 'file_storage' },
    });
    expect(service.pipelines).toMatchObject({
      'traces/lifecycle': { exporters: ['otlp/lifecycle-traces'] },
      'logs/lifecycle': { exporters: ['otlphttp/lifecycle-logs'] },
    });
    expect(Object.keys(service.pipelines)).not.toContain('metrics');
    const pod = JSON.stringify(one(manifests, 'StatefulSet', 'lb-collector'));
    for (const [variable, key] of [
      ['BACKEND_AUTHORIZATION', 'all'],
      ['LOGS_BACKEND_AUTHORIZATION', 'logs'],
    ])
      expect(pod).toContain(`{"name":"${variable}","valueFrom":{"secretKeyRef":{"name":"backend","key":"${key}"}}}`);
  });

  it('a header may be a number, such as that of a tenant, without keeping the Collector from its start', async () => {
    const headers = { 'X-Scope-OrgID': { existingSecret: 'backend', key: 'tenant' } };
    const manifests = await render(chart, backend('tempo:4317', { headers }));
    const folder = mkdtempSync(join(tmpdir(), 'traces-newer-'));
    releases.add(() => rmSync(folder, { recursive: true, force: true }));
    expect(await validateOnNewer(manifests, folder)).toBe('');
  });

  it('what has no backend is not sent to the Collector either', async () => {
    const values = { backend: { signals: { traces: { exporter: 'otlp', endpoint: 'tempo:4317' } } } };
    const { opentelemetry, log } = await bridgeOf(values);
    expect(opentelemetry).toEqual({ backend: { endpoint: 'http://lb-collector:4317', logs: false } });
    expect(log).toBeUndefined();
    expect(await refusal(chart, { backend: { signals: { logs: { exporter: 'otlp' } } } })).toContain(
      'backend.signals.logs.exporter: otlp needs backend.signals.logs.endpoint',
    );
    expect(await refusal(chart, { backend: { signals: { logs: { exporter: 'loki' } } } })).toContain(
      "at '/backend/signals/logs/exporter'",
    );
  });

  it('the policies of the network let the bridge reach that Collector, and nobody else', async () => {
    const values = { ...backend('tempo:4317'), bridge: { networkPolicy: { enabled: true } } };
    const manifests = await render(chart, values);
    for (const [name, rule] of [
      ['lb-bridge', 'egress'],
      ['lb-collector', 'ingress'],
    ] as const) {
      const rules = (one(manifests, 'NetworkPolicy', name)['spec'] as Record<string, Tree[]>)[rule]!;
      expect(rules.filter(({ ports }) => JSON.stringify(ports).includes('4317'))).toHaveLength(1);
    }
  });
});

describe('the examples of backends', () => {
  const examples = cases().filter(({ name }) => name.startsWith('examples/backends/'));
  it.each(examples)('$name sends traces and logs, and has links that the bridge takes', async ({ values }) => {
    const { pipelines } = (await collectorOf(values)).service;
    expect(Object.keys(pipelines)).toEqual(expect.arrayContaining(['traces/lifecycle', 'logs/lifecycle']));
    const { backend: given } = (await bridgeOf(values))['opentelemetry'] as Record<string, unknown>;
    expect(Object.keys(otlpSchema.parse(given).links).length).toBeGreaterThan(0);
  });
});

it('without a backend there is no such way, and an endpoint is an address', async () => {
  expect((await bridgeOf({}))['opentelemetry']).toBeUndefined();
  expect(await refusal(chart, { opentelemetry: { x: { endpoint: 'nonsense' } } })).toContain(
    "at '/opentelemetry/x/endpoint': 'nonsense' does not match pattern",
  );
});

it('a trace that the Collector has taken arrives once, although the backend was away and the Collector was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'traces-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const backendPort = await freePort();
  const collector = await startLifecycleCollector(await collectorOf(backend(`127.0.0.1:${backendPort}`)), folder);
  releases.add(() => collector.kill9());
  expect(await sendTrace(collector.endpoint, releases)).toEqual({ outcome: 'delivered' });
  // Whoever kills 0.111 in the millisecond between the first record of a new queue and its first try loses it.
  await until('a try', () => collector.log().includes('Will retry'));
  await collector.kill9();
  const receiver = await startOtlpReceiver(backendPort);
  releases.add(() => receiver.stop());
  await collector.start();
  await until('the trace', () => (receiver.spans().length > 0 ? true : undefined), 60_000);
  expect(receiver.spans().map(({ traceId }) => traceId)).toEqual(Array(13).fill(TRACE_ID));
  expect(receiver.spans()[0]?.resource).toMatchObject({
    'k8s.job.uid': JOB_UID,
    'helm.release.name': 'lb',
    'service.name': 'report',
  });
}, 120_000);
