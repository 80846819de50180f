import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Auditor } from '../../bridge/cluster/auditor.ts';
import { startAuditor } from '../../bridge/cluster/auditor.ts';
import { startCollectorRestart } from '../../bridge/cluster/collector-restart.ts';
import { startEventWriter } from '../../bridge/cluster/write/event-writer.ts';
import { startLogReader } from '../../bridge/cluster/logs.ts';
import { loadConfig } from '../../bridge/config/load.ts';
import { followedKinds } from '../../bridge/config/watch.ts';
import type { Config } from '../../bridge/config/schema.ts';
import type { Tree } from '../../bridge/config/tree.ts';
import type { WorkerClient } from '../../bridge/ingest/thread/client.ts';
import { startWorker } from '../../bridge/ingest/thread/client.ts';
import type { CallMessage } from '../../bridge/ingest/thread/protocol.ts';
import { SteadyClock } from '../../bridge/lib/clock.ts';
import { followClock } from '../../bridge/lib/follow-clock.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Dispatcher } from '../../bridge/outbox/dispatcher.ts';
import { startDispatcher } from '../../bridge/outbox/dispatcher.ts';
import { kubeOf } from '../../bridge/cluster/api.ts';
import { configured, createDeliverer, depsOf } from '../../bridge/sinks/index.ts';
import { startTicking } from '../../bridge/app/ticking.ts';
import { HeldWake, wakeOf } from '../../bridge/app/wakes.ts';
import type { ExportAnswer } from './collector.ts';
import type { Destinations } from './destinations.ts';
import type { Leaving } from './death.ts';
import { Death } from './death.ts';
import { copyLeft, forgetDisk, isOfFullDisk, ruleDisk } from './disk.ts';
import { SimulatedKubeApi } from './kube-api.ts';
import type { Random } from './random.ts';
import { randomOf } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { Program } from './scheduler.ts';
import { saysFull, StoreReporter } from './store-reporter.ts';
import type { Answered } from './thread.ts';
import { SimulatedThread } from './thread.ts';
import type { Sent } from './vendor-http.ts';
import { VendorHttp } from './vendor-http.ts';
import { VENDORS } from './vendors/index.ts';
import type { Weather } from './weather.ts';
import type { ApiServer } from './world/api-server.ts';
import type { Clocks } from './world/clocks.ts';

export interface BridgeOptions {
  readonly seed: string;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly server: ApiServer;
  readonly clocks: Clocks;
  readonly destinations: Destinations;
  readonly sent: Sent[];
  readonly folder: string;
  /** The clock of its computer. */
  readonly wall: () => number;
  readonly onAnswered: (call: CallMessage, answer: Answered) => void;
  readonly onCollectorRestart: () => void;
  /** What the bridge itself would log as an error. */
  readonly onError: (what: string, error: unknown) => void;
  /** It ended by itself or was killed. */
  readonly onEnd: (why: string) => void;
}

/** One life of the bridge: the rooms as app/ composes them, without ports and page. */
export class Bridge {
  readonly program: Program;
  readonly path: string;
  readonly clock: SteadyClock;
  readonly startedAt: number;
  readonly death: Death;
  diedAt = Infinity;
  readonly #options: BridgeOptions;
  readonly #config: Config;
  readonly #random: Random;
  readonly #releases = new Releases();
  #thread: SimulatedThread | undefined;
  #worker: WorkerClient | undefined;
  #auditor: Auditor | undefined;
  #isReady = false;

