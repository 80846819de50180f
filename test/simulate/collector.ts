import { encodeLogs, watchBody } from '../otlp-client.ts';
import type { Random } from './random.ts';
import { chance, skewed, whole } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { Program } from './scheduler.ts';
import type { Weather } from './weather.ts';
import type { ApiServer, EventType, WatchEvent } from './world/api-server.ts';
import type { KubeObject, Resource } from './world/objects.ts';

/** One record that the Collector took from a watch. */
export interface TakenRecord {
  readonly type: EventType;
  readonly object: KubeObject;
  readonly observedAt: number;
}

export interface Export {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly records: readonly TakenRecord[];
}

export type ExportAnswer = 'committed' | 'unavailable' | 'undecodable' | 'lost';

export interface CollectorOptions {
  readonly scheduler: Scheduler;
  readonly api: ApiServer;
  readonly weather: Weather;
  readonly random: Random;
  /** Requests at one time. */
  readonly consumers: number;
  /** Whether what waits is sent together. */
  readonly batches: boolean;
  /** What it watches. */
  readonly resources: () => readonly Resource[];
  readonly skewMs: number;
  readonly send: (request: Export) => Promise<ExportAnswer>;
  /** It begins to send, for the first time or after a start. */
  readonly onConnected: () => void;
}

const FLUSH_MS = 200;
/** How long an old copy of its queue may be of use. */
export const OLDEST_COPY_MS = 3 * 3_600_000;

interface Watch {
  /** Up to which version it has sent everything. */
  version: number;
  /** In order: nothing arrives before what came before it. */
  lastAt: number;
  dead: boolean;
  broken: boolean;
}

