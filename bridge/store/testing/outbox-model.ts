import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { ClaimedIntent, Delivery } from '../../sinks/sink.ts';
import type { Work } from '../work.ts';
import { DELIVERED, DESTINATION, FAILED, HOUR, LOST, MINUTE, REFUSED, TestStore, held } from './test-store.ts';

const LANES = ['a', 'b'];
const OUTCOMES: readonly Delivery[] = [
  DELIVERED,
  FAILED,
  LOST,
  REFUSED,
  held('demo/default', MINUTE),
  held('a', MINUTE),
  { outcome: 'retry', reason: 'shutting_down' },
];

export type Step =
  | { readonly do: 'enqueue'; readonly lane: string }
  | { readonly do: 'claim' | 'crash' | 'sweep' | 'sleep' }
  | { readonly do: 'settle'; readonly which: number; readonly outcome: Delivery }
  | { readonly do: 'resend'; readonly which: number; readonly force: boolean }
  | { readonly do: 'wait'; readonly ms: number };

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('enqueue' as const), lane: fc.constantFrom(...LANES) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('claim' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'sweep' as const, 'sleep' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(5),
      outcome: fc.constantFrom(...OUTCOMES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('resend' as const), which: fc.nat(11), force: fc.boolean() }),
  },
  // Also backwards: a clock may be set.
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: -MINUTE, max: HOUR }) }),
  },
);

/** What must hold, judged by what goes in and out; it knows nothing of tables. */
export class OutboxModel {
  readonly t = new TestStore();
  readonly #lanes = new Map<string, string[]>(LANES.map((lane) => [lane, []]));
  readonly #settled = new Map<string, string>();
  readonly #delivered = new Set<string>();
  /** Every key in the order of its making. */
  readonly #keys: string[] = [];
  #inFlight: ClaimedIntent[] = [];
  #count = 0;
  /** Whoever sends has a reason to ask: at first, and when work was left; what is due but kept back is asked for again
   * when something that is in flight ends. */
  #isAsked = true;
  #isKeptBack = false;

  apply(step: Step): void {
    if (step.do === 'enqueue') this.#enqueue(step.lane);
    else if (step.do === 'claim') this.#claim();
    else if (step.do === 'settle') this.#settle(step.which, step.outcome);
    else if (step.do === 'wait') this.#wait(step.ms);
    else if (step.do === 'sweep') this.#sweep();
    else if (step.do === 'sleep') this.#sleep();
    else if (step.do === 'resend') this.#resend(step.which, step.force);
    else {
      this.t.restart();
      this.#inFlight = [];
      this.#isAsked = true;
    }
  }

  /** Delivers all that is left and compares every row with what was put in. */
  finish(): void {
    for (let n = 0; n <= this.#count; n++) {
      this.#wait(2 * HOUR);
      this.#claim();
      while (this.#inFlight.length > 0) this.#settle(0, DELIVERED);
    }
    const rows = this.t.reader.deliveries({ limit: 1000 }).items;
    assert.equal(rows.length, this.#count);
    for (const row of rows) {
      const key = row.transitionId.replace('transition of ', '');
      assert.deepEqual([key, row.reason], [key, this.#settled.get(key)]);
      assert.equal(row.status, this.#delivered.has(key) ? 'delivered' : 'dropped');
    }
  }

  #enqueue(lane: string): void {
    const key = `${lane}${this.#count++}`;
    this.#lanes.get(lane)!.push(key);
    this.#keys.push(key);
    this.t.enqueue({ key, lane, limits: [{ key: lane, perSecond: 1 }] });
    this.t.enqueue({ key, lane });
    this.#left(this.t.store.takeWork());
  }

  #wait(ms: number): void {
    this.t.now += ms;
    this.t.store.nextAt(this.t.now, []);
    this.#left(this.t.store.takeWork());
  }

  #left(work: Work | undefined): void {
    this.#isAsked ||= work?.intents.has(DESTINATION) === true;
  }

  #claim(): void {
    const claims = this.t.claim();
    assert(this.#isAsked || claims.length === 0);
    this.#isAsked = false;
    this.#isKeptBack = this.t.store.isDue(DESTINATION, this.t.now);
    for (const claimed of claims) {
      const next = this.#lanes.get(claimed.lane)!.find((key) => !this.#settled.has(key));
      // In order, nothing that was settled, and nothing beside another of its lane that is in flight.
      assert.equal(claimed.key, next);
      assert(!this.#inFlight.some(({ lane }) => lane === claimed.lane));
      this.#inFlight.push(claimed);
    }
  }

  #settle(which: number, outcome: Delivery): void {
    const [claimed] = this.#inFlight.splice(which % Math.max(1, this.#inFlight.length), 1);
    if (claimed === undefined) return;
    this.#left(this.t.settle([claimed], outcome));
    this.#isAsked ||= this.#isKeptBack;
    if (outcome.outcome === 'retry') return;
    assert(!this.#settled.has(claimed.key));
    if (outcome.outcome === 'delivered') this.#delivered.add(claimed.key);
    this.#settled.set(claimed.key, this.t.delivery(claimed.key).reason ?? 'none');
  }

  /** What is settled becomes pending again, in its old place. */
  #resend(which: number, force: boolean): void {
    // Mostly what is settled: the rest is on its way anyway.
    const keys = which === 0 ? this.#keys : [...this.#settled.keys()];
    const key = keys[which % Math.max(1, keys.length)];
    if (key === undefined) return;
    const request = { subject: `transition of ${key}`, force, destination: DESTINATION };
    const [resent] = this.t.store.resend(request, 'ada', this.t.now);
    const isSettled = this.#settled.has(key);
    const again = isSettled && (force || !this.#delivered.has(key));
    assert.equal(resent!.result, again ? 'resent' : isSettled ? 'delivered' : 'pending');
    if (!again) return;
    this.#isAsked = true;
    this.#settled.delete(key);
    this.#delivered.delete(key);
  }

  /** What a sweep gives up has that reason, and is not what was being sent. */
  #sweep(): void {
    this.#left(this.t.store.sweep(this.t.now, 3 * HOUR, 2 * MINUTE));
    for (const { transitionId, reason } of this.t.reader.deliveries({ limit: 1000, status: 'dropped' }).items) {
      const key = transitionId.replace('transition of ', '');
      if (this.#settled.has(key)) continue;
      assert(reason === 'expired' || reason === 'superseded');
      assert(!this.#isInFlight(key));
      this.#settled.set(key, reason);
    }
  }

  /** Whoever has claimed all that is due may sleep for as long as the store says, and on while it says that nothing is due. */
  #sleep(): void {
    const { t } = this;
    this.#claim();
    for (let n = 0; n < 5; n++) t.store.retain(t.now, { age: 24 * HOUR, maxBytes: 1 << 30 });
    const wakeAt = Math.min(t.store.nextAt(t.now, []), t.now + HOUR);
    if (wakeAt > t.now) t.now = wakeAt - 1;
    assert.deepEqual(t.claimedKeys(), []);
    this.#wait(1);
    if (!this.#isAsked) assert.deepEqual(t.claimedKeys(), []);
  }

  #isInFlight(key: string): boolean {
    return this.#inFlight.some((claimed) => claimed.key === key);
  }
}
