import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { tool } from './cluster.ts';
import { freePort } from './ports.ts';
import { type Program, startProgram } from './program.ts';

/** A configuration as the chart renders it. */
export interface CollectorConfig {
  receivers: Record<string, unknown>;
  exporters: Record<string, unknown>;
  processors: Record<string, unknown>;
  extensions?: Record<string, unknown>;
  service: { extensions?: string[]; pipelines: Record<string, unknown>; telemetry: Record<string, unknown> };
}

/** The Collector with those pipelines that carry what the bridge sends: it needs no cluster. Ports stay the same over restarts. */
export interface LifecycleCollector extends Program {
  /** URL of its OTLP/gRPC port. */
  readonly endpoint: string;
  /** Its own metrics in Prometheus text. */
  readonly metricsUrl: string;
}

/** It is healthy when this resolves. `dataDir` holds the queue and the log. */
export function startLifecycleCollector(config: CollectorConfig, dataDir: string): Promise<LifecycleCollector> {
  return startChartCollector(lifecycleOf(config), dataDir);
}

/** The same with all that `config` has. */
export async function startChartCollector(config: CollectorConfig, dataDir: string): Promise<LifecycleCollector> {
  const [port, health, metrics] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'collector.yaml');
  writeFileSync(file, stringify(config));
  const program = await startProgram({
    name: 'the Collector',
    path: await tool('otelcol-k8s'),
    args: [`--config=file:${file}`],
    env: {
      LIFECYCLE_ENDPOINT: `127.0.0.1:${port}`,
      STORAGE_DIR: join(dataDir, 'queue'),
      HEALTH_ENDPOINT: `127.0.0.1:${health}`,
      METRICS_PORT: String(metrics),
    },
    logFile: join(dataDir, 'collector.log'),
    healthUrl: `http://127.0.0.1:${health}/`,
  });
  return {
    ...program,
    endpoint: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metrics}/metrics`,
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
