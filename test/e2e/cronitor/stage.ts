import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Releases } from '../../../bridge/lib/releases.ts';
import type { Api } from '../../faults/api.ts';
import { openApi, runCronJob } from '../../faults/api.ts';
import type { PingQuery } from '../../vendors/cronitor-rules.ts';
import type { Vendors } from '../../vendors/start-vendors.ts';
import { startVendors } from '../../vendors/start-vendors.ts';
import type { Bridge } from '../../harness/bridge.ts';
import { startBridge } from '../../harness/bridge.ts';
import { startCluster } from '../../harness/cluster.ts';
import type { Collector } from '../../harness/collector.ts';
import { startCollector } from '../../harness/collector.ts';
import type { Kube, KubeObject } from '../../harness/kube.ts';
import { createNamespace, until } from '../../harness/kube.ts';

/** Namespaces; `outside` is not in the scope, `optin` and `dry` have Cronitor accounts of their own. */
const PLACES = ['upstream', 'main', 'storm', 'optin', 'dry', 'outside'] as const;
export type Place = (typeof PLACES)[number];

/** Environment of the telemetry of the account of `upstream`, `main` and `storm`. */
export const ENV = 'production';

/** What the fake kubelet makes of a pod. */
const FAILS_SOON = { 'lifecycle-bridge.test/exit': '7', 'lifecycle-bridge.test/run': '1s' };

/** What a watch has lost is found soon. */
const AUDIT = { LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '5s' };

/** Everything real but the vendor: one cluster, Collector and bridge for all scenarios of Cronitor. */
export class CronitorStage {
  readonly #releases = new Releases();
  readonly cluster = `cronitor-${process.pid}`;
  readonly kubes = {} as Record<Place, Kube>;
  vendors!: Vendors;
  api!: Api;
  bridge!: Bridge;
  collector!: Collector;

  /** The cluster with its namespaces, and the vendor. */
  async build(): Promise<void> {
    const cluster = await startCluster(this.cluster);
    this.#releases.add(() => cluster.stop());
    for (const place of PLACES) this.kubes[place] = await createNamespace(cluster.kubeconfig, place);
    for (const place of PLACES) this.#releases.add(() => this.kubes[place].removeNamespace());
    this.api = await openApi(cluster.kubeconfig);
    this.#releases.add(() => this.api.close());
    this.vendors = await startVendors();
    this.#releases.add(() => this.vendors.close());
    this.#kubeconfig = cluster.kubeconfig;
  }
  #kubeconfig = '';

  /** Bridge and Collector, for the CronJobs that are there by now and all later ones. */
  async start(): Promise<void> {
    const dataDir = mkdtempSync(join(tmpdir(), 'e2e-cronitor-'));
    this.#releases.add(() => rmSync(dataDir, { recursive: true }));
    const { vendors } = this;
    const kubeconfig = this.#kubeconfig;
    const namespaces = PLACES.filter((place) => place !== 'outside').map((place) => this.kubes[place].namespace);
    const vendor = { vendorsUrl: vendors.url, vendorKey: vendors.key };
    this.bridge = await startBridge({
      ...vendor,
      dataDir,
      kubeconfig,
      namespaces,
      env: { ...AUDIT, ...this.#accounts() },
    });
    this.#releases.add(async () => void (await this.bridge.stop()));
    const endpoint = { bridgeEndpoint: this.bridge.endpoint, clusterName: 'e2e' };
    this.collector = await startCollector({
      ...endpoint,
      kubeconfig,
      namespaces,
      dataDir: join(dataDir, 'collector'),
    });
    this.#releases.add(() => this.collector.stop());
  }

  #accounts(): Record<string, string> {
    const { url, key } = this.vendors;
    const of = (...places: Place[]): string => JSON.stringify(places.map((place) => this.kubes[place].namespace));
    const shared = { API_KEY: key, API_URL: url, PING_URL: url };
    const accounts = {
      DEFAULT: { NAMESPACES: of('upstream', 'main', 'storm'), ENV },
      OPTIN: { ...shared, NAMESPACES: of('optin'), DEFAULT_BEHAVIOR: 'exclude' },
      DRY: { ...shared, NAMESPACES: of('dry'), DRY_RUN: 'true' },
    };
    const settings = Object.entries(accounts).flatMap(([account, fields]) =>
      Object.entries(fields).map(([field, value]) => [`LIFECYCLE_BRIDGE__CRONITOR__${account}__${field}`, value]),
    );
    return Object.fromEntries(settings) as Record<string, string>;
  }

