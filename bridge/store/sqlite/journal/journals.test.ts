import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventFacts } from '../../../../test/fixtures/facts.ts';
import { keepEvent } from '../../../lifecycle/event.ts';
import { names, TestJournal, TO } from '../../testing/test-journal.ts';
import { DELIVERED, FAILED, held, HOUR, LOST, MINUTE, REFUSED, SECOND } from '../../testing/test-store.ts';

let t: TestJournal;
beforeEach(() => {
  t = new TestJournal();
});
afterEach(() => t.remove());

describe('a destination that follows the journal', () => {
  it('gets transitions and Events in the order of their commits, each once', () => {
    t.commit('a', 'b');
    t.say('e1');
    t.commit('c', 'a');
    t.say('e2');
    expect(t.exportAll()).toEqual(['a', 'b', 'e1×1', 'c', 'e2×1']);
    expect(t.next()).toBeUndefined();
    t.commit('d');
    expect(t.exportAll()).toEqual(['d']);
    expect(t.receipts()).toEqual({ delivered: 6 });
  });

  it('gets the run with a transition, as it is when it is exported', () => {
    t.commit('a');
    expect(t.next()?.entries).toMatchObject([{ transition: { id: 'a' }, run: undefined }]);
  });

  it('gets an Event again when its count reaches a step, and with the later count what was not exported before', () => {
    t.say('e1');
    expect(t.exportAll()).toEqual(['e1×1']);
    t.say('e1', 9);
    expect(t.exportAll()).toEqual([]);
    t.say('e1', 10);
    t.commit('a');
    t.say('e1', 120);
    expect(t.exportAll()).toEqual(['a', 'e1×120']);
  });

  it('gets a Warning as the Event that it is, and not as a transition too', () => {
    t.store.transaction((tx) => tx.timeline.add(t.transition('w', { kind: 'event.warned' }), t.now));
    t.commit('a');
    expect(t.exportAll()).toEqual(['a']);
  });

  it('gets nothing of a commit that failed, and misses nothing by it', () => {
    const fail = () =>
      t.store.transaction((tx) => {
        tx.timeline.add(t.transition('x'), t.now);
        throw new Error('rolled back');
      });
    t.commit('a');
    expect(t.exportAll()).toEqual(['a']);
    expect(fail).toThrow('rolled back');
    t.store.transaction((tx) => {
      tx.timeline.add(t.transition('b'), t.now);
      const part = () => {
        tx.timeline.add(t.transition('y'), t.now);
        throw new Error('rolled back');
      };
      expect(() => tx.attempt(part)).toThrow('rolled back');
      tx.timeline.add(t.transition('c'), t.now);
    });
    expect(t.exportAll()).toEqual(['b', 'c']);
  });

  it('misses nothing that is committed together, an Event that moves to the end among it', () => {
    t.say('e1');
    t.store.transaction(({ events, timeline }) => {
      events.update({ ...events.event('e1')!, version: '200', count: 10, step: 10 });
      timeline.add(t.transition('a'), t.now);
      events.add(keepEvent(eventFacts({ uid: 'e2' }), t.now));
      timeline.add(t.transition('b'), t.now);
    });
    expect(t.exportAll()).toEqual(['e1×10', 'a', 'e2×1', 'b']);
  });

  it('misses nothing that comes after all that it had was pruned', () => {
    t.say('e1');
    t.say('e2');
    expect(t.exportAll()).toEqual(['e1×1', 'e2×1']);
    t.now += 3 * HOUR;
    t.store.retain(t.now, { age: HOUR, maxBytes: 10 ** 9 });
    expect(t.query('SELECT uid FROM events')).toEqual([]);
    t.restart();
    t.commit('a');
    expect(t.exportAll()).toEqual(['a']);
  });

  it('is one among several, each with a cursor of its own', () => {
    t.commit('a');
    expect(t.exportAll()).toEqual(['a']);
    const other = t.store.claimJournal('demo/other', 10, t.now);
    expect(names(other!.entries)).toEqual(['a']);
  });

  it('begins at its cut-off: behind what was recorded before, and without what happened before', () => {
    t.commit('old');
    t.now += HOUR;
    t.store.cutoff('demo/new', t.now - MINUTE);
    t.store.transaction((tx) => tx.timeline.add(t.transition('late', { at: t.now - HOUR }), t.now));
    t.commit('a');
    const first = t.store.claimJournal('demo/new', 10, t.now);
    expect(first?.entries).toEqual([]);
    expect(names(t.store.claimJournal('demo/new', 10, t.now)!.entries)).toEqual(['a']);
    expect(t.reader.drops({ limit: 10 }).items).toMatchObject([
      { kind: 'journal', destination: 'demo/new', reason: 'before_cutoff' },
    ]);
  });
});

