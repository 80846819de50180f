import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { tool } from './cluster.ts';
import { openNamespace, until } from './kube.ts';
import { freePort } from './ports.ts';

const configFolder = join(import.meta.dirname, '../../collector-config');
const CONFIGS = ['redaction', 'processors', 'exporters', 'extensions', 'service'];

/** The real Collector with collector-config/, watching every kind. */
export interface Collector {
  readonly pid: number;
  /** Its own metrics in Prometheus text. */
  readonly metricsUrl: string;
  readonly logFile: string;
  /** Ends it as Kubernetes does, by SIGTERM. */
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Waits until its watches stand, again after a restart of the API server. */
  watching(): Promise<void>;
  /** Starts it again on the same queue, by kill -9 first if it runs. */
  restart(): Promise<void>;
}

/** How a test wants its Collector. */
export interface CollectorOptions {
  readonly kubeconfig: string;
  /** host:port of the OTLP/gRPC port of the bridge. */
  readonly bridgeEndpoint: string;
  /** Holds the queue and the log. */
  readonly dataDir: string;
  readonly clusterName: string;
  /** Watch these namespaces only, and nothing of cluster scope. */
  readonly namespaces?: readonly string[];
  /** Page of a bridge that may watch too, while the streams are dead: those watches are not counted. */
  readonly bridgePageUrl?: string;
  /** With it the Collector sends the token that is in there when it starts. */
  readonly tokenFile?: string;
}

/**
 * Starts the Collector; it is healthy and its watches of runs and events stand when this resolves. Objects that were
 * there before are not sent, which is how a watch is.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const program = await tool('otelcol-k8s');
  mkdirSync(options.dataDir, { recursive: true });
  const logFile = join(options.dataDir, 'collector.log');
  const watches = await watchCounter(options.kubeconfig, options.bridgePageUrl);
  const before = await steady(watches);
  const each = options.namespaces?.length ?? 1;
  const unwatched = (timeoutMs?: number): Promise<unknown> =>
    until(
      'the watches of the old Collector have ended',
      async () => (await watches()).every((count, kind) => count <= before[kind]!),
      timeoutMs,
    );
  const watching = async (): Promise<void> => {
    const all = async (): Promise<boolean> => (await watches()).every((count, kind) => count >= before[kind]! + each);
    // Twice: a watch of the bridge that begins or ends just now is counted by one side only.
    await until('the Collector watches', async () => (await all()) && (await all()), 180_000);
  };
  let child: ChildProcess | undefined;
  let ports = { health: 0, metrics: 0 };
  const killAtExit = (): boolean | undefined => child?.kill('SIGKILL');
  process.on('exit', killAtExit);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    await end('SIGKILL');
    await unwatched();
    ports = { health: await freePort(), metrics: await freePort() };
    const started = launch(program, options, logFile, ports);
    child = started;
    await healthy(started, ports.health, logFile);
    await watching();
  };
  await start().catch(async (error: unknown) => {
    await end('SIGKILL');
    throw error;
  });
  return {
    get pid() {
      return child?.pid ?? 0;
    },
    get metricsUrl() {
      return `http://127.0.0.1:${ports.metrics}/metrics`;
    },
    logFile,
    stop: async () => {
      process.off('exit', killAtExit);
      await end('SIGTERM');
      // Else they would count as watches of the next one; but the cluster may be gone.
      await unwatched(10_000).catch(() => undefined);
    },
    watching,
    kill9: () => end('SIGKILL'),
    restart: start,
  };
}

function launch(
  program: string,
  options: CollectorOptions,
  logFile: string,
  ports: { readonly health: number; readonly metrics: number },
): ChildProcess {
  const kinds = Object.entries(KINDS).filter(([, { namespaced }]) => namespaced || options.namespaces === undefined);
  const files = [...CONFIGS, ...kinds.map(([kind]) => `watch/${kind}`)];
  if (options.tokenFile !== undefined) files.push('bridge-token');
  const args = files.map((file) => `--config=file:${join(configFolder, file)}.yaml`);
  const log = openSync(logFile, 'a');
  const env = {
    PATH: process.env['PATH'],
    KUBECONFIG: options.kubeconfig,
    K8S_AUTH_TYPE: 'kubeConfig',
    BRIDGE_ENDPOINT: options.bridgeEndpoint,
    CLUSTER_NAME: options.clusterName,
    STORAGE_DIR: join(options.dataDir, 'queue'),
    HEALTH_ENDPOINT: `127.0.0.1:${ports.health}`,
    METRICS_PORT: String(ports.metrics),
    ...(options.tokenFile !== undefined && { BRIDGE_TOKEN_FILE: options.tokenFile }),
    ...(options.namespaces ? { WATCH_NAMESPACES: JSON.stringify(options.namespaces) } : {}),
  };
  const child = spawn(program, args, { env, stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

async function healthy(child: ChildProcess, port: number, logFile: string): Promise<void> {
  await until('the Collector is healthy', async () => {
    if (child.exitCode !== null) throw new Error(`the Collector ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    return answer?.ok === true;
  });
}

const WATCHED = [
  '/pods',
  'batch/jobs',
  'batch/cronjobs',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'apps/controllerrevisions',
  'events.k8s.io/events',
];

/** The counts that are the same a second later: the control plane may just be starting its own watches. */
async function steady(watches: () => Promise<readonly number[]>): Promise<readonly number[]> {
  let last = '';
  return until('the watches of the control plane stand', async () => {
    const now = await watches();
    const same = String(now) === last;
    last = String(now);
    if (!same) await pause(1000);
    return same && now;
  });
}

/**
 * Counts the open watches at the API server, one number for each of WATCHED. The health check is green before the
 * watches stand, and nothing of the Collector says when they do. Those of the bridge itself are left out.
 */
async function watchCounter(kubeconfig: string, bridgePageUrl?: string): Promise<() => Promise<readonly number[]>> {
  const kube = await openNamespace(kubeconfig, 'default');
  return async () => {
    const open = new Map<string, number>();
    const metrics = await kube.kubectl(['get', '--raw', '/metrics']);
    for (const line of metrics.matchAll(/^apiserver_longrunning_requests\{(.*verb="WATCH".*)\} (\d+)$/gm)) {
      const label = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(line[1]!)?.[1] ?? '';
      const kind = `${label('group')}/${label('resource')}`;
      open.set(kind, (open.get(kind) ?? 0) + Number(line[2]));
    }
    const own = bridgePageUrl === undefined ? [] : await ownWatches(bridgePageUrl);
    return WATCHED.map((kind) => (open.get(kind) ?? 0) - (own.includes(kind) ? 1 : 0));
  };
}

/** The kinds that the bridge watches itself; of one that is down the watches are over too. */
async function ownWatches(pageUrl: string): Promise<readonly string[]> {
  const answer = await fetch(`${pageUrl}metrics`, { headers: { connection: 'close' } }).catch(() => undefined);
  const text = (await answer?.text()) ?? '';
  const kinds = [...text.matchAll(/^lifecycle_bridge_watch_own\{kind="(\w+)"\} 1$/gm)].map(([, kind]) => kind);
  return kinds.map((kind) => (kind === 'Pod' ? '/pods' : `batch/${kind!.toLowerCase()}s`));
}