/** The OpenTelemetry Collector as it is configured here: watches, a queue on a disk, several senders, tries for ever. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #watches = new Map<Resource, Watch>();
  /** On its disk. */
  #queue: Export[] = [];
  /** Taken from the queue and not answered: on its disk too, and at the queue's end after a crash. */
  readonly #sending = new Set<Export>();
  /** What was taken for good, and when it came. */
  #taken: { readonly request: Export; readonly at: number }[] = [];
  #batch: TakenRecord[] = [];
  #isFlushing = false;
  #program: Program | undefined;
  #connected = false;
  /** Senders that wait for something to send. */
  #idle: (() => void)[] = [];
  /** Events that no watch of it will bring, for the trace. */
  onGap: (resource: Resource, events: number) => void = () => undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
    options.api.hear((resource, event) => this.#hear(resource, event));
  }

  get running(): boolean {
    return this.#program?.alive === true;
  }

  get waiting(): number {
    return this.#queue.length + this.#sending.size + this.#batch.length;
  }

  /** Its watches begin now: what happened before, no watch brings. */
  start(): void {
    if (this.running) return;
    this.#program = new Program('collector');
    this.#connected = false;
    this.#watches.clear();
    for (const resource of this.#options.resources()) this.#watchFromNow(resource);
    for (let n = 0; n < this.#options.consumers; n++)
      this.#options.scheduler.in(whole(this.#options.random, 50, 500), () => void this.#consume(), this.#program);
  }

  /** It is killed, maybe with its disk. */
  crash(loseDisk: boolean): void {
    if (this.#program !== undefined) this.#program.alive = false;
    this.#queue.push(...this.#sending);
    this.#sending.clear();
    this.#batch = [];
    this.#isFlushing = false;
    this.#idle = [];
    if (loseDisk) this.#queue = [];
  }

  /** An old copy of its queue is sent once more: a volume that was restored, or deletions that a power loss took back. */
  sendAgain(fromMs: number, forMs: number, share: number): void {
    const { scheduler, random } = this.#options;
    const from = scheduler.now - fromMs;
    for (const { request, at } of this.#taken)
      if (at >= from && at <= from + forMs && chance(random, share)) this.#push(request);
  }

  /** A watch of it never brings anything again, before a restart. */
  killWatch(resource: Resource): void {
    const watch = this.#watches.get(resource);
    if (watch !== undefined) watch.dead = true;
  }

  /** After a cut its watches go on from where they were, or from now if the API has forgotten that. */
  watchesBack(): void {
    if (!this.running) return;
    for (const [resource, watch] of this.#watches) {
      if (!watch.broken || watch.dead) continue;
      watch.broken = false;
      const missed = this.#options.api.since(resource, watch.version);
      if (missed === undefined) this.#watchFromNow(resource);
      else missed.forEach((event) => this.#take(watch, event));
    }
  }

  /** The API server came up from a backup: no version that it was at is known there. */
  restored(): void {
    this.#taken = [];
    if (!this.running) return;
    for (const [resource, watch] of this.#watches) if (!watch.dead) this.#watchFromNow(resource);
  }

  watchesCut(): void {
    for (const watch of this.#watches.values()) watch.broken = true;
  }

  #watchFromNow(resource: Resource): void {
    const { api, weather } = this.#options;
    const version = api.version;
    this.#watches.set(resource, { version, lastAt: 0, dead: false, broken: weather.is('watches-cut') });
  }

  #hear(resource: Resource, event: WatchEvent): void {
    const watch = this.#watches.get(resource);
    if (!this.running || watch === undefined || watch.dead || watch.broken) return;
    this.#take(watch, event);
  }

  #take(watch: Watch, event: WatchEvent): void {
    if (event.version <= watch.version) return;
    const { scheduler, random, skewMs } = this.#options;
    watch.version = event.version;
    watch.lastAt = Math.max(watch.lastAt, scheduler.now + skewed(random, 2, 400));
    scheduler.at(
      watch.lastAt,
      () => this.#add({ type: event.type, object: event.object, observedAt: Math.floor(scheduler.now + skewMs) }),
      this.#program,
    );
  }

  #add(record: TakenRecord): void {
    if (!this.#options.batches) return this.#enqueue([record]);
    this.#batch.push(record);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#options.scheduler.in(FLUSH_MS, () => {
      this.#isFlushing = false;
      const records = this.#batch;
      this.#batch = [];
      this.#enqueue(records);
    });
  }

  #enqueue(records: readonly TakenRecord[]): void {
    const encoded = encodeLogs(
      records.map(({ type, object, observedAt }) => ({ body: watchBody(type, object), observedAt })),
    );
    this.#push({ bytes: new Uint8Array(encoded), records });
  }

  #push(request: Export): void {
    this.#queue.push(request);
    const sender = this.#idle.shift();
    if (sender !== undefined) this.#options.scheduler.in(whole(this.#options.random, 0, 50), sender, this.#program);
  }

  async #consume(): Promise<void> {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      this.#sending.add(next);
      await this.#deliver(next);
      this.#sending.delete(next);
      this.#remember(next);
    }
  }

  #remember(request: Export): void {
    const { now } = this.#options.scheduler;
    this.#taken.push({ request, at: now });
    const oldest = now - OLDEST_COPY_MS;
    // All at once and seldom: a look through them for each would be a part of the simulation that can be seen.
    if ((this.#taken[1_000]?.at ?? oldest) < oldest)
      this.#taken = this.#taken.slice(this.#taken.findIndex(({ at }) => at >= oldest));
  }

  /** Tries for ever; what was taken and its answer lost is sent again. */
  async #deliver(next: Export): Promise<void> {
    const { scheduler, random, send, onConnected } = this.#options;
    for (let waitMs = 1_000; ; waitMs = Math.min(10_000, waitMs * 1.5)) {
      if (!this.#connected) {
        this.#connected = true;
        onConnected();
      }
      const answer = await send(next);
      if (answer === 'committed' || answer === 'undecodable') return;
      if (answer === 'lost') this.#connected = false;
      await scheduler.pause(waitMs * (0.5 + random()) + (chance(random, 0.1) ? 500 : 0));
    }
  }
}