  constructor(options: BridgeOptions, life: number, config: Tree) {
    this.#options = options;
    this.program = new Program(`bridge-${life}`);
    this.startedAt = options.scheduler.now;
    this.clock = new SteadyClock(options.wall, () => options.scheduler.now);
    this.#random = randomOf(options.seed, 'bridge', life);
    this.death = new Death({
      scheduler: options.scheduler,
      program: this.program,
      random: this.#random,
      onThread: () => this.#thread?.kill(),
      onDeath: (why) => this.#die(why),
    });
    const folder = join(options.folder, String(life));
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, 'bridge.db');
    this.#config = loadConfig({
      env: {},
      overrides: { ...config, store: { ...(config['store'] as Tree), path: this.path } },
    });
    ruleDisk(folder, () => options.weather.is('disk-full'), this.death);
    options.scheduler.in(0, () => void this.#start().catch((error: unknown) => this.#crash(error)), this.program);
  }

  get folder(): string {
    return join(this.path, '..');
  }

  get ready(): boolean {
    return this.program.alive && this.#isReady;
  }

  /** It worked, at least for a moment. */
  get hasStarted(): boolean {
    return this.#isReady;
  }

  /** Kills it now, in the middle of the disk's step number `steps` from now, or once something has left it. */
  kill(steps: number, after: Leaving | undefined): void {
    if (after === undefined) this.death.at(steps);
    else this.death.after(after);
  }

  /** SIGTERM: it ends in order. */
  stop(): void {
    const { scheduler } = this.#options;
    const failed = (error: unknown): void => this.#options.onError('stop', error);
    scheduler.in(
      0,
      () => void this.#releases.releaseWithin(22_000, failed).then(() => this.#die('stopped')),
      this.program,
    );
  }

  /** One export, as the Collector's connection brings it. */
  ingest(bytes: Uint8Array, answer: (answer: ExportAnswer) => void): void {
    const { scheduler } = this.#options;
    if (!this.ready) return answer('unavailable');
    scheduler.in(
      1,
      () => {
        this.#worker!.calls.ingest(bytes, this.clock.now()).then(
          ({ result }) => answer(result === 'committed' ? 'committed' : result),
          () => answer('unavailable'),
        );
      },
      this.program,
    );
  }

  connected(): void {
    this.#options.scheduler.in(0, () => this.#auditor?.connected(), this.program);
  }

  /** What it left behind goes to the next life. */
  leaveTo(next: string): void {
    copyLeft(this.folder, next, this.#random);
    this.remove();
  }

  remove(): void {
    this.#thread?.close();
    forgetDisk(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { scheduler, onAnswered, weather, destinations, sent, onError } = this.#options;
    const { clock, program } = this;
    const random = this.#random;
    const releases = this.#releases;
    const held = new HeldWake();
    let ticking: ReturnType<typeof startTicking> | undefined;
    const worker = await startWorker(
      { config: this.#config, startedAt: clock.now() },
      ({ work }) => work && held.wake(work),
      (error) => this.#crash(error),
      { onWritten: () => ticking?.changed() },
      (init) => (this.#thread = new SimulatedThread(init, { scheduler, program, random, onAnswered })),
    );
    this.#worker = worker;
    releases.add(async () => {
      await worker.calls.close();
      await worker.stop();
    });
    const reporter = new StoreReporter((error) => onError('store', error));
    ticking = startTicking(worker.calls, clock, reporter, ({ work }) => work && held.wake(work));
    releases.add(() => ticking.stop());
    const api = this.#kubeApi();
    const cluster = this.#startCluster(api, worker, releases);
    const onAsked = (): void => this.death.left('request');
    const http = new VendorHttp({ scheduler, weather, random, program, destinations, sent, onAsked });
    const dispatcher = await this.#startOutbox(worker, http, api, releases);
    held.listen(wakeOf(dispatcher, cluster));
    const planning = [worker.calls, dispatcher, cluster.auditor];
    releases.add(followClock(clock, planning, (error) => onError('clock', error)));
    this.#auditor = cluster.auditor;
    this.#isReady = true;
    destinations.ready(scheduler.now);
  }

  async #startOutbox(
    worker: WorkerClient,
    http: VendorHttp,
    api: SimulatedKubeApi,
    releases: Releases,
  ): Promise<Dispatcher> {
    const { onError } = this.#options;
    const kube = kubeOf(api, this.#config.cluster.scope);
    const deps = depsOf(this.#config, { http, clock: this.clock, log: { info: () => undefined }, kube });
    const dispatcher = startDispatcher({
      store: worker.calls,
      deliverers: await Promise.all(
        configured(this.#config).map(async (one) => {
          const simulated = VENDORS[one.sink]?.deliverer?.(one.name, one.settings, deps);
          return simulated === undefined ? createDeliverer(one, deps) : { ...simulated, dryRun: one.settings.dryRun };
        }),
      ),
      clock: this.clock,
      maxAgeMs: this.#config.outbox.maxAge,
      onError: (error) => onError(isOfFullDisk(error) ? 'store' : 'outbox', error),
    });
    releases.add(() => dispatcher.stop(5_000));
    return dispatcher;
  }

  #kubeApi(): SimulatedKubeApi {
    const { scheduler, weather, server, clocks, destinations, onCollectorRestart } = this.#options;
    return new SimulatedKubeApi({
      scheduler,
      weather,
      server,
      clocks,
      program: this.program,
      random: this.#random,
      onRemoved: onCollectorRestart,
      onPatched: (...change) => destinations.accounts.forEach(({ account }) => account.patched?.(...change)),
    });
  }

  #startCluster(api: SimulatedKubeApi, worker: WorkerClient, releases: Releases) {
    const { onError } = this.#options;
    const asked = { api, clock: this.clock, store: worker.calls, isOurs: () => Promise.resolve(true) };
    const restart = startCollectorRestart({
      ...asked,
      pods: this.#config.cluster.collectorPods,
      events: false,
      excuse: () => undefined,
      onRestarted: () => undefined,
      onExcused: () => undefined,
      onError: (error) => onError('restart', error),
    });
    releases.add(() => restart.stop());
    const auditor = startAuditor({
      ...asked,
      kinds: followedKinds(this.#config),
      scope: this.#config.cluster.scope,
      intervalMs: this.#config.cluster.audit.interval,
      onResult: () => undefined,
      onWarnings: () => undefined,
      onWatch: (kind, isDead) => restart.watch(kind, isDead),
      onOwnWatch: () => undefined,
      onError: (error) => onError('audit', error),
    });
    releases.add(() => auditor.stop());
    const events = startEventWriter({
      ...asked,
      onResult: () => undefined,
      onError: (error) => onError('events', error),
    });
    releases.add(() => events.stop());
    const logs = startLogReader({
      ...asked,
      limits: this.#config.logs,
      onRead: () => undefined,
      onError: (error) => onError('logs', error),
    });
    releases.add(() => logs.stop());
    return { auditor, logs, events };
  }

  #crash(error: unknown): void {
    if (!this.program.alive) return;
    const isFull = !this.#isReady && this.#options.weather.is('disk-full') && saysFull(error);
    this.#options.onError(isFull ? 'start' : 'crash', error);
    this.#die(isFull ? 'cannot start' : 'crashed');
  }

  #die(why: string): void {
    if (!this.program.alive) return;
    this.program.alive = false;
    this.diedAt = this.#options.scheduler.now;
    this.#options.onEnd(why);
  }
}
