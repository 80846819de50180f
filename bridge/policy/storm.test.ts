import { describe, expect, it } from 'vitest';
import type { StormItem, StormWindow } from './storm.ts';
import { countReport } from './storm.ts';

const BUDGET = { most: 5, mostOfOne: 3, windowMs: 60_000 };

/** Counts reports one after the other; each passes or not. */
function play(items: readonly (Partial<StormItem> & { readonly now?: number })[], window?: StormWindow) {
  let kept = window;
  const passed = items.map(({ now = 0, group = 'a', what = group, at = now }) => {
    const { passes, window: next } = countReport(kept, { group, what, at }, BUDGET, now);
    kept = next;
    return passes;
  });
  return { passed, window: kept! };
}

const times = (count: number, item: Partial<StormItem> & { readonly now?: number } = {}) =>
  Array.from({ length: count }, () => item);

describe('a storm budget', () => {
  it('lets pass as many as it has, and of one group a part of them', () => {
    const { passed } = play([...times(4), ...times(3, { group: 'b' })]);
    expect(passed).toEqual([true, true, true, false, true, true, false]);
  });

  it('counts what it leaves out by what it is, with the times of the first and the last', () => {
    const { window } = play([...times(3), { at: 500 }, { at: 200, what: 'c' }, { at: 900 }]);
    expect(window.left).toEqual({ count: 3, kinds: { a: 2, c: 1 }, others: 0, firstAt: 200, lastAt: 900 });
  });

  it('begins again when the window is over, unless what it left out is not reported yet', () => {
    expect(play([...times(3), ...times(1, { now: 60_000 })]).passed).toEqual([true, true, true, true]);
    expect(play([...times(4), ...times(1, { now: 60_000 })]).passed).toEqual([true, true, true, false, false]);
  });

  it('begins again when the clock was set back before it', () => {
    expect(play([...times(3, { now: 100_000 }), ...times(1, { now: 50_000 })]).passed.at(-1)).toBe(true);
  });

  it('stays small, however different things are', () => {
    const items = Array.from({ length: 10_000 }, (_, at) => ({ group: `group ${at}`, what: `what ${at}` }));
    const { window } = play(items);
    expect(JSON.stringify(window).length).toBeLessThan(2_000);
    expect(window.left).toMatchObject({ count: 9_995, others: 9_945 });
  });
});
