import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DELIVERED, FAILED, held, HOUR, MINUTE, SECOND, TestStore } from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const limited = (key: string) => ({ key, lane: key, limits: [{ key: 'm', perSecond: 5 }] });

function setClock(ms: number): void {
  t.now += ms;
  t.store.clockSet(ms);
}

describe.each([
  ['back by two hours', -2 * HOUR],
  ['forward by two days', 48 * HOUR],
])('a clock that is set %s', (_, ms) => {
  it('leaves what waits for its next try as long as it was to wait', () => {
    t.enqueue({ key: 'new' }, { key: 'failed' });
    t.settle(t.claim().slice(1), FAILED, MINUTE);
    t.restart();
    setClock(ms);
    expect(t.claimedKeys()).toEqual(['new']);
    t.now += MINUTE - 1;
    expect(t.claimedKeys()).toEqual([]);
    t.now += 1;
    expect(t.claimedKeys()).toEqual(['failed']);
  });

  it('leaves holds and monitors as long as they were to wait', () => {
    t.enqueue(limited('a'), limited('b'));
    t.settle(t.claim().slice(0, 1), held('m', MINUTE));
    t.want('monitor', 1);
    t.settleRows(t.claimRows(), FAILED, MINUTE);
    t.restart();
    setClock(ms);
    expect([t.claimedKeys(), t.claimRows()]).toEqual([[], []]);
    t.now += MINUTE;
    expect(t.claimedKeys()).toEqual(['b', 'a']);
    expect(t.claimRows()).toHaveLength(1);
  });

  it('makes nothing older', () => {
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    t.settle(t.claim(), FAILED, 0);
    t.now += MINUTE;
    setClock(ms);
    t.store.sweep(t.now, HOUR, 2 * MINUTE);
    expect(t.delivery('a').status).toBe('pending');
    t.now += MINUTE;
    t.store.sweep(t.now, HOUR, 2 * MINUTE);
    expect(t.delivery('a')).toMatchObject({ status: 'dropped', reason: 'superseded' });
  });

  it('moves the timers of ours, not those of objects', () => {
    const due = t.now + MINUTE;
    t.store.transaction((tx) => {
      for (const kind of ['gone', 'replacement', 'namespace', 'stuck', 'schedule'] as const)
        tx.timers.set({ id: `${kind}/u`, kind, uid: 'u', due });
    });
    setClock(ms);
    const dueOf = (kind: 'gone' | 'replacement' | 'namespace' | 'stuck' | 'schedule') =>
      t.store.transaction((tx) => tx.timers.below(kind)).map((timer) => timer.due);
    expect([...dueOf('gone'), ...dueOf('replacement'), ...dueOf('namespace')]).toEqual([due + ms, due + ms, due + ms]);
    expect([...dueOf('stuck'), ...dueOf('schedule')]).toEqual([due, due]);
  });
});

it('a clock that is set back while no bridge runs delays nothing', () => {
  t.enqueue({ key: 'a', limits: [{ key: 'm', perSecond: 5 }] });
  t.settle(t.claim(), held('m', 10 * SECOND));
  t.want('monitor', 1);
  t.store.sweep(t.now, HOUR, 2 * MINUTE);
  t.restart(-2 * HOUR);
  t.now += 10 * SECOND;
  expect(t.claimedKeys()).toEqual(['a']);
  t.settle(t.claim(), DELIVERED);
  expect(t.claimRows()).toHaveLength(1);
});

it('a clock that was ahead leaves no commit time in the future', () => {
  const noted = (): number => Number(readFileSync(`${t.path}.last-commit`));
  const limits = { age: HOUR, maxBytes: 1 << 30 };
  t.store.ingested(t.now);
  t.store.retain(t.now, limits);
  setClock(-2 * HOUR);
  t.restart();
  expect(noted()).toBe(t.now);
});
