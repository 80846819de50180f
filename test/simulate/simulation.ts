import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { neededKinds } from '../../bridge/sinks/index.ts';
import type { BridgeOptions } from './bridge.ts';
import { Bridge } from './bridge.ts';
import { Collector } from './collector.ts';
import { Destinations } from './destinations.ts';
import { enter } from './globals.ts';
import { Link } from './link.ts';
import { Onlooker } from './onlooker.ts';
import { Operator } from './operator.ts';
import { People } from './people.ts';
import type { Act, Fault, Plan } from './plan.ts';
import { configOf, DAY } from './plan.ts';
import { randomOf } from './random.ts';
import { rollBack } from './release.ts';
import { Scheduler, WORLD } from './scheduler.ts';
import { Shown } from './shown.ts';
import { statusText, Trace } from './trace.ts';
import type { Sent } from './vendor-http.ts';
import { Weather } from './weather.ts';
import { ApiServer } from './world/api-server.ts';
import { Clocks } from './world/clocks.ts';
import { CronJobController } from './world/cronjob-controller.ts';
import { Etcd } from './world/etcd.ts';
import { EventRecorder } from './world/event-recorder.ts';
import { JobController } from './world/job-controller.ts';
import type { Resource } from './world/objects.ts';
import { ALL_RESOURCES } from './world/objects.ts';
import { Truth } from './world/truth.ts';
import { WorkloadController } from './world/workload-controller.ts';

const HOUR = 3_600_000;
/** After the last fault everything is settled within it. */
export const SETTLE_MS = 3 * HOUR;

/** How long Kubernetes waits at most before it starts again what cannot start. */
const LONGEST_BACK_OFF_MS = 300_000;

/** One world, from its plan to its end. */
export class Simulation {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly truth = new Truth();
  readonly shown: Shown;
  readonly weather: Weather;
  readonly destinations: Destinations;
  readonly sent: Sent[] = [];
  readonly trace: Trace;
  readonly errors: string[] = [];
  /** Every life of the bridge. */
  readonly lives: Bridge[] = [];
  readonly api: ApiServer;
  readonly collector: Collector;
  readonly #cronJobs: CronJobController;
  readonly #people: People;
  readonly #operator: Operator;
  readonly #etcd: Etcd;
  readonly #clocks: Clocks;
  readonly #folder: string;
  readonly #link: Link;
  readonly onlooker: Onlooker;
  #wallOffset = 0;
  faults = 0;

