import type { Async } from '../lib/async.ts';
import type { Clock } from '../lib/clock.ts';
import type { ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';
import type { OutboxStore } from '../store/outbox-store.ts';
import type { Work } from '../store/work.ts';
import { DestinationLoop } from './destination.ts';
import { Wake } from '../lib/wake.ts';

const SUPERSEDE_MS = 2 * 60_000;
/** Between two sweeps at least. */
const SWEEP_MS = 9_000;
/** A failed write, and a refused key that may be replaced. */
const RETRY_MS = 1_000;
/** Who starts it wakes it when something is due. */
const IDLE_MS = 60_000;

export interface DispatcherOptions {
  readonly store: Async<OutboxStore>;
  readonly deliverers: readonly ConfiguredDeliverer[];
  readonly clock: Clock;
  /** Age at which an intent that cannot be delivered is given up. */
  readonly maxAgeMs: number;
  /** In [0, 1), for the jitter of retries. */
  readonly random?: () => number;
  readonly onSettled?: (destination: string, delivery: Delivery, what: 'intent' | 'desired' | 'journal') => void;
  readonly onError?: (error: unknown) => void;
  /** How often a loop looks without being woken. */
  readonly tickMs?: number;
}

export interface Dispatcher {
  /** Anything may be due: to send, or to give up. */
  wake(): void;
  /** Wakes those alone who have something to send of it. */
  found(work: Work): void;
  /** The clock was set by `ms`, and the store's times were moved too. */
  clockSet(ms: number): void;
  /** Claims nothing more; what is in flight has `graceMs` to end, then it is interrupted and due at the next start. */
  stop(graceMs: number): Promise<void>;
}

/** Starts one loop per destination, so that a vendor that is away starves no other, and one that sweeps the outbox. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { onSettled = () => {}, onError = () => {}, random = Math.random, tickMs = IDLE_MS } = options;
  const shared = {
    store: options.store,
    clock: options.clock,
    random,
    tickMs,
    retryMs: Math.min(tickMs, RETRY_MS),
    onSettled,
    onError,
  };
  const loops = options.deliverers.map((deliverer) => new DestinationLoop(deliverer, shared));
  const found = (work: Work): void => {
    loops.forEach((loop) => loop.found(work));
    if (work.sweep) sweeper.wake();
  };
  const sweeper = startSweeper({ ...options, onError, tickMs }, found);
  return {
    wake: () => (loops.forEach((loop) => loop.wake()), sweeper.wake()),
    found,
    clockSet: (ms) => (loops.forEach((loop) => loop.clockSet(ms)), sweeper.wake()),
    async stop(graceMs) {
      await Promise.all([sweeper.stop(), ...loops.map((loop) => loop.stop(graceMs))]);
    },
  };
}

function startSweeper(
  {
    store,
    deliverers,
    clock,
    maxAgeMs,
    onError,
    tickMs,
  }: DispatcherOptions & { onError: (error: unknown) => void; tickMs: number },
  found: (work: Work) => void,
): { wake(): void; stop(): Promise<void> } {
  const followers = deliverers.filter(({ journal }) => journal !== undefined).map(({ destination }) => destination);
  const sleep = new Wake();
  const stopped = new AbortController();
  const run = async () => {
    let last = -Infinity;
    while (!stopped.signal.aborted) {
      const now = clock.now();
      // Also after a clock that was set back.
      if (Math.abs(now - last) >= SWEEP_MS) {
        last = now;
        const work = await store.sweep(now, maxAgeMs, SUPERSEDE_MS, followers).catch(onError);
        if (work) found(work);
        if (!stopped.signal.aborted) await sleep.wait(tickMs);
      } else await sleep.wait(Math.min(tickMs, SWEEP_MS - Math.abs(now - last)));
    }
  };
  const done = run();
  return {
    wake: () => sleep.wake(),
    stop() {
      stopped.abort();
      sleep.wake();
      return done;
    },
  };
}
