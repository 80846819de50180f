import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { tool } from './cluster.ts';
import { until } from './kube.ts';
import { freePort } from './ports.ts';

/** A configuration as the chart renders it. */
export interface CollectorConfig {
  receivers: Record<string, unknown>;
  exporters: Record<string, unknown>;
  processors: Record<string, unknown>;
  extensions?: Record<string, unknown>;
  service: { extensions?: string[]; pipelines: Record<string, unknown>; telemetry: Record<string, unknown> };
}

/** The Collector with those pipelines that carry what the bridge sends: it needs no cluster. Ports stay the same over restarts. */
export interface LifecycleCollector {
  /** URL of its OTLP/gRPC port. */
  readonly endpoint: string;
  /** Its own metrics in Prometheus text. */
  readonly metricsUrl: string;
  log(): string;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  start(): Promise<void>;
}

/** It is healthy when this resolves. `dataDir` holds the queue and the log. */
export async function startLifecycleCollector(config: CollectorConfig, dataDir: string): Promise<LifecycleCollector> {
  const [port, health, metrics] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'collector.yaml');
  writeFileSync(file, stringify(lifecycleOf(config)));
  const program = await tool('otelcol-k8s');
  const logFile = join(dataDir, 'collector.log');
  const env = {
    LIFECYCLE_ENDPOINT: `127.0.0.1:${port}`,
    STORAGE_DIR: join(dataDir, 'queue'),
    HEALTH_ENDPOINT: `127.0.0.1:${health}`,
    METRICS_PORT: String(metrics),
  };
  const log = (): string => readFileSync(logFile, 'utf8');
  let child: ChildProcess | undefined;
  process.on('exit', () => child?.kill('SIGKILL'));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    const out = openSync(logFile, 'a');
    const started = spawn(program, [`--config=file:${file}`], { env, stdio: ['ignore', out, out] });
    child = started;
    closeSync(out);
    await until('the Collector is healthy', async () => {
      if (started.exitCode !== null) throw new Error(`the Collector ended: ${log().slice(-2000)}`);
      return (await fetch(`http://127.0.0.1:${health}/`).catch(() => undefined))?.ok === true;
    });
  };
  await start();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metrics}/metrics`,
    log,
    stop: () => end('SIGTERM'),
    kill9: () => end('SIGKILL'),
    start,
  };
}

/** Without watches, which need a cluster, and without scraping. */
function lifecycleOf(config: CollectorConfig): CollectorConfig {
  const only = (all: Record<string, unknown>, word: RegExp): Record<string, unknown> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => word.test(name)));
  return {
    ...config,
    receivers: only(config.receivers, /lifecycle/),
    exporters: only(config.exporters, /lifecycle/),
    processors: only(config.processors, /release/),
    service: { ...config.service, pipelines: only(config.service.pipelines, /lifecycle/) },
  };
}
