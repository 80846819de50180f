import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { tool } from '../harness/cluster.ts';
import { until } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import { fileOf, type Manifest, one, type Tree } from './helm.ts';
import { podsOf } from './pods.ts';

/** A program of a rendered pod, run here. */
export interface Program {
  readonly port: number;
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

interface Run {
  readonly manifests: readonly Manifest[];
  /** Whose permissions it has. */
  readonly kubeconfig: string;
  readonly folder: string;
  /** Variables that come from Secrets, and what is elsewhere here. */
  readonly env?: Readonly<Record<string, string>>;
}

const CA = join(import.meta.dirname, '../fixtures/tls/ca.pem');

/** The Collector with the configuration and the variables of its pod; healthy when this resolves. */
export async function startCollector({ manifests, kubeconfig, folder, env = {} }: Run): Promise<Program> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'collector.yaml');
  writeFileSync(config, outsideOfPods(fileOf(manifests, 'lb-collector', 'collector.yaml'), kubeconfig, folder));
  const [health, metrics, lifecycle] = [await freePort(), await freePort(), await freePort()];
  const inPod = podOf(manifests, 'StatefulSet/lb-collector').spec.containers[0]?.env ?? [];
  const secrets = Object.fromEntries(inPod.filter(({ value }) => value === undefined).map(({ name }) => [name, 'x']));
  const all = {
    ...secrets,
    ...(one(manifests, 'ConfigMap', 'lb-collector-env')['data'] as Record<string, string>),
    GOMEMLIMIT: inPod.find(({ name }) => name === 'GOMEMLIMIT')?.value ?? '',
    BRIDGE_TOKEN_FILE: join(folder, 'token'),
    KUBECONFIG: kubeconfig,
    K8S_AUTH_TYPE: 'kubeConfig',
    STORAGE_DIR: join(folder, 'queue'),
    HEALTH_ENDPOINT: `127.0.0.1:${health}`,
    METRICS_PORT: String(metrics),
    LIFECYCLE_ENDPOINT: `127.0.0.1:${lifecycle}`,
    ...env,
  };
  const started = launch(await tool('otelcol-k8s'), [`--config=file:${config}`], all, folder);
  await answers(started, `http://127.0.0.1:${health}/`);
  return { ...started, port: metrics };
}

/** The Collector of the DaemonSet on a node whose logs are in `logs`; healthy when this resolves. `port` is that of its metrics. */
export async function startPodLogs({
  manifests,
  kubeconfig,
  folder,
  env = {},
}: Run): Promise<Program & { kill9(): Promise<void> }> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'collector.yaml');
  writeFileSync(config, outsideOfPods(fileOf(manifests, 'lb-pod-logs', 'collector.yaml'), kubeconfig, folder));
  const [health, metrics] = [await freePort(), await freePort()];
  const all = {
    KUBECONFIG: kubeconfig,
    K8S_AUTH_TYPE: 'kubeConfig',
    STORAGE_DIR: join(folder, 'state'),
    HEALTH_ENDPOINT: `127.0.0.1:${health}`,
    METRICS_PORT: String(metrics),
    ...env,
  };
  const started = launch(await tool('otelcol-k8s'), [`--config=file:${config}`], all, folder);
  await answers(started, `http://127.0.0.1:${health}/`);
  return { ...started, port: metrics, kill9: () => started.stop('SIGKILL') };
}

/**
 * What a newer Collector says against the configuration, "" if nothing. It has an OTLP receiver for those of Kubernetes and
 * Prometheus, and neither the resource nor the k8sattributes processor.
 */
export async function validateOnNewer(
  manifests: readonly Manifest[],
  folder: string,
  workload = 'lb-collector',
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const config = parse(outsideOfPods(fileOf(manifests, workload, 'collector.yaml'), '', folder)) as Configuration;
  config.receivers = { otlp: { protocols: { grpc: {} } } };
  const isThere = (processor: string): boolean => !/^(resource|k8sattributes)\//.test(processor);
  for (const name of Object.keys(config.processors)) if (!isThere(name)) delete config.processors[name];
  for (const pipeline of Object.values(config.service.pipelines)) {
    pipeline.receivers = ['otlp'];
    pipeline.processors = pipeline.processors.filter(isThere);
  }
  const file = join(folder, 'collector.yaml');
  writeFileSync(file, stringify(config));
  const variables = one(manifests, 'ConfigMap', 'lb-collector-env')['data'] as Record<string, string>;
  const env = { ...secretsOf(manifests), ...variables, BRIDGE_TOKEN_FILE: join(folder, 'token'), STORAGE_DIR: folder };
  const program = await tool('otelcol-next');
  return new Promise((resolve) => {
    const args = ['validate', `--config=file:${file}`];
    execFile(program, args, { env }, (error, _, stderr) => resolve(error === null ? '' : stderr || error.message));
  });
}

/** Every variable that a Secret gives, as digits: what YAML takes for a number. */
function secretsOf(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  const all = podsOf(manifests).flatMap(({ spec }) => spec.containers.flatMap(({ env = [] }) => env));
  return Object.fromEntries(all.filter(({ value }) => value === undefined).map(({ name }) => [name, '12345']));
}

interface Configuration {
  receivers: object;
  readonly processors: Record<string, unknown>;
  readonly service: { readonly pipelines: Record<string, { receivers: string[]; processors: string[] }> };
}

