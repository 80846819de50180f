import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { tool } from '../harness/cluster.ts';
import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { freePort } from '../harness/ports.ts';

const configFolder = join(import.meta.dirname, '../../collector-config');
const CONFIGS = ['redaction', 'processors', 'exporters', 'extensions', 'service'];

/** A program of scripts/tools: release 0.111, and a newer one that has no watches. */
export type Program = 'otelcol-k8s' | 'otelcol-next';

export interface FedOptions {
  readonly program: Program;
  /** Where it sends to: host:port. */
  readonly bridgeEndpoint: string;
  /** Holds the queue and the log. */
  readonly dataDir: string;
  /** With batch.yaml, which only the newer one knows. */
  readonly batch: boolean;
  /** Room of the queue, in records; without it that of exporters.yaml. */
  readonly room?: number;
  /** host:port at which it listens; without it a free port of this machine alone. */
  readonly endpoint?: string;
  /** Where the bridge wants a token. */
  readonly tokenFile?: string;
}

/** A real Collector with collector-config/, but an OTLP receiver where the watches are: a test feeds it. */
export interface FedCollector {
  /** host:port. An export is acknowledged when it is in the queue on disk. */
  readonly endpoint: string;
  readonly pid: number | undefined;
  /** The sum of a metric of its own by the beginning of its name; newer releases add a suffix. 0 when it is not there. */
  metric(name: string): Promise<number>;
  log(): string;
  kill9(): Promise<void>;
}

/** Starts it; it is healthy when this resolves. Another one that is started on the same `dataDir` has its queue. */
export async function startFedCollector(options: FedOptions): Promise<FedCollector> {
  const program = await tool(options.program);
  const [health, metrics] = [await freePort(), await freePort()];
  const endpoint = options.endpoint ?? `127.0.0.1:${await freePort()}`;
  const fed = join(options.dataDir, 'fed.yaml');
  writeFileSync(fed, stringify(configOf(endpoint, options.room)));
  const names = [...CONFIGS, ...(options.batch ? ['batch'] : []), ...(options.tokenFile ? ['bridge-token'] : [])];
  const files = names.map((name) => join(configFolder, `${name}.yaml`));
  const logFile = join(options.dataDir, `${options.program}.log`);
  const out = openSync(logFile, 'a');
  const env = {
    BRIDGE_ENDPOINT: options.bridgeEndpoint,
    CLUSTER_NAME: 'fed',
    STORAGE_DIR: join(options.dataDir, 'queue'),
    HEALTH_ENDPOINT: `127.0.0.1:${health}`,
    METRICS_PORT: String(metrics),
    BRIDGE_TOKEN_FILE: options.tokenFile,
  };
  const args = [...files, fed].map((file) => `--config=file:${file}`);
  const child = spawn(program, args, { env, stdio: ['ignore', out, out] });
  closeSync(out);
  const kill = (): boolean => child.kill('SIGKILL');
  process.on('exit', kill);
  const log = (): string => readFileSync(logFile, 'utf8');
  await healthy(child, health, log);
  return {
    endpoint,
    pid: child.pid,
    log,
    metric: (name) => readMetric(`http://127.0.0.1:${metrics}/metrics`, name),
    async kill9() {
      process.off('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      kill();
      await ended;
    },
  };
}

function configOf(endpoint: string, room: number | undefined): object {
  return {
    receivers: { 'otlp/fed': { protocols: { grpc: { endpoint, max_recv_msg_size_mib: 64 } } } },
    service: { pipelines: { 'logs/fed': { ...ofPods(), receivers: ['otlp/fed'] } } },
    ...(room !== undefined && { exporters: { 'otlp/bridge': { sending_queue: { queue_size: room } } } }),
  };
}

/** The way of the records of a watch. */
function ofPods(): object {
  const text = readFileSync(join(configFolder, 'watch/Pod.yaml'), 'utf8');
  const { service } = parse(text) as { service: { pipelines: Record<string, object> } };
  return service.pipelines['logs/pods']!;
}

async function healthy(child: ChildProcess, port: number, log: () => string): Promise<void> {
  await until('the Collector is healthy', async () => {
    if (child.exitCode !== null) throw new Error(`the Collector ended: ${log().slice(-2000)}`);
    return (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.ok === true;
  });
}
