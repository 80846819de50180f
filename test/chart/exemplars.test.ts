import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Releases } from '../../bridge/lib/releases.ts';
import { endedRun, TRACE_ID } from '../../bridge/telemetry/testing/used-metrics.ts';
import { startTestWeb } from '../../bridge/web/test-web.ts';
import { tool } from '../harness/cluster.ts';
import { until } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import { fileOf, packageChart, render, type Tree } from './helm.ts';

const releases = new Releases();
afterEach(() => releases.release());

interface Job extends Tree {
  readonly job_name: string;
}

/** The chart's job for the bridge, at another address and more often. */
async function bridgeJob(target: string): Promise<Tree> {
  const values = { backend: { exporter: 'debug' } };
  const config = parse(fileOf(await render(await packageChart(), values), 'lb-collector', 'collector.yaml')) as {
    receivers: { prometheus: { config: { scrape_configs: Job[] } } };
  };
  const job = config.receivers.prometheus.config.scrape_configs.find(({ job_name }) => job_name === 'bridge');
  return { ...job, scrape_interval: '1s', scrape_timeout: '1s', static_configs: [{ targets: [target] }] };
}

it('the Collector asks the bridge for OpenMetrics, and passes on the trace of a run with the histogram', async () => {
  const web = await startTestWeb();
  releases.add(() => web.close());
  web.metrics.ended(endedRun());
  const folder = mkdtempSync(join(tmpdir(), 'exemplars-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const config = {
    receivers: {
      prometheus: { config: { scrape_configs: [await bridgeJob(`127.0.0.1:${web.options.port}`)] } },
    },
    exporters: { debug: { verbosity: 'detailed' } },
    service: {
      pipelines: { metrics: { receivers: ['prometheus'], exporters: ['debug'] } },
      telemetry: { metrics: { address: `127.0.0.1:${await freePort()}` } },
    },
  };
  const file = join(folder, 'collector.yaml');
  writeFileSync(file, stringify(config));
  const path = join(folder, 'log');
  const log = openSync(path, 'a');
  releases.add(() => closeSync(log));
  const child = spawn(await tool('otelcol-k8s'), [`--config=file:${file}`], { stdio: ['ignore', log, log] });
  releases.add(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const metrics = ['cicd_pipeline_run_duration_seconds', 'cicd_pipeline_run_errors_total'];
  const shown = (name: string): string | undefined =>
    readFileSync(path, 'utf8')
      .split('-> Name: ')
      .find((part) => part.startsWith(`${name}\n`) && part.includes(`-> Trace ID: ${TRACE_ID}`));
  const parts = await Promise.all(metrics.map((name) => until(name, () => shown(name), 60_000)));
  for (const part of parts) expect(part).toContain('-> cicd_pipeline_name: Str(report)');
}, 120_000);
