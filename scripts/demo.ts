import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopSignal } from '../bridge/commands/signals.ts';
import { errorText, UserError } from '../bridge/lib/errors.ts';
import { Releases } from '../bridge/lib/releases.ts';
import { startBridge } from '../test/harness/bridge.ts';
import { startCollector } from '../test/harness/collector.ts';
import { createNamespace } from '../test/harness/kube.ts';
import { DEFAULT_KEY, SENTRY_KEY, startVendors } from '../test/vendors/start-vendors.ts';
import { demoBackends, NO_BACKENDS, toolsFolder } from './demo-backends.ts';
import { demoCluster } from './demo-cluster.ts';
import { demoCronJobs } from './demo-workloads.ts';

const USAGE = `usage: scripts/demo [--cluster | --replay] [--vendors URL]
  (none)         a Kubernetes control plane with simulated nodes, a Collector, the bridge, simulated vendors
  --cluster      the cluster that KUBECONFIG names instead; the demo makes a namespace there and removes it at the end
  --replay       no cluster: replays what a real node sent, through the real gRPC port
  --vendors URL  vendor endpoints that run elsewhere instead of the simulated ones: URL/api/monitors, URL/ping/…
Ctrl-C ends it and removes everything it made.`;

const RECORDING = join(import.meta.dirname, '../test/fixtures/recordings/node.bin.gz');
const began = Date.now();