/** kube-state-metrics with the arguments of its pod; ready when this resolves. */
export async function startKubeStateMetrics({
  manifests,
  kubeconfig,
  folder,
}: Run): Promise<Program & { telemetry: number }> {
  mkdirSync(folder, { recursive: true });
  const [port, telemetry] = [await freePort(), await freePort()];
  const given = podOf(manifests, 'Deployment/lb-kube-state-metrics').spec.containers[0]?.args ?? [];
  const args = given
    .map((arg) =>
      arg.replace(/^--port=.*/, `--port=${port}`).replace(/^--telemetry-port=.*/, `--telemetry-port=${telemetry}`),
    )
    .concat(`--kubeconfig=${kubeconfig}`, '--host=127.0.0.1', '--telemetry-host=127.0.0.1');
  const started = launch(await tool('kube-state-metrics'), args, {}, folder);
  await answers(started, `http://127.0.0.1:${port}/livez`);
  await answers(started, `http://127.0.0.1:${telemetry}/readyz`);
  return { ...started, port, telemetry };
}

/** Jaeger with the configuration of its pod on ports of its own; `port` is that of its query API. Healthy when this resolves. */
export async function startJaegerOf(
  manifests: readonly Manifest[],
  folder: string,
): Promise<Program & { otlp: number }> {
  mkdirSync(folder, { recursive: true });
  const [otlp, port, query, health] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const here: Readonly<Record<string, number>> = { 4317: otlp, 16686: port, 16685: query, 13133: health };
  const config = join(folder, 'jaeger.yaml');
  const text = fileOf(manifests, 'lb-jaeger', 'jaeger.yaml');
  writeFileSync(
    config,
    text.replaceAll(/(?:0\.0\.0\.0|127\.0\.0\.1):(\d+)/g, (_, inPod: string) => `127.0.0.1:${here[inPod]}`),
  );
  const { args = [], startupProbe } = podOf(manifests, 'Deployment/lb-jaeger').spec.containers[0]!;
  const given = args.map((arg) => arg.replace('/etc/jaeger', folder));
  const started = launch(await tool('jaeger'), given, { GOMEMLIMIT: '256MiB' }, folder);
  await answers(started, `http://127.0.0.1:${health}${pathOf(startupProbe)}`);
  return { ...started, port, otlp };
}

/** VictoriaLogs with the arguments of its pod. Healthy when this resolves. */
export async function startVictoriaLogsOf(manifests: readonly Manifest[], folder: string): Promise<Program> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const { args = [], startupProbe } = podOf(manifests, 'StatefulSet/lb-victorialogs').spec.containers[0]!;
  const given = args.map((arg) => arg.replace('/var/lib/victorialogs', folder).replace('=:9428', `=127.0.0.1:${port}`));
  const started = launch(await tool('victorialogs'), given, {}, folder);
  await answers(started, `http://127.0.0.1:${port}${pathOf(startupProbe)}`);
  return { ...started, port };
}

const pathOf = (probe: unknown): string => (probe as { readonly httpGet: { readonly path: string } }).httpGet.path;

/** The bridge with the bridge.yaml of its pod, on ports of its own; ready when this resolves. `port` is the page's. */
export async function startBridge({
  manifests,
  kubeconfig,
  folder,
  env = {},
}: Run): Promise<Program & { otlp: number }> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'bridge.yaml');
  writeFileSync(config, fileOf(manifests, 'lb-bridge', 'bridge.yaml'));
  const [otlp, port] = [await freePort(), await freePort()];
  const here = { OTLP__PORT: otlp, WEB__PORT: port, STORE__PATH: join(folder, 'bridge.db'), ...env };
  const variables = Object.entries(here).map(([name, value]) => [`LIFECYCLE_BRIDGE__${name}`, String(value)] as const);
  const all = { LIFECYCLE_BRIDGE_CONFIG: config, KUBECONFIG: kubeconfig, ...Object.fromEntries(variables) };
  const started = launch(process.execPath, [join(import.meta.dirname, '../../bridge/main.ts'), 'run'], all, folder);
  await answers(started, `http://127.0.0.1:${port}/readyz`);
  return { ...started, port, otlp };
}

/** What a pod finds at fixed places is elsewhere here: authorities, and the API server. */
function outsideOfPods(text: string, kubeconfig: string, folder: string): string {
  for (const name of ['bridge-ca', 'backend-ca']) cpSync(CA, join(folder, name, 'ca.crt'), { recursive: true });
  writeFileSync(join(folder, 'token'), 'x');
  const here = text
    .replaceAll('/etc/otelcol/', `${folder}/`)
    .replaceAll('/var/run/secrets/kubernetes.io/serviceaccount/token', join(folder, 'token'));
  const config = parse(here) as Tree;
  const prometheus = (config['receivers'] as Tree)['prometheus'] as { config: { scrape_configs: Tree[] } } | undefined;
  for (const job of prometheus?.config.scrape_configs ?? [])
    for (const found of (job['kubernetes_sd_configs'] as Record<string, unknown>[] | undefined) ?? [])
      found['kubeconfig_file'] = kubeconfig;
  return stringify(config);
}

function podOf(manifests: readonly Manifest[], owner: string) {
  const pod = podsOf(manifests).find((each) => each.owner === owner);
  if (pod === undefined) throw new Error(`no ${owner}`);
  return pod;
}

type Started = Omit<Program, 'port'> & { readonly child: ChildProcess };

function launch(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Started {
  const file = join(folder, 'log');
  const log = openSync(file, 'a');
  const child = spawn(program, [...args], { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', log, log] });
  closeSync(log);
  const kill = (): boolean => child.kill('SIGKILL');
  process.on('exit', kill);
  return {
    child,
    log: () => readFileSync(file, 'utf8'),
    async stop(signal = 'SIGTERM') {
      process.off('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

async function answers({ child, log }: Started, url: string): Promise<void> {
  const answered = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`it ended: ${log().slice(-3000)}`);
    return (await fetch(url).catch(() => undefined))?.ok === true;
  };
  await until(`${url} answers`, answered, 90_000);
}
