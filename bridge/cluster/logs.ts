import type { Async } from '../lib/async.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { Settlements } from '../lib/settlements.ts';
import { Wake } from '../lib/wake.ts';
import type { LogLimits, LogResult, LogStore, WantedLog } from '../store/logs.ts';
import type { KubeApi } from './api.ts';
import type { LogAnswer, TailLimits } from './read-log.ts';
import { readLog } from './read-log.ts';

export interface LogReaderOptions {
  readonly api: KubeApi;
  readonly store: Async<LogStore>;
  readonly clock: Clock;
  readonly limits: TailLimits & LogLimits;
  /** Asked before each round until it says true: whether this is the cluster of the store. */
  readonly isOurs: (signal: AbortSignal) => Promise<boolean>;
  readonly onRead: (log: WantedLog, answer: LogAnswer) => void;
  readonly onError: (error: unknown) => void;
}

export interface LogReader {
  /** Containers have ended. */
  wake(): void;
  /** Since when, and in which namespaces, logs may not be read. */
  forbidden(): ReadonlyMap<string, Instant>;
  stop(): Promise<void>;
}

/** Most logs that are read at once. */
const MAX_READING = 8;
const TICK_MS = 1_000;
/** When nothing is wanted: it is woken. */
const IDLE_MS = 60_000;
/** Of one log. */
const DEADLINE_MS = 20_000;
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
/** A log that could not be read for this time is given up: its run's other logs wait for it. */
const GIVE_UP_MS = 10 * 60_000;

/** Reads the logs that are wanted as soon as their containers have ended. What a stop interrupts is read after it. */
export function startLogReader(options: LogReaderOptions): LogReader {
  const reader = new Reader(options);
  const running = reader.run();
  return {
    wake: () => reader.wake(),
    forbidden: () => reader.forbidden,
    async stop() {
      reader.abort();
      await running;
    },
  };
}

class Reader {
  readonly forbidden = new Map<string, Instant>();
  readonly #options: LogReaderOptions;
  readonly #stopping = new AbortController();
  readonly #wake = new Wake();
  readonly #settlements: Settlements<LogResult>;
  readonly #reading = new Map<number, Promise<void>>();
  #isOurs = false;
  /** More may be wanted than are read at once. */
  #more = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
    const { store, limits, clock, onError } = options;
    this.#settlements = new Settlements((results) => store.settleLogs(results, limits, clock.now()), onError, TICK_MS);
  }

  wake(): void {
    this.#wake.wake();
  }

  abort(): void {
    this.#stopping.abort();
    this.#settlements.stop();
    this.#wake.wake();
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      let isDone = false;
      try {
        isDone = await this.#round();
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#options.onError(error);
      }
      if (!this.#stopping.signal.aborted) await this.#wake.wait(isDone ? IDLE_MS : TICK_MS);
    }
    await Promise.all(this.#reading.values());
  }

  /** False when it is to be tried again, not only when something is wanted. */
  async #round(): Promise<boolean> {
    const { store, clock, isOurs } = this.#options;
    this.#isOurs ||= await isOurs(this.#stopping.signal);
    const room = MAX_READING - this.#reading.size;
    this.#more = room === 0;
    if (!this.#isOurs || room === 0) return this.#isOurs;
    const wanted = await store.wantedLogs(room, clock.now(), [...this.#reading.keys()]);
    this.#more ||= wanted.length === room;
    for (const log of wanted) {
      const read = this.#read(log).finally(() => {
        this.#reading.delete(log.id);
        if (this.#more) this.#wake.wake();
      });
      this.#reading.set(log.id, read);
    }
    return true;
  }

  async #read(log: WantedLog): Promise<void> {
    const { api, limits, clock, onRead } = this.#options;
    const answer = await withDeadline(this.#stopping.signal, (signal) => readLog(api, log, limits, signal));
    if (this.#stopping.signal.aborted) return;
    if (answer.outcome === 'log_forbidden') {
      if (!this.forbidden.has(log.namespace)) this.forbidden.set(log.namespace, clock.now());
    } else if (answer.outcome !== 'failed') this.forbidden.delete(log.namespace);
    await this.#settlements.add([resultOf(log, answer, clock.now())]);
    onRead(log, answer);
  }
}

function resultOf({ id, attempts, wantedAt }: WantedLog, answer: LogAnswer, now: Instant): LogResult {
  if (answer.outcome !== 'failed') return { id, ...answer };
  const { detail } = answer;
  if (now - wantedAt >= GIVE_UP_MS) return { id, outcome: 'log_unavailable', detail };
  return { id, outcome: 'retry', delayMs: backoffDelay(attempts + 1, RETRY, Math.random()), detail };
}

/** Not AbortSignal.any: what listens to it is kept as long as the stop's signal lives, which is as long as we do. */
async function withDeadline<T>(stop: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const cancel = (): void => abort.abort();
  const timer = setTimeout(cancel, DEADLINE_MS);
  stop.addEventListener('abort', cancel);
  try {
    return await work(abort.signal);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', cancel);
  }
}