function say(text: string): void {
  console.log(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${text}`);
}

interface DemoOptions {
  readonly cluster: boolean;
  readonly replay: boolean;
  readonly vendors: string | undefined;
}

const OPTIONS = {
  cluster: { type: 'boolean', default: false },
  replay: { type: 'boolean', default: false },
  vendors: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function parsed(): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>> {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    throw new UserError(errorText(error), USAGE);
  }
}

function readArguments(): DemoOptions | undefined {
  const { values } = parsed();
  if (values.help) return undefined;
  if (values.cluster && values.replay) throw new UserError('--cluster and --replay exclude each other', USAGE);
  if (values.cluster && !process.env['KUBECONFIG']) {
    throw new UserError('--cluster needs KUBECONFIG', 'KUBECONFIG=~/.kube/config scripts/demo --cluster');
  }
  if (values.vendors !== undefined && !URL.canParse(values.vendors)) {
    throw new UserError(`--vendors ${values.vendors} is not a URL`, 'Give one such as http://127.0.0.1:9000');
  }
  return { cluster: values.cluster, replay: values.replay, vendors: values.vendors };
}

const SETTING = 'LIFECYCLE_BRIDGE__';

/** Where the vendors are, and what the bridge is given of those that it does not get anyhow. */
async function vendors(given: string | undefined, releases: Releases): Promise<Pick<Given, 'vendorsUrl' | 'env'>> {
  if (given !== undefined) return { vendorsUrl: given, env: {} };
  const simulated = await startVendors();
  releases.add(() => simulated.close());
  const dsn = `${simulated.url.replace('://', `://${SENTRY_KEY}@`)}/1`;
  return { vendorsUrl: `${simulated.url}/`, env: { [`${SETTING}SENTRY__DEFAULT__DSN`]: dsn } };
}

/** The live demo: cluster, bridge, Collector, sample CronJobs. Returns the page. */
async function live({ cluster }: DemoOptions, given: Given, releases: Releases): Promise<string> {
  const { dataDir } = given;
  say(
    cluster ? 'using the cluster of KUBECONFIG' : 'starting a control plane (the first time, its programs are built)',
  );
  const kubeconfig = cluster ? (process.env['KUBECONFIG'] ?? '') : await demoCluster(releases);
  const kube = await namespaceIn(kubeconfig);
  releases.add(() => kube.removeNamespace());
  const scope = cluster ? { namespaces: [kube.namespace] } : {};
  say('starting the bridge');
  const options = bridgeOptions(given);
  // Simulated nodes have no logs, and a trace would wait for them.
  const noLogs = cluster
    ? {}
    : { [`${SETTING}CRONITOR__DEFAULT__SHIP_LOGS`]: 'false', [`${SETTING}SENTRY__DEFAULT__SHIP_LOGS`]: 'false' };
  const bridge = await startBridge({
    ...options,
    env: { ...options.env, ...noLogs },
    kubeconfig,
    clusterName: 'demo',
    ...scope,
  });
  releases.add(async () => void (await bridge.stop()));
  say('starting the Collector');
  const collectorOptions = { kubeconfig, bridgeEndpoint: bridge.endpoint, clusterName: 'demo', ...scope };
  const collector = await startCollector({ ...collectorOptions, dataDir: join(dataDir, 'collector') });
  releases.add(() => collector.stop());
  await kube.apply(...demoCronJobs);
  const names = ['report', 'sync-stock', 'import-legacy'];
  await Promise.all(names.map((name) => kube.runCronJob(name, `${name}-by-hand`)));
  say(`CronJobs ${names.join(', ')} are there; each has a run now and one every minute`);
  const path = cluster ? '' : ` PATH=${await toolsFolder()}:$PATH`;
  say(`to look around: export KUBECONFIG=${kubeconfig}${path}; kubectl -n ${kube.namespace} get cronjobs,jobs,pods`);
  return bridge.pageUrl;
}

/** A namespace of this demo's own. */
async function namespaceIn(kubeconfig: string): ReturnType<typeof createNamespace> {
  try {
    return await createNamespace(kubeconfig, 'lifecycle-demo');
  } catch (error) {
    const next = `See that "kubectl --kubeconfig=${kubeconfig} get namespaces" works, and that this account may create one.`;
    throw new UserError(errorText(error), next);
  }
}

async function replay(given: Given, releases: Releases): Promise<string> {
  say('replaying 282 s of a real node');
  const command = ['replay', RECORDING, '--serve'];
  const bridge = await startBridge({ ...bridgeOptions(given), command, clusterName: 'recorded' });
  releases.add(async () => void (await bridge.stop()));
  return bridge.pageUrl;
}

/** What the bridge of both ways is given. */
interface Given {
  readonly vendorsUrl: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
}

function bridgeOptions({ vendorsUrl, ...given }: Given): Given & { readonly vendorKey: string } {
  return { ...given, vendorsUrl: vendorsUrl.replace(/\/$/, ''), vendorKey: DEFAULT_KEY };
}

async function demo(options: DemoOptions): Promise<number> {
  const stopped = stopSignal();
  const releases = new Releases();
  const dataDir = await mkdtemp(join(tmpdir(), 'lifecycle-bridge-demo-'));
  releases.add(() => rm(dataDir, { recursive: true, force: true }));
  const work = async (): Promise<void> => {
    const { vendorsUrl, env } = await vendors(options.vendors, releases);
    const backends = await demoBackends(dataDir, releases);
    if (backends === undefined) say(NO_BACKENDS);
    const given = { vendorsUrl, dataDir, env: { ...env, ...backends?.env } };
    const page = await (options.replay ? replay(given, releases) : live(options, given, releases));
    console.log(`page: ${page}`);
    console.log(`vendors: ${vendorsUrl}`);
    if (backends !== undefined) {
      console.log(`traces: ${backends.tracesUrl} (each when its run is over)`);
      console.log(`logs: ${backends.logsUrl}`);
    }
    say('Ctrl-C ends it');
    await stopped;
  };
  try {
    const working = work();
    await Promise.race([working, stopped]);
    say('stopping');
    return 0;
  } finally {
    await releases.release((error) => console.error(`while stopping: ${errorText(error)}`));
  }
}

try {
  const options = readArguments();
  if (options === undefined) console.log(USAGE);
  else process.exit(await demo(options));
} catch (error) {
  console.error(`error: ${errorText(error)}`);
  if (error instanceof UserError) console.error(`next:  ${error.next}`);
  process.exit(1);
}