  close(): Promise<void> {
    return this.#releases.release();
  }

  /** Starts a run of a CronJob at once; `number` distinguishes its runs. */
  run(place: Place, name: string, number = 1): Promise<KubeObject> {
    return runCronJob(this.api, this.kubes[place].namespace, name, `${name}-${number}`);
  }

  /** Changes a CronJob by a JSON merge patch. */
  async patch(place: Place, name: string, patch: object): Promise<void> {
    await this.api.patch(`/apis/batch/v1/namespaces/${this.kubes[place].namespace}/cronjobs/${name}`, patch);
  }

  /** The first pod of a run is to fail, unlike those after it. */
  async failFirstPod({ metadata: { name, namespace } }: KubeObject): Promise<void> {
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const first = await until(`a pod of ${name}`, async () => {
      const { items } = (await this.api.get(`${pods}?labelSelector=job-name%3D${name}`)) as unknown as {
        items: readonly KubeObject[];
      };
      return items[0]?.metadata.name;
    });
    await this.api.patch(`${pods}/${first}`, { metadata: { annotations: FAILS_SOON } });
  }

  /** The pings of a run, in the order of their arrival. */
  pings({ metadata }: KubeObject): readonly (PingQuery & { readonly monitor: string })[] {
    return this.vendors.cronitor.pings
      .filter(({ query }) => query.series === metadata.uid)
      .map(({ query, monitor }) => ({ ...query, monitor }));
  }

  states(job: KubeObject): string[] {
    return this.pings(job).map(({ state }) => state);
  }

  /** Waits until the vendor has one of the states of the run. */
  async untilReported(job: KubeObject, state: string | readonly string[]): Promise<void> {
    const what = `${String(state)} of ${job.metadata.name}`;
    await until(what, () => this.states(job).some((each) => [state].flat().includes(each)), 90_000);
  }

  /** Waits until Kubernetes says that the run is over; returns it then. */
  async over({ metadata: { name, namespace } }: KubeObject): Promise<KubeObject> {
    return until(
      `${name} is over`,
      async () => {
        const job = await this.api.get(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
        return endOf(job) !== undefined && job;
      },
      100_000,
    );
  }

  /** Waits until the bridge lists two things about a run that an account was not sent; returns their reasons. */
  async dropped(account: string, { metadata }: KubeObject): Promise<string[]> {
    return until(`drops of ${metadata.name}`, async () => {
      const { items } = (await (await fetch(`${this.bridge.pageUrl}api/drops?limit=500`)).json()) as {
        items: readonly { runUid?: string; destination?: string; reason: string }[];
      };
      const drops = items.filter(
        ({ runUid, destination }) => runUid === metadata.uid && destination === `cronitor/${account}`,
      );
      return drops.length >= 2 && drops.map(({ reason }) => reason);
    });
  }
}

/** The end of a Job by its condition, in seconds. */
export function endOf({ status }: KubeObject): number | undefined {
  const conditions = (status?.['conditions'] ?? []) as { type: string; status: string; lastTransitionTime: string }[];
  const end = conditions.find(({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True');
  return end && seconds(status?.['completionTime'] ?? end.lastTransitionTime);
}

/** Seconds since the epoch of a time of Kubernetes. */
export const seconds = (time: unknown): number => Date.parse(String(time)) / 1000;
