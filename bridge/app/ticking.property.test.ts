import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Ticked } from '../ingest/thread/protocol.ts';
import { startTicking } from './ticking.ts';

const SECOND = 1_000;
const START = Date.UTC(2026, 0, 1);
/** A write is followed by a tick within a second, and so is a tick that came too early or failed. */
const LATE_MS = SECOND;
/** Hand over and answer: both threads take their time. */
const MOST_HOP_MS = 3 * SECOND;
const STEPS_LAST_MS = 120 * SECOND;

type Step =
  | { readonly do: 'plan' | 'move'; readonly inMs: number }
  | { readonly do: 'set clock'; readonly byMs: number }
  | { readonly do: 'fail'; readonly forMs: number }
  | { readonly do: 'wait'; readonly ms: number };

const hopMs = fc.integer({ min: 0, max: MOST_HOP_MS });
/** Mostly soon, sometimes in the past or after more than a timer of Node can wait. */
const inMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 90 * SECOND }) },
  { weight: 1, arbitrary: fc.constantFrom(-3_600 * SECOND, 2 ** 31, 40 * 86_400 * SECOND) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('plan' as const, 'move' as const), inMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('set clock' as const),
      byMs: fc.integer({ min: -7_200 * SECOND, max: 7_200 * SECOND }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), forMs: fc.nat(10 * SECOND) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40 * SECOND) }) },
);

interface Deadline {
  due: number;
  /** By what has elapsed: the earliest moment at which looking all the time would fire it. */
  couldFire: number;
}

/** A store of deadlines in a thread of its own, as the worker is one: what it gets and answers takes a while. */
class Deadlines {
  readonly late: number[] = [];
  fired = 0;
  #deadlines: Deadline[] = [];
  #setBy = 0;
  #failsUntil = 0;
  readonly #hop: () => number;
  changed: () => void = () => undefined;

  constructor(hop: () => number) {
    this.#hop = hop;
  }

  readonly clock = { now: (): number => Math.round(START + this.#setBy + performance.now()) };

  readonly calls = {
    tick: async (now: number): Promise<Ticked> => {
      await after(this.#hop());
      if (performance.now() < this.#failsUntil) throw new Error('disk full');
      for (const { couldFire } of this.#deadlines.filter(({ due }) => due <= now))
        this.late.push(performance.now() - Math.max(couldFire, this.#failsUntil));
      this.fired += this.#deadlines.filter(({ due }) => due <= now).length;
      this.#deadlines = this.#deadlines.filter(({ due }) => due > now);
      const nextAt = Math.min(Infinity, ...this.#deadlines.map(({ due }) => due));
      await after(this.#hop());
      return { nextAt } as Ticked;
    },
    probe: () => Promise.resolve(),
  };

  /** A transaction of another part; its answer comes later. */
  async write(inMs: number, replace: boolean): Promise<void> {
    await after(this.#hop());
    if (replace) this.#deadlines.pop();
    const now = this.clock.now();
    this.#deadlines.push({ due: now + inMs, couldFire: performance.now() + Math.max(0, inMs) });
    await after(this.#hop());
    this.changed();
  }

  setClock(byMs: number): void {
    this.#setBy += byMs;
    for (const deadline of this.#deadlines) deadline.due += byMs;
    this.changed();
  }

  fail(forMs: number): void {
    this.#failsUntil = Math.max(this.#failsUntil, performance.now() + forMs);
  }
}

const after = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

async function run(steps: readonly Step[], hops: readonly number[]): Promise<Deadlines> {
  let hop = 0;
  const deadlines = new Deadlines(() => hops[hop++ % hops.length]!);
  const reporter = { storeFails: false, storeFailed: () => undefined, storeWorks: () => undefined };
  const ticking = startTicking(deadlines.calls, deadlines.clock, reporter, () => undefined);
  deadlines.changed = () => ticking.changed();
  for (const step of steps) {
    if (step.do === 'wait') await vi.advanceTimersByTimeAsync(step.ms);
    else if (step.do === 'set clock') deadlines.setClock(step.byMs);
    else if (step.do === 'fail') deadlines.fail(step.forMs);
    else void deadlines.write(step.inMs, step.do === 'move');
  }
  await vi.advanceTimersByTimeAsync(STEPS_LAST_MS);
  ticking.stop();
  return deadlines;
}

it('whatever is planned, moved, delayed or fails, and however the clock is set: nothing that is due is slept through', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 30 }),
    fc.array(hopMs, { minLength: 1, maxLength: 20 }),
    async (steps, hops) => {
      const { late } = await run(steps, hops);
      // A tick may be under way, then the next comes after a second and takes its time, too.
      expect(Math.max(0, ...late)).toBeLessThanOrEqual(2 * LATE_MS + 4 * MOST_HOP_MS);
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

it('and with an idle bridge it fires within a second and what two messages take', async () => {
  const { late, fired } = await run(
    [
      { do: 'wait', ms: 40_000 },
      { do: 'plan', inMs: 25_000 },
      { do: 'wait', ms: 30_000 },
    ],
    [5],
  );
  expect(fired).toBe(1);
  expect(late[0]).toBeLessThanOrEqual(LATE_MS + 10);
});
