import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Releases } from '../../bridge/lib/releases.ts';
import { endedRun, NO_ROWS, TRACE_ID } from '../../bridge/telemetry/testing/used-metrics.ts';
import { startTestWeb } from '../../bridge/web/test-web.ts';
import { until } from '../harness/kube.ts';
import type { CollectorConfig } from '../harness/lifecycle-collector.ts';
import { startChartCollector } from '../harness/lifecycle-collector.ts';
import { startMetricsReceiver } from '../vendors/otlp-metrics.ts';
import { fileOf, packageChart, render, type Tree } from './helm.ts';

const releases = new Releases();
afterEach(() => releases.release());

interface Job extends Tree {
  readonly job_name: string;
  readonly static_configs: readonly Tree[];
}
type Config = CollectorConfig & { receivers: { prometheus: { config: { scrape_configs: Job[] } } } };

/** The chart's Collector with its pipeline of metrics alone, which asks only the bridge, at another address and more often. */
async function metricsOf(backend: string, bridge: string): Promise<Config> {
  const values = { backend: { exporter: 'otlp', endpoint: backend, insecure: true } };
  const config = parse(fileOf(await render(await packageChart(), values), 'lb-collector', 'collector.yaml')) as Config;
  const { receivers, service } = config;
  const jobs = receivers.prometheus.config.scrape_configs.filter(({ job_name }) => job_name === 'bridge');
  const often = { scrape_interval: '1s', scrape_timeout: '1s' };
  const [job] = jobs.map((one) => ({
    ...one,
    ...often,
    static_configs: [{ ...one.static_configs[0], targets: [bridge] }],
  }));
  const pipelines = Object.entries(service.pipelines).filter(([name]) => name.startsWith('metrics'));
  expect(pipelines.map(([, pipeline]) => pipeline)).toMatchObject([
    { receivers: expect.arrayContaining(['prometheus']) },
  ]);
  const [[name, pipeline] = ['', {}]] = pipelines;
  return {
    ...config,
    receivers: { prometheus: { config: { scrape_configs: [job!] } } },
    exporters: { 'otlp/backend': config.exporters['otlp/backend'] },
    service: { ...service, pipelines: { [name]: { ...(pipeline as object), receivers: ['prometheus'] } } },
  };
}

it('the Collector asks the bridge for OpenMetrics, and a backend gets the metrics of runs with the trace of a run', async () => {
  const web = await startTestWeb();
  releases.add(() => web.close());
  web.metrics.ended(endedRun());
  const active = { ...endedRun().pipeline, status: 'running', count: 3 } as const;
  web.metrics.observeStore({ ...NO_ROWS, activeRuns: () => [active] });
  const backend = await startMetricsReceiver();
  releases.add(() => backend.stop());
  const folder = mkdtempSync(join(tmpdir(), 'exemplars-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const config = await metricsOf(backend.endpoint, `127.0.0.1:${web.options.port}`);
  const collector = await startChartCollector(config, folder);
  releases.add(() => collector.kill9());

  const pipeline = { cicd_pipeline_name: 'report' };
  const resource = { 'k8s.pod.name': 'lb-bridge-0', 'helm.release.name': 'lb' };
  const wanted = [
    { name: 'cicd_pipeline_run_duration_seconds', type: 'histogram', value: 1, traces: [TRACE_ID] },
    { name: 'cicd_pipeline_run_errors_total', type: 'sum', value: 1, traces: [TRACE_ID] },
    { name: 'cicd_pipeline_run_active', type: 'gauge', value: 3 },
  ];
  for (const one of wanted) {
    const isThere = () => backend.points().some(({ name, value }) => name === one.name && value === one.value);
    await until(one.name, isThere, 60_000);
    const points = backend.points().filter(({ name, value }) => name === one.name && value === one.value);
    expect(points).toContainEqual(
      expect.objectContaining({
        ...one,
        attributes: expect.objectContaining(pipeline),
        resource: expect.objectContaining(resource),
      }),
    );
  }
}, 180_000);