describe('a batch', () => {
  it('is not given out again while it is sent, and again with the same entries after it failed', () => {
    t.commit('a', 'b');
    const batch = t.next(2);
    t.commit('c');
    expect(t.next()).toBeUndefined();
    t.settleNext(batch, FAILED);
    expect(t.next()).toBeUndefined();
    t.now += SECOND;
    const again = t.next(100);
    expect([names(again!.entries), again?.attempt]).toEqual([['a', 'b'], 2]);
    t.settleNext(again, DELIVERED);
    expect(names(t.next()?.entries ?? [])).toEqual(['c']);
  });

  it('that a crash left in flight is sent again under its numbers, and its receipt says so', () => {
    t.commit('a', 'b');
    const before = t.next();
    t.restart();
    const after = t.next();
    expect(after?.entries.map(({ seq }) => seq)).toEqual(before?.entries.map(({ seq }) => seq));
    t.settleNext(after, DELIVERED);
    expect(t.receipts()).toEqual({ delivered_again: 2 });
  });

  it('whose answer was lost is sent again, and its receipt says so', () => {
    t.commit('a');
    t.settleNext(t.next(), LOST);
    t.now += MINUTE;
    t.settleNext(t.next(), DELIVERED);
    t.commit('b');
    t.settleNext(t.next(), DELIVERED);
    expect(t.receipts()).toEqual({ delivered_again: 1, delivered: 1 });
  });

  it('waits behind a hold of its destination or its limit, which costs no try', () => {
    t.commit('a');
    t.settleNext(t.next(), held(TO), 10 * SECOND);
    t.now += 9 * SECOND;
    expect(t.next()).toBeUndefined();
    t.now += SECOND;
    const again = t.next(10, ['address']);
    expect(again?.attempt).toBe(1);
    t.settleNext(again, held('address'), 10 * SECOND);
    t.now += 9 * SECOND;
    expect(t.next(10, ['address'])).toBeUndefined();
  });

  it('that is refused for good is tried in halves, so that one bad entry is dropped and the others are not', () => {
    t.commit('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    const sent: string[] = [];
    for (let batch = t.next(8); batch !== undefined; batch = t.next(8)) {
      const isBad = names(batch.entries).includes('f');
      if (!isBad) sent.push(...names(batch.entries));
      t.settleNext(batch, isBad ? REFUSED : DELIVERED);
    }
    expect(sent.join('')).toBe('abcdegh');
    expect(t.receipts()).toEqual({ delivered: 7, bad_request: 1 });
    expect(t.reader.drops({ limit: 10 }).items).toMatchObject([
      { kind: 'journal', destination: TO, reason: 'bad_request', detail: 'no such schedule' },
    ]);
  });

  it('of which a part is refused is not sent again: what was taken would be there twice', () => {
    t.commit('a', 'b', 'c', 'd');
    t.settleNext(t.next(), { ...REFUSED, refused: 3 });
    t.commit('e', 'f');
    t.settleNext(t.next(), { ...REFUSED, refused: 7 });
    expect(t.next()).toBeUndefined();
    expect(t.receipts()).toEqual({ delivered: 1, bad_request: 5 });
    expect(t.reader.drops({ limit: 10 }).items).toMatchObject([{ reason: 'bad_request', detail: 'no such schedule' }]);
  });

  it('in a dry run is dropped as a whole', () => {
    t.commit('a', 'b', 'c');
    t.settleNext(t.next(), { outcome: 'drop', reason: 'dry_run' });
    expect(t.next()).toBeUndefined();
    expect(t.receipts()).toEqual({ dry_run: 3 });
  });

  it('that was settled already, or belongs to a destination that let go, changes nothing', () => {
    t.commit('a', 'b');
    const batch = t.next(1);
    t.settleNext(batch, DELIVERED);
    t.settleNext(batch, DELIVERED);
    expect(t.receipts()).toEqual({ delivered: 1 });
    expect(names(t.next()?.entries ?? [])).toEqual(['b']);
  });
});
