import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventFacts } from '../../../../test/fixtures/facts.ts';
import { keepEvent, updateEvent } from '../../../lifecycle/event.ts';
import type { Transition } from '../../../lifecycle/transition.ts';
import type { Delivery, JournalEntry } from '../../../sinks/sink.ts';
import type { ClaimedJournal } from '../../journal.ts';
import { DELIVERED, FAILED, held, HOUR, LOST, MINUTE, REFUSED, SECOND, TestStore } from '../../testing/test-store.ts';

const TO = 'demo/journal';
const MAX_AGE = 12 * HOUR;

type Op =
  | { readonly op: 'commit'; readonly count: number; readonly undone: 'none' | 'part' | 'all'; readonly bad: boolean }
  | { readonly op: 'say'; readonly event: number; readonly times: number }
  | {
      readonly op: 'export';
      readonly limit: number;
      readonly outcome: 'delivered' | 'failed' | 'lost' | 'held' | 'crash';
    }
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'restart' | 'retain' | 'sweep' };

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('commit' as const),
      count: fc.integer({ min: 1, max: 4 }),
      undone: fc.constantFrom('none' as const, 'none' as const, 'part' as const, 'all' as const),
      bad: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('say' as const),
      event: fc.integer({ min: 0, max: 3 }),
      times: fc.constantFrom(1, 4, 40),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('export' as const),
      limit: fc.integer({ min: 1, max: 5 }),
      outcome: fc.constantFrom('delivered', 'delivered', 'failed', 'lost', 'held', 'crash'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(SECOND, MINUTE, HOUR, 3 * HOUR) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('restart' as const, 'retain' as const, 'sweep' as const) }) },
);

const idOf = (entry: JournalEntry): string => ('event' in entry ? entry.event.uid : entry.transition.id);

/** The store beside what is known to have been committed to it. */
class World {
  readonly t = new TestStore();
  /** Ids of transitions in the order of their commits. */
  readonly committed: string[] = [];
  /** How many entries Events have made. */
  eventEntries = 0;
  readonly delivered: { readonly seq: number; readonly id: string }[] = [];
  readonly #counts = new Map<number, number>();

  constructor() {
    this.t.store.cutoff(TO, this.t.now);
    this.t.store.claimJournal(TO, 1, this.t.now);
  }

  do(op: Op): void {
    const { t } = this;
    if (op.op === 'commit') this.#commit(op);
    else if (op.op === 'say') this.#say(op.event, op.times);
    else if (op.op === 'export') this.#export(op.limit, op.outcome);
    else if (op.op === 'wait') t.now += op.ms;
    else if (op.op === 'restart') t.restart();
    else if (op.op === 'retain') for (let n = 0; n < 3; n++) t.store.retain(t.now, { age: HOUR, maxBytes: 1 });
    else t.store.sweep(t.now, MAX_AGE, MINUTE, [TO]);
  }

  #commit({ count, undone, bad }: Extract<Op, { op: 'commit' }>): void {
    const { t } = this;
    const ids = Array.from(
      { length: count },
      (_, n) => `${bad && n === 0 ? 'bad' : 'good'}-${this.committed.length + n}`,
    );
    const about = { kind: 'Pod', namespace: 'shop', name: 'p', uid: 'p' } as const;
    const make = (id: string): Transition => {
      return { id, kind: 'container.terminated', at: t.now, about, runUid: undefined, text: id };
    };
    undoing(() => {
      t.store.transaction((tx) => {
        const add = (id: string): void => void tx.timeline.add(make(id), t.now);
        const part = (): void => undoing(() => tx.attempt(() => (add(`undone-${t.now}`), undo())));
        if (undone === 'part') part();
        ids.forEach(add);
        if (undone === 'part') part();
        if (undone === 'all') undo();
      });
      this.committed.push(...ids);
    });
  }

  #say(number: number, times: number): void {
    const { t } = this;
    const uid = `event-${number}`;
    const count = (this.#counts.get(number) ?? 0) + times;
    this.#counts.set(number, count);
    const [row] = t.query<{ seq: number }>(`SELECT seq FROM events WHERE uid = '${uid}'`);
    const [{ cursor }] = t.query<{ cursor: number }>('SELECT cursor FROM journals') as [{ cursor: number }];
    const facts = eventFacts({ uid, count, resourceVersion: String(10_000 + count), lastAt: t.now });
    t.store.transaction(({ events }) => {
      const before = events.event(uid);
      if (before === undefined) {
        if (!events.add(keepEvent(facts, t.now))) throw new Error('it is there already');
        this.eventEntries++;
        return;
      }
      const kept = updateEvent(before, facts, t.now)!;
      events.update(kept);
      // What was not exported before is the same entry, with the later count.
      if (kept.step > before.step && row!.seq <= cursor) this.eventEntries++;
    });
  }

  #export(limit: number, outcome: Extract<Op, { op: 'export' }>['outcome']): void {
    const { t } = this;
    const batch = t.store.claimJournal(TO, limit, t.now);
    if (batch === undefined || batch.entries.length === 0) return;
    if (outcome === 'crash') return t.restart();
    const isBad = batch.entries.some((entry) => idOf(entry).startsWith('bad'));
    const failures = { failed: FAILED, lost: LOST, held: held(TO) };
    this.#settle(batch, outcome === 'delivered' ? (isBad ? REFUSED : DELIVERED) : failures[outcome]);
  }

  #settle({ upTo, entries }: ClaimedJournal, delivery: Delivery): void {
    const { t } = this;
    if (delivery === DELIVERED) this.delivered.push(...entries.map((entry) => ({ seq: entry.seq, id: idOf(entry) })));
    const settled = { destination: TO, upTo, entries: entries.length, delivery, delayMs: SECOND };
    t.store.settleJournal([settled], t.now);
  }

  /** The vendor takes everything that is good. */
  drain(): void {
    this.t.now += HOUR;
    for (let left = 10_000; this.t.reader.journals()[0]!.waiting > 0; left--) {
      if (left === 0) throw new Error('it does not end');
      this.#export(3, 'delivered');
    }
  }

  receipts(): Partial<Record<string, number>> {
    return Object.fromEntries(this.t.reader.receiptCounts().map(({ reason, count }) => [reason, count]));
  }
}

const UNDONE = new Error('undone');

function undo(): never {
  throw UNDONE;
}

function undoing(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error !== UNDONE) throw error;
  }
}

it('exports each entry exactly once and in order, or counts it as dropped, whatever fails, restarts or is pruned', () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
      const world = new World();
      try {
        for (const one of ops) world.do(one);
        world.drain();
        const { delivered, committed } = world;
        const numbers = delivered.map(({ seq }) => seq);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
        const ids = delivered.map(({ id }) => id).filter((id) => !id.startsWith('event'));
        const receipts = world.receipts();
        const {
          delivered: once = 0,
          delivered_again: again = 0,
          bad_request: bad = 0,
          expired = 0,
          ...others
        } = receipts;
        expect(others).toEqual({});
        expect(once + again).toBe(delivered.length);
        expect(once + again + bad + expired).toBe(committed.length + world.eventEntries);
        const good = committed.filter((id) => id.startsWith('good'));
        expect(ids).toEqual(expired === 0 ? good : good.filter((id) => ids.includes(id)));
        expect(expired > 0 || bad === committed.length - good.length).toBe(true);
      } finally {
        world.t.remove();
      }
    }),
    { numRuns: 60 },
  );
}, 300_000);
