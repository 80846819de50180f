import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../../sinks/sink.ts';
import { DELIVERED, HOUR, MINUTE, SECOND, SUSPECT, T0, TestStore } from '../../testing/test-store.ts';

const limits = [{ key: 'vendor', perSecond: 50 }];
const HANGS: Delivery = { outcome: 'retry', reason: 'timeout', unknown: true, suspect: { key: 'vendor' } };

let t: TestStore;
/** What was sent, in its order, with the second. */
let sent: { readonly key: string; readonly at: number }[];
beforeEach(() => {
  t = new TestStore();
  sent = [];
});
afterEach(() => t.remove());

const run = (name: string) =>
  t.enqueue({ key: `${name} run`, lane: name, limits }, { key: `${name} end`, lane: name, limits });

/** Sends and sweeps at each `step`; what is tried again waits longer each time, up to five minutes. */
function play(
  ms: number,
  answer: (key: string) => Delivery,
  {
    each = () => {},
    step = SECOND,
    maxAge = 24 * HOUR,
  }: Partial<Record<'step' | 'maxAge', number>> & {
    readonly each?: (second: number) => unknown;
  } = {},
): void {
  for (const end = t.now + ms; t.now < end; t.now += step) {
    each((t.now - T0) / SECOND);
    for (const intent of t.claim()) {
      sent.push({ key: intent.key, at: (t.now - T0) / SECOND });
      t.settle([intent], answer(intent.key), Math.min(SECOND * 2 ** (intent.attempt - 1), 5 * MINUTE));
    }
    t.store.sweep(t.now, maxAge, 2 * MINUTE);
  }
}

const keys = (): string[] => sent.map(({ key }) => key);

describe('a vendor that answers 500 to everything', () => {
  it.each([1, 3])(
    'has %i runs with start and end, in their order, when it is back after more than the maximum age',
    (count) => {
      const names = Array.from({ length: count }, (_, n) => `${n}`);
      names.forEach(run);
      play(20 * MINUTE, () => SUSPECT, { step: 5 * SECOND, maxAge: 10 * MINUTE });
      sent = [];
      play(20 * SECOND, () => DELIVERED);
      for (const name of names)
        expect(keys().filter((key) => key.startsWith(name))).toEqual([`${name} run`, `${name} end`]);
    },
  );

  it('is asked again every ten seconds, not with each intent as often as it may be tried', () => {
    for (let n = 0; n < 5; n++) run(`${n}`);
    play(3 * MINUTE, () => SUSPECT);
    const last = sent.filter(({ at }) => at >= 120);
    expect(new Set(last.map(({ at }) => at)).size).toBeLessThanOrEqual(6);
  });

  it('still has both after a restart in the middle', () => {
    run('a');
    play(3 * MINUTE, () => SUSPECT, { step: 5 * SECOND });
    t.restart();
    play(3 * MINUTE, () => SUSPECT, { step: 5 * SECOND });
    sent = [];
    play(20 * SECOND, () => DELIVERED);
    expect(keys()).toEqual(['a run', 'a end']);
  });

  it('loses nothing for an answer that was on its way before it failed', () => {
    t.enqueue({ key: 'slow', limits });
    const [slow] = t.claim();
    run('a');
    play(SECOND, () => SUSPECT);
    t.settle([slow!], DELIVERED);
    play(HOUR, () => SUSPECT, { step: MINUTE });
    play(20 * SECOND, () => DELIVERED);
    expect([t.delivery('a run').status, t.delivery('a end').status]).toEqual(['delivered', 'delivered']);
  });
});

describe('a vendor that does not answer in time', () => {
  it('has start and end of a run, and is not asked every ten seconds for what it may have done', () => {
    run('a');
    play(HOUR, () => HANGS, { step: 10 * SECOND });
    expect(sent.length).toBeLessThan(25);
    play(6 * MINUTE, () => DELIVERED, { step: 10 * SECOND });
    expect(keys().slice(-2)).toEqual(['a run', 'a end']);
  });
});

describe('an intent that the vendor answers 500 to while others get through', () => {
  const answer = (key: string): Delivery => (key === 'a run' ? SUSPECT : DELIVERED);

  it('is superseded by the next of its lane after two minutes, and holds up others once for ten seconds', () => {
    run('a');
    play(4 * MINUTE, answer, { each: (second) => t.enqueue({ key: `other ${second}`, limits }) });
    expect(t.delivery('a run')).toMatchObject({ status: 'dropped', reason: 'superseded' });
    expect(t.delivery('a end').status).toBe('delivered');
    const waited = sent.flatMap(({ key, at }) => (key.startsWith('other') ? at - Number(key.slice(6)) : []));
    expect(Math.max(...waited)).toBeLessThanOrEqual(10);
    expect(Math.max(...waited.slice(15))).toBe(0);
  });

  it('is so too where the others come every five minutes, which wait ten seconds at most', () => {
    run('a');
    const each = (second: number) => second % 300 === 200 && t.enqueue({ key: `other ${second}`, limits });
    play(30 * MINUTE, answer, { each, step: 5 * SECOND });
    expect(t.delivery('a run').reason).toBe('superseded');
    const waited = sent.flatMap(({ key, at }) => (key.startsWith('other') ? at - Number(key.slice(6)) : []));
    expect(Math.max(...waited)).toBeLessThanOrEqual(10);
  });

  it('is one of another limit: what gets through there says nothing', () => {
    run('a');
    const elsewhere = [{ key: 'elsewhere', perSecond: 50 }];
    const each = (second: number) => t.enqueue({ key: `other ${second}`, limits: elsewhere });
    play(10 * MINUTE, answer, { each, step: 5 * SECOND });
    expect(t.delivery('a run').status).toBe('pending');
  });
});
