import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Releases } from '../bridge/lib/releases.ts';
import { startJaeger, startVictoriaLogs } from '../test/harness/backends.ts';
import { startLifecycleCollector } from '../test/harness/lifecycle-collector.ts';

const run = promisify(execFile);
const tools = join(import.meta.dirname, 'tools');
const PROGRAMS = ['jaeger', 'victorialogs', 'otelcol-k8s'];
/** What to say where they are not built. */
export const NO_BACKENDS = `no traces and logs: "scripts/tools ${PROGRAMS.join(' ')}" builds Jaeger, VictoriaLogs and the Collector before them (needs Go, 10 to 20 minutes)`;

/** Where traces and logs of the demo can be read. */
export interface DemoBackends {
  /** A query of the API: the Go module of Jaeger has only a placeholder for its page. */
  readonly tracesUrl: string;
  readonly logsUrl: string;
  /** What the bridge knows of them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Jaeger and VictoriaLogs behind a Collector, where they are built; undefined where they are not: it takes minutes. */
export async function demoBackends(dataDir: string, releases: Releases): Promise<DemoBackends | undefined> {
  if (!(await areBuilt())) return undefined;
  const [jaeger, logs] = [await startJaeger(dataDir), await startVictoriaLogs(dataDir)];
  releases.add(() => jaeger.stop());
  releases.add(() => logs.stop());
  const collector = await startLifecycleCollector(
    collectorConfig(jaeger.endpoint, logs.endpoint),
    join(dataDir, 'way'),
  );
  releases.add(() => collector.stop());
  const prefix = 'LIFECYCLE_BRIDGE__OPENTELEMETRY__BACKEND__';
  const logsUrl = `${logs.url}select/vmui/#/?query=`;
  return {
    tracesUrl: `${jaeger.url}api/traces?service=report&lookback=1h`,
    logsUrl: `${logsUrl}*`,
    env: {
      [`${prefix}ENDPOINT`]: collector.endpoint,
      [`${prefix}LINKS__TRACE`]: `${jaeger.url}api/traces/{traceId}`,
      [`${prefix}LINKS__LOGS`]: `${logsUrl}trace_id%3A{traceId}&g0.range_input=1d&g0.end_input={toTime}&g0.relative_time=none`,
    },
  };
}

/** Without Go nothing is, and nothing needs to be: --replay does without. */
async function areBuilt(): Promise<boolean> {
  const bin = await toolsFolder().catch(() => undefined);
  return bin !== undefined && PROGRAMS.every((name) => existsSync(join(bin, name)));
}

/** The folder of the programs that are built. */
export async function toolsFolder(): Promise<string> {
  return (await run(tools, ['--bin'])).stdout.trim();
}

/** The pipelines of the chart, without what comes from a release. */
function collectorConfig(jaeger: string, logs: string): Parameters<typeof startLifecycleCollector>[0] {
  const patient = {
    sending_queue: { enabled: true, storage: 'file_storage', queue_size: 20_000 },
    retry_on_failure: { enabled: true, max_elapsed_time: '0s' },
  };
  const pipeline = (exporter: string): object => ({ receivers: ['otlp/lifecycle'], exporters: [exporter] });
  return {
    receivers: { 'otlp/lifecycle': { protocols: { grpc: { endpoint: '${env:LIFECYCLE_ENDPOINT}' } } } },
    processors: {},
    exporters: {
      'otlp/lifecycle-traces': { endpoint: jaeger, tls: { insecure: true }, ...patient },
      'otlphttp/lifecycle-logs': { endpoint: logs, ...patient },
    },
    extensions: {
      file_storage: { directory: '${env:STORAGE_DIR}', create_directory: true },
      health_check: { endpoint: '${env:HEALTH_ENDPOINT}' },
    },
    service: {
      extensions: ['file_storage', 'health_check'],
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        'traces/lifecycle': pipeline('otlp/lifecycle-traces'),
        'logs/lifecycle': pipeline('otlphttp/lifecycle-logs'),
      },
    },
  };
}
