import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import zlib from 'node:zlib';
import type { Random } from './random.ts';
import { uuid } from './random.ts';
import type { Planned } from './scheduler.ts';
import { Scheduler } from './scheduler.ts';

/** What the process itself measures by, after everything else goes by the virtual clock. */
export const real = { now: performance.now.bind(performance), cpu: process.cpuUsage.bind(process) };

/** The clock, the timers and the chance of the bridge. */
export interface Virtual {
  readonly scheduler: Scheduler;
  /** What the computer's clock shows. */
  readonly wall: () => number;
  readonly random: Random;
}

/** While the code is loaded: no time passes. */
const BEFORE: Virtual = { scheduler: new Scheduler(0), wall: () => 0, random: () => 0 };
let virtual = BEFORE;

/** From now on all code of this process lives in this world. */
export function enter(world: Virtual): void {
  virtual = world;
}

const RealDate = Date;

class VirtualDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(virtual.wall());
    else super(...(given as [number]));
  }

  static override now(): number {
    return virtual.wall();
  }
}

/** A timer as Node has it. */
class Timer {
  #planned: Planned | undefined;

  constructor(run: () => void, ms: number, again: boolean) {
    const { scheduler } = virtual;
    const by = scheduler.current;
    const plan = (): void => {
      this.#planned = scheduler.in(
        Math.max(1, ms || 0),
        () => {
          if (again) plan();
          run();
        },
        by,
      );
    };
    plan();
  }

  cancel(): void {
    if (this.#planned !== undefined) this.#planned.run = undefined;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

type Run = (...args: unknown[]) => void;

function cancel(timer: unknown): void {
  if (timer instanceof Timer) timer.cancel();
}

function lateSignal(ms: number): AbortSignal {
  const abort = new AbortController();
  virtual.scheduler.in(ms, () => abort.abort(new DOMException('timed out', 'TimeoutError')));
  return abort.signal;
}

/**
 * Replaces clock, timers and chance of the whole process, before any code of the bridge is loaded: what that would do with
 * the real ones is then impossible, whoever wrote it and wherever it moves. Compression ends at once, in this thread.
 */
export function install(): void {
  const set = (target: object, values: object): void => {
    for (const [name, value] of Object.entries(values))
      Object.defineProperty(target, name, { value, configurable: true, writable: true });
  };
  const timer = (run: Run, ms: number, ...args: unknown[]): Timer => new Timer(() => run(...args), ms, false);
  const soon = (run: Run, ...args: unknown[]): Planned => virtual.scheduler.in(0, () => run(...args));
  set(globalThis, {
    Date: VirtualDate,
    setTimeout: timer,
    setInterval: (run: Run, ms: number, ...args: unknown[]) => new Timer(() => run(...args), ms, true),
    setImmediate: soon,
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: (planned?: Planned) => planned !== undefined && (planned.run = undefined),
  });
  set(performance, { now: () => virtual.scheduler.now });
  set(Math, { random: () => virtual.random() });
  set(crypto, { randomUUID: () => uuid(virtual.random) });
  set(AbortSignal, { timeout: lateSignal });
  set(timersPromises, { setTimeout: (ms: number) => virtual.scheduler.pause(ms) });
  type Done = (error: Error | null, result?: Buffer) => void;
  set(zlib, { gzip: (input: Buffer, done: Done) => done(null, zlib.gzipSync(input)) });
  syncBuiltinESMExports();
}
