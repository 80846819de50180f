import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Releases } from '../../bridge/lib/releases.ts';
import { systemClock } from '../../bridge/lib/clock.ts';
import { otlpSchema } from '../../bridge/sinks/otlp/config.ts';
import { createOtlpDeliverer } from '../../bridge/sinks/otlp/deliver.ts';
import { JOB_UID, story, TRACE_ID } from '../../bridge/sinks/otlp/fixtures.ts';
import type { Delivery } from '../../bridge/sinks/sink.ts';
import { tool } from '../harness/cluster.ts';
import { until } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import { startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { fileOf, one, packageChart, refusal, render, type Tree } from './helm.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});
const releases = new Releases();
afterEach(() => releases.release());

const backend = (endpoint: string, more: Tree = {}): Tree => ({
  backend: { exporter: 'otlp', endpoint, insecure: true, ...more },
});
interface Config {
  receivers: Record<string, unknown>;
  exporters: Record<string, unknown>;
  processors: Record<string, unknown>;
  service: { pipelines: Record<string, unknown>; telemetry: Record<string, unknown> };
}
const collectorOf = async (values: Tree): Promise<Config> =>
  parse(fileOf(await render(chart, values), 'lb-collector', 'collector.yaml')) as Config;
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

it('without a backend there is no such way, and an endpoint is an address', async () => {
  expect((await bridgeOf({}))['opentelemetry']).toBeUndefined();
  expect(await refusal(chart, { opentelemetry: { x: { endpoint: 'nonsense' } } })).toContain(
    "'nonsense' is not valid uri",
  );
});

it('a trace that the Collector has taken arrives once, although the backend was away and the Collector was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'traces-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const [here, backendPort] = [await freePort(), await freePort()];
  const start = await collectorAt(folder, here, `127.0.0.1:${backendPort}`);
  const killed = await start();
  expect(await sendTrace(here)).toEqual({ outcome: 'delivered' });
  // Whoever kills 0.111 in the millisecond between the first record of a new queue and its first try loses it.
  await until('a try', () => readFileSync(join(folder, 'log'), 'utf8').includes('Will retry'));
  await killed();
  const receiver = await startOtlpReceiver(backendPort);
  releases.add(() => receiver.stop());
  await start();
  await until('the trace', () => (receiver.spans().length > 0 ? true : undefined), 60_000);
  expect(receiver.spans().map(({ traceId }) => traceId)).toEqual(Array(13).fill(TRACE_ID));
  expect(receiver.spans()[0]?.resource).toMatchObject({
    'k8s.job.uid': JOB_UID,
    'helm.release.name': 'lb',
    'service.name': 'report',
  });
}, 120_000);

async function sendTrace(port: number): Promise<Delivery> {
  const config = otlpSchema.parse({ endpoint: `http://127.0.0.1:${port}` });
  const known = { clock: systemClock, clusterName: 'c', pageUrl: undefined };
  const deliverer = createOtlpDeliverer('x', config, known);
  releases.add(() => deliverer.close?.());
  const row = { key: 'k', lane: 'l', payload: {}, limits: [], transitionId: 't', seq: 1, destination: 'x', attempt: 1 };
  const { signal } = new AbortController();
  return until('the Collector', async () => {
    const [delivery] = await deliverer.deliver([{ ...row, story: story() }], signal);
    return delivery?.outcome === 'retry' ? undefined : delivery;
  });
}

/** The chart's Collector without what needs a cluster; returns what starts it and gives what kills it. */
async function collectorAt(
  folder: string,
  port: number,
  endpoint: string,
): Promise<() => Promise<() => Promise<unknown>>> {
  const config = await collectorOf(backend(endpoint));
  const keep = (all: Record<string, unknown>, word: RegExp): void => {
    for (const name of Object.keys(all)) if (!word.test(name)) delete all[name];
  };
  keep(config.receivers, /lifecycle/);
  keep(config.exporters, /lifecycle/);
  keep(config.processors, /release/);
  keep(config.service.pipelines, /lifecycle/);
  const file = join(folder, 'collector.yaml');
  writeFileSync(file, stringify(config));
  const program = await tool('otelcol-k8s');
  const log = openSync(join(folder, 'log'), 'a');
  releases.add(() => closeSync(log));
  const env = {
    LIFECYCLE_ENDPOINT: `127.0.0.1:${port}`,
    STORAGE_DIR: folder,
    HEALTH_ENDPOINT: `127.0.0.1:${await freePort()}`,
    METRICS_PORT: String(await freePort()),
  };
  return () => {
    const child = spawn(program, [`--config=file:${file}`], { env, stdio: ['ignore', 'ignore', log] });
    const kill = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    releases.add(kill);
    return Promise.resolve(kill);
  };
}