  constructor(plan: Plan, folder: string) {
    rollBack();
    this.plan = plan;
    this.#folder = folder;
    this.scheduler = new Scheduler(plan.startAt);
    const { scheduler } = this;
    enter({ scheduler, wall: () => scheduler.now + this.#wallOffset, random: randomOf(plan.seed, 'global') });
    this.destinations = new Destinations(plan.destinations, () => scheduler.now);
    this.trace = new Trace();
    this.weather = new Weather(scheduler);
    this.api = new ApiServer(scheduler);
    this.shown = new Shown(scheduler);
    this.#clocks = new Clocks(scheduler, plan.skew);
    this.#link = new Link({
      seed: plan.seed,
      scheduler,
      weather: this.weather,
      shown: this.shown,
      bridge: () => this.bridge,
      say: (text) => this.say(text),
    });
    this.onlooker = new Onlooker({
      scheduler,
      random: randomOf(plan.seed, 'page'),
      shown: this.shown,
      bridge: () => (this.bridge?.ready === true ? this.bridge : undefined),
      weather: this.weather,
      isTakenBack: () => this.api.restores > 0,
    });
    if (plan.events) new EventRecorder(scheduler, this.api, this.#clocks).begin();
    const jobs = new JobController(scheduler, this.api, this.#clocks, this.truth);
    this.#cronJobs = new CronJobController(scheduler, this.api, this.#clocks, this.truth, jobs);
    const workloads = new WorkloadController(scheduler, this.api, this.#clocks, this.truth, jobs);
    this.#etcd = new Etcd({
      api: this.api,
      truth: this.truth,
      jobs,
      cronJobs: this.#cronJobs,
      now: () => scheduler.now,
    });
    const { destinations } = this;
    this.#operator = new Operator({ scheduler, destinations, restart: () => this.#reload() });
    this.#people = new People(scheduler, plan, { jobs, cronJobs: this.#cronJobs, workloads });
    this.collector = new Collector({
      scheduler,
      api: this.api,
      weather: this.weather,
      random: randomOf(plan.seed, 'collector'),
      consumers: plan.consumers,
      batches: plan.batches,
      resources: () => this.watched(),
      skewMs: plan.skew.collector,
      send: (request) => this.#link.send(request),
      onConnected: () => this.bridge?.connected(),
    });
    this.api.hear((_, { type, object }) => this.truth.saw(type, object));
    this.api.hear((_, { type, object: { kind, metadata, status } }) =>
      this.say(
        `${type} ${kind} ${metadata.namespace}/${metadata.name} ${metadata.resourceVersion} ${statusText(status)}`,
      ),
    );
  }

  get bridge(): Bridge | undefined {
    return this.lives.at(-1);
  }

  /** Where the store is, or was left. */
  get storePath(): string {
    return this.bridge!.path;
  }

  say(text: string): void {
    this.trace.add(this.scheduler.now, text);
  }

  async run(): Promise<void> {
    const { plan, scheduler, weather } = this;
    weather.onChange = (trouble) => {
      this.say(`${trouble} ${weather.is(trouble) ? 'begins' : 'ends'}`);
      if (trouble !== 'watches-cut') return;
      if (weather.is(trouble)) this.collector.watchesCut();
      else this.collector.watchesBack();
    };
    this.#people.begin();
    this.onlooker.begin();
    scheduler.in(plan.collectorAt, () => this.collector.start());
    scheduler.in(plan.bridgeAt, () => this.#startBridge());
    for (const { id, at, ...act } of plan.acts)
      if (act.act === 'restore-etcd') scheduler.at(plan.startAt + at - act.ms, () => this.#etcd.backUp(id));
    for (const act of plan.acts) scheduler.at(plan.startAt + act.at, () => this.#act(act));
    scheduler.at(plan.startAt + plan.days * DAY, () => this.#heal());
    await scheduler.runUntil(plan.startAt + plan.days * DAY + SETTLE_MS);
  }

  /** Ends everything that still runs; its files go. */
  close(): void {
    for (const life of this.lives) life.program.alive = false;
    this.bridge?.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #startBridge(): void {
    const last = this.bridge;
    if (last?.program.alive === true) return;
    const life = this.lives.length;
    last?.leaveTo(join(this.#folder, String(life)));
    this.say(`bridge ${life} starts`);
    this.destinations.started(this.scheduler.now, this.scheduler.now + this.#wallOffset);
    const config = { ...configOf(this.plan), ...this.destinations.config() };
    const bridge = new Bridge(this.#bridgeOptions(), life, config);
    this.lives.push(bridge);
    if (last?.death.waitsFor !== undefined) bridge.death.after(last.death.waitsFor);
  }

  #bridgeOptions(): BridgeOptions {
    const { scheduler, weather, destinations, sent } = this;
    return {
      scheduler,
      weather,
      destinations,
      sent,
      clocks: this.#clocks,
      server: this.api,
      seed: this.plan.seed,
      folder: this.#folder,
      wall: () => scheduler.now + this.#wallOffset,
      onAnswered: (call, answer) => this.#link.answered(call, answer),
      onCollectorRestart: () => this.#restartCollector(),
      onError: (what, error) => this.#error(what, error),
      onEnd: (why) => this.#bridgeEnded(why),
    };
  }

  #error(what: string, error: unknown): void {
    const text = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    this.say(`bridge error: ${text}`);
    this.errors.push(text);
  }

  #downMs = 0;
  #failedStarts = 0;

  #bridgeEnded(why: string): void {
    this.say(`bridge ${why}`);
    this.#failedStarts = this.bridge?.hasStarted === true ? 0 : this.#failedStarts + 1;
    const downMs = this.#downMs || Math.min(5_000 * 2 ** this.#failedStarts, LONGEST_BACK_OFF_MS);
    this.#downMs = 0;
    this.scheduler.in(downMs, () => this.#startBridge(), WORLD);
  }

  /** What the chart makes the Collector watch for these destinations. */
  watched(): Resource[] {
    const needed = neededKinds(this.destinations.sinks()).map((kind): string => KINDS[kind].resource);
    return ALL_RESOURCES.filter((resource) => needed.includes(resource) || (resource === 'events' && this.plan.events));
  }

  #restartCollector(): void {
    this.say('the bridge restarts the collector');
    this.collector.crash(false);
    this.scheduler.in(3_000, () => this.collector.start(), WORLD);
  }

  /** The end of all troubles; nothing new is scheduled any more. */
  #heal(): void {
    this.say('all is well from now on');
    this.#cronJobs.stop();
    this.#operator.restore();
    this.bridge?.death.spare();
    this.#reload();
    this.collector.start();
    this.collector.watchesBack();
    this.#startBridge();
  }

  #act(act: Act): void {
    this.say(`${act.id} ${JSON.stringify({ ...act, id: undefined, at: undefined })}`);
    if ('cronJob' in act) return this.#people.change(act);
    if ('workload' in act) return this.#people.changeWorkload(act);
    this.faults++;
    this.onlooker.alarmed();
    this.#fault(act);
  }

  #stop(downMs: number): void {
    if (this.bridge?.ready !== true) return;
    this.#downMs = downMs;
    this.bridge.stop();
  }

  /** With a changed configuration; the chart restarts a Collector that watches other kinds. */
  #reload(): void {
    this.say(`destinations: ${JSON.stringify(this.destinations.config())}`);
    this.#stop(3_000);
  }

  #fault(act: Fault): void {
    switch (act.act) {
      case 'kill-bridge':
        if (this.bridge?.program.alive !== true) return;
        this.#downMs = act.downMs;
        return this.bridge.kill(act.steps, act.after);
      case 'stop-bridge':
        return this.#stop(act.downMs);
      case 'kill-collector':
        this.collector.crash(act.loseDisk);
        this.scheduler.in(act.downMs, () => this.collector.start());
        return;
      case 'old-queue':
        return this.collector.sendAgain(act.fromMs, act.forMs, act.share);
      case 'dead-watch':
        return this.collector.killWatch(act.resource);
      case 'compact':
        return this.api.compact();
      case 'set-clock':
        this.#wallOffset += act.ms;
        return;
      case 'restore-etcd':
        this.#etcd.restore(act.id);
        return this.collector.restored();
      case 'reconfigure':
        return this.#operator.change(act.how, act.ms, act.namespace);
      case 'trouble':
        return this.weather.set(act.trouble, act.ms);
    }
  }
}
