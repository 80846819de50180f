import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { KubeAccess } from '../../bridge/cluster/kube-access.ts';
import { kubeApi, kubeOf } from '../../bridge/cluster/api.ts';
import { configSchema } from '../../bridge/config/schema.ts';
import { readingOf } from '../../bridge/ingest/reading.ts';
import { TestEngine } from '../../bridge/ingest/test-engine.ts';
import { ALWAYS } from '../../bridge/kubernetes/followed.ts';
import type { Facts } from '../../bridge/kubernetes/observation.ts';
import type { Dispatcher } from '../../bridge/outbox/dispatcher.ts';
import { startDispatcher } from '../../bridge/outbox/dispatcher.ts';
import { createPlanners } from '../../bridge/sinks/index.ts';
import type { KubernetesConfig } from '../../bridge/sinks/kubernetes/config.ts';
import { createKubernetesDeliverer } from '../../bridge/sinks/kubernetes/deliver.ts';
import type { Deps } from '../../bridge/sinks/module.ts';
import type { Delivery } from '../../bridge/sinks/sink.ts';
import type { DesiredView } from '../../bridge/store/read.ts';
import type { SimulatedPod } from '../vendors/kubernetes.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { later } from './outbox-bench.ts';

export const START = Date.parse('2026-01-05T12:00:00Z');
/** A timestamp within the hour after START. */
export const STAMP = /^2026-01-05T12:\d\d:\d\dZ$/;
/** The annotation with which a pod asks for its timestamp. */
export const ask = { addtime: 'true' };
export const timestamp = (pod: SimulatedPod): string | undefined => pod.metadata.annotations['timestamp'];
export const isStamped = (pod: SimulatedPod) => (): boolean => timestamp(pod) !== undefined;

export interface LogLine {
  readonly [field: string]: unknown;
  readonly msg: string;
}

/** A Kubernetes API that is known to the bridge's client by a token. */
export function kubeAccess({ url, key }: Vendors): KubeAccess {
  return { server: url, headers: { authorization: `Bearer ${key}` } };
}

/** Pods, their watch, and the bridge between: engine, store, outbox and the client of the API are the real ones. */
export class PodWorld {
  readonly vendors: Vendors;
  readonly lines: LogLine[] = [];
  readonly deliveries: Delivery[] = [];
  now = START;
  /** What the watch brings; a test may hold it back, or bring it again. */
  watch: (pod: SimulatedPod, deleted: boolean) => void = (pod, deleted) => this.observe(pod, deleted);
  readonly #engine: TestEngine;
  readonly #settings: KubernetesConfig;
  readonly #read: (object: SimulatedPod) => Facts | undefined;
  #dispatcher: Dispatcher | undefined;

  private constructor(vendors: Vendors, settings: object) {
    this.vendors = vendors;
    const config = configSchema.parse({ kubernetes: { default: settings } });
    this.#settings = config.kubernetes['default']!;
    const world = { clusterId: 'test', clusterName: 'test', pageUrl: undefined };
    this.#engine = new TestEngine({ planners: createPlanners(config, world) });
    const reading = readingOf(ALWAYS, config);
    this.#read = (object) => reading.read(object) as Facts | undefined;
    vendors.kubernetes.onChange = (pod, type) => this.watch(pod, type === 'DELETED');
    this.start();
  }

  static async open(settings: object = {}): Promise<PodWorld> {
    return new PodWorld(await startVendors({ key: 'pod-world-token' }), settings);
  }

  get api() {
    return this.vendors.kubernetes;
  }

  observe(pod: SimulatedPod, deleted = false): void {
    this.#engine.take([{ facts: this.#read(pod)!, deleted, observedAt: this.now }], this.now);
    this.#dispatcher?.wake();
  }

  start(): void {
    const access = kubeAccess(this.vendors);
    const kube = kubeOf(
      kubeApi(access, () => Promise.resolve(access)),
      'cluster',
    );
    const log: Deps['log'] = { info: (fields, msg) => void this.lines.push({ ...fields, msg }) };
    const clock = { now: () => this.now };
    const deliverer = {
      ...createKubernetesDeliverer('default', this.#settings, { kube, clock, log }),
      dryRun: this.#settings.dryRun,
    };
    this.#dispatcher = startDispatcher({
      store: later(() => this.#engine.store),
      deliverers: [deliverer],
      clock,
      maxAgeMs: 86_400_000,
      random: () => 0.5,
      tickMs: 5,
      onSettled: (_, delivery) => this.deliveries.push(delivery),
      onError: (error) => expect.fail(String(error)),
    });
  }

  async stop(graceMs = 5_000): Promise<void> {
    await this.#dispatcher?.stop(graceMs);
    this.#dispatcher = undefined;
  }

  /** The bridge is stopped and started again, with what its store has. */
  async restart(graceMs?: number): Promise<void> {
    await this.stop(graceMs);
    this.#engine.restart(undefined, this.now);
    this.start();
  }

  rows(): readonly DesiredView[] {
    return this.#engine.reader.desired({ limit: 1_000 }).items;
  }

  /** How many rows are not as they should be. */
  notInSync(): number {
    return this.#engine.reader.depth().reduce((sum, { notInSync }) => sum + notInSync, 0);
  }

  /** How each delivery ended, in their order. */
  reasons(): string[] {
    return this.deliveries.map((one) => (one.outcome === 'delivered' ? 'delivered' : one.reason));
  }

  /** Runs the clock until it is so. */
  async until(condition: () => boolean, stepMs = 200): Promise<void> {
    const deadline = Date.now() + 120_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify([this.deliveries, this.rows()])}`);
      this.now += stepMs;
      await sleep(2);
    }
  }

  /** An hour in which nothing more happens. */
  async quiet(): Promise<void> {
    for (let step = 0; step < 60; step++) {
      this.now += 60_000;
      this.#dispatcher?.wake();
      await sleep(2);
    }
  }

  /** What was written, pod by pod. */
  writes(pod?: string): Readonly<Record<string, string>>[] {
    const own = this.api.writes.filter((write) => write.by === 'lifecycle-bridge');
    return own.filter((write) => pod === undefined || write.pod === pod).map(({ annotations }) => annotations);
  }

  async close(): Promise<void> {
    await this.stop();
    this.#engine.close();
    await this.vendors.close();
  }
}
