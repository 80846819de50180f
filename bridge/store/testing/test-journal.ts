import { eventFacts } from '../../../test/fixtures/facts.ts';
import { keepEvent, updateEvent } from '../../lifecycle/event.ts';
import type { Transition } from '../../lifecycle/transition.ts';
import type { Delivery, JournalEntry } from '../../sinks/sink.ts';
import type { ClaimedJournal } from '../journal.ts';
import { DELIVERED, MINUTE, SECOND, TestStore } from './test-store.ts';

export const TO = 'demo/journal';
export const ABOUT = { kind: 'Job', namespace: 'shop', name: 'report-1', uid: 'run-1' } as const;

export const names = (entries: readonly JournalEntry[]): string[] =>
  entries.map((entry) => ('event' in entry ? `${entry.event.uid}×${entry.event.count}` : entry.transition.id));

/** A real store that a destination follows, and the steps that its tests are written in. */
export class TestJournal extends TestStore {
  constructor() {
    super();
    this.store.cutoff(TO, this.now - 15 * MINUTE);
    this.know(ABOUT.uid, eventFacts().regarding.uid!);
  }

  transition(id: string, changes: Partial<Transition> = {}): Transition {
    return { id, kind: 'run.started', at: this.now, about: ABOUT, runUid: 'run-1', text: id, ...changes };
  }

  /** Commits transitions with these ids, each by itself. */
  commit(...ids: string[]): void {
    for (const id of ids) this.store.transaction((tx) => tx.timeline.add(this.transition(id), this.now));
  }

  /** Commits a version of an Event; its count is the version too. */
  say(uid: string, count = 1): void {
    const facts = eventFacts({ uid, count, resourceVersion: String(100 + count), lastAt: this.now });
    this.store.transaction(({ events }) => {
      const before = events.event(uid);
      if (before === undefined) events.add(keepEvent(facts, this.now));
      else events.update(updateEvent(before, facts, this.now)!);
    });
  }

  /** The next batch of the journal. */
  next(limit = 100, keys: readonly string[] = []): ClaimedJournal | undefined {
    return this.store.claimJournal(TO, limit, this.now, keys);
  }

  settleNext(batch: ClaimedJournal | undefined, delivery: Delivery, delayMs = SECOND): void {
    const { upTo, entries } = batch!;
    const settled = { destination: TO, upTo, entries: entries.length, delivery, delayMs };
    this.store.settleJournal([settled], this.now);
  }

  /** Everything that can be exported, batch by batch; each is settled so. */
  exportAll(delivery: Delivery = DELIVERED, limit = 2): string[] {
    const all: string[] = [];
    for (let batch = this.next(limit); batch !== undefined; batch = this.next(limit)) {
      all.push(...names(batch.entries));
      if (batch.entries.length > 0) this.settleNext(batch, delivery, 0);
    }
    return all;
  }

  receipts(): Partial<Record<string, number>> {
    return Object.fromEntries(this.reader.receiptCounts().map(({ reason, count }) => [reason, count]));
  }
}
