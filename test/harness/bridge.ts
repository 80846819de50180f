import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './kube.ts';
import { freePort } from './ports.ts';
import type { Readyz } from './readyz.ts';
import { isSettled } from './readyz.ts';

const main = join(import.meta.dirname, '../../bridge/main.ts');
/** Compiled code of the bridge: tests start it often. */
export const COMPILE_CACHE = join(tmpdir(), 'lifecycle-bridge-compile-cache');

export interface BridgeOptions {
  /** Base of every vendor. */
  readonly vendorsUrl: string;
  readonly vendorKey: string;
  /** Holds the store and the log. */
  readonly dataDir: string;
  /** Without it the bridge makes no LIST. */
  readonly kubeconfig?: string;
  readonly namespaces?: readonly string[];
  readonly clusterName?: string;
  /** `replay FILE …` instead of `run`. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The real bridge as a process of its own, on ports that stay the same over restarts. */
export interface Bridge {
  readonly endpoint: string;
  readonly pageUrl: string;
  readonly storePath: string;
  readonly logFile: string;
  readyz(): Promise<Readyz>;
  /** Waits until nothing waits to be sent and every answer is recorded: a kill then makes nothing be sent again. */
  settled(timeoutMs?: number): Promise<void>;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Ends it as Kubernetes does, by SIGTERM; returns the exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
  /** Starts it again on the same store and ports. */
  start(): Promise<void>;
}

/** Starts the bridge; its page answers when this resolves. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  mkdirSync(options.dataDir, { recursive: true });
  const logFile = join(options.dataDir, 'bridge.log');
  const ports = { otlp: await freePort(), web: await freePort() };
  const storePath = join(options.dataDir, 'bridge.db');
  const pageUrl = `http://127.0.0.1:${ports.web}/`;
  let child: ChildProcess | undefined;
  process.on('exit', () => child?.kill('SIGKILL'));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return null;
    const ended = once(running, 'exit');
    running.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  };
  const start = async (): Promise<void> => {
    const started = launch(options, ports, storePath, logFile);
    child = started;
    const answers = async (): Promise<boolean> => {
      if (started.exitCode !== null) throw new Error(`the bridge ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
      return (await fetch(`${pageUrl}livez`).catch(() => undefined))?.ok === true;
    };
    await until('the page answers', answers, 240_000);
  };
  await start();
  const kill9 = async (): Promise<void> => void (await end('SIGKILL'));
  const readyz = async (): Promise<Readyz> => (await (await fetch(`${pageUrl}readyz`)).json()) as Readyz;
  return {
    endpoint: `127.0.0.1:${ports.otlp}`,
    pageUrl,
    storePath,
    logFile,
    readyz,
    settled: async (timeoutMs) => {
      await until('everything is delivered', async () => isSettled(await readyz()), timeoutMs);
    },
    get pid() {
      return child?.pid;
    },
    stop: () => end('SIGTERM'),
    kill9,
    start,
  };
}

function launch(
  options: BridgeOptions,
  ports: { readonly otlp: number; readonly web: number },
  storePath: string,
  logFile: string,
): ChildProcess {
  const log = openSync(logFile, 'a');
  const settings = {
    CLUSTER__NAME: options.clusterName ?? 'test',
    CLUSTER__LIST: String(options.kubeconfig !== undefined),
    OTLP__HOST: '127.0.0.1',
    OTLP__PORT: String(ports.otlp),
    WEB__PORT: String(ports.web),
    STORE__PATH: storePath,
    CRONITOR__DEFAULT__API_KEY: options.vendorKey,
    CRONITOR__DEFAULT__API_URL: options.vendorsUrl,
    CRONITOR__DEFAULT__PING_URL: options.vendorsUrl,
    ...(options.kubeconfig !== undefined && { CLUSTER__KUBECONFIG: options.kubeconfig }),
    ...(options.namespaces !== undefined && { CLUSTER__SCOPE: JSON.stringify(options.namespaces) }),
  };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`LIFECYCLE_BRIDGE__${key}`, value]));
  const child = spawn(process.execPath, [main, ...(options.command ?? ['run'])], {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILE_CACHE, ...env, ...options.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}
