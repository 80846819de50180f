import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limiter } from './limiter.ts';

const five = [{ key: 'm', perSecond: 5 }];

describe('a limit', () => {
  it('spaces the starts by a little more than 1/perSecond', () => {
    const limiter = new Limiter();
    expect(limiter.freeAt(five, 1000)).toBe(1000);
    limiter.start(five, 1000)(1001);
    expect(limiter.freeAt(five, 1001)).toBe(1206);
    expect(limiter.busy(1205)).toEqual(['m']);
    expect(limiter.nextFree(1205)).toBe(1206);
    expect(limiter.busy(1206)).toEqual([]);
  });

  it('counts a request until a window after its end: late ones do not pile up at the vendor', () => {
    const limiter = new Limiter();
    const ends = [0, 300, 600, 900, 1200].map((at) => limiter.start(five, at));
    // Five are on their way: only an answer makes room.
    expect(limiter.freeAt(five, 1500)).toBe(Infinity);
    expect(limiter.busy(1500)).toEqual(['m']);
    expect(limiter.nextFree(1500)).toBe(Infinity);
    ends[0]!(2000);
    expect(limiter.freeAt(five, 2000)).toBe(3030);
  });

  it('below one per second lets one through at a time', () => {
    const limiter = new Limiter();
    const slow = [{ key: 's', perSecond: 0.5 }];
    limiter.start(slow, 0)(100);
    expect(limiter.freeAt(slow, 100)).toBe(2160);
  });

  it('is the strictest of several, and none for no limits', () => {
    const limiter = new Limiter();
    const both = [...five, { key: 'address', perSecond: 50 }];
    limiter.start(both, 0)(1);
    expect(limiter.freeAt(both, 1)).toBe(206);
    expect(limiter.freeAt([{ key: 'address', perSecond: 50 }], 1)).toBeCloseTo(20.6);
    expect(limiter.freeAt([], 1)).toBe(1);
  });

  it('waits as long as before when the clock is set', () => {
    const limiter = new Limiter();
    const ends = [0, 300, 600, 900, 1200].map((at) => limiter.start(five, at));
    ends[0]!(2000);
    limiter.clockSet(-7_200_000);
    expect(limiter.freeAt(five, 2000 - 7_200_000)).toBe(3030 - 7_200_000);
  });

  it('is forgotten when it is idle: memory does not grow with the keys ever used', () => {
    const limiter = new Limiter();
    limiter.start(five, 0)(1);
    expect(limiter.busy(5000)).toEqual([]);
    expect(limiter.nextFree(5000)).toBe(Infinity);
  });

  it('never lets the vendor see more than the limit in any second, however long requests take', () => {
    const request = fc.record({ travelMs: fc.nat(3000), answerMs: fc.nat(3000) });
    const property = fc.property(fc.array(request, { minLength: 6, maxLength: 40 }), (requests) => {
      const limiter = new Limiter();
      const pending: { at: number; end: (at: number) => void }[] = [];
      const seen: number[] = [];
      let now = 0;
      for (const { travelMs, answerMs } of requests) {
        while (limiter.freeAt(five, now) > now) {
          now += 1;
          for (const done of pending.filter(({ at }) => at === now)) done.end(now);
        }
        seen.push(now + travelMs);
        pending.push({ at: now + 1 + travelMs + answerMs, end: limiter.start(five, now) });
      }
      seen.sort((a, b) => a - b);
      return seen.every((at, index) => index < 5 || at - seen[index - 5]! >= 1000);
    });
    expect(() => fc.assert(property, { numRuns: 50 })).not.toThrow();
  });

  it('with a burst lets that many go at once, and then never empties a bucket that fills at its rate', () => {
    const burst = [{ key: 'm', perSecond: 5, burst: 10 }];
    const request = fc.record({ travelMs: fc.nat(2000), answerMs: fc.nat(500) });
    const property = fc.property(fc.array(request, { minLength: 11, maxLength: 60 }), (requests) => {
      const limiter = new Limiter();
      const pending: { at: number; end: (at: number) => void }[] = [];
      const sent: number[] = [];
      const seen: number[] = [];
      let now = 0;
      for (const { travelMs, answerMs } of requests) {
        while (limiter.freeAt(burst, now) > now) {
          now += 1;
          for (const done of pending.filter(({ at }) => at === now)) done.end(now);
        }
        sent.push(now);
        seen.push(now + travelMs);
        pending.push({ at: now + 1 + travelMs + answerMs, end: limiter.start(burst, now) });
      }
      let tokens = 10;
      let last = 0;
      for (const at of seen.toSorted((a, b) => a - b)) {
        tokens = Math.min(10, tokens + (at - last) / 200) - 1;
        last = at;
        if (tokens < 0) return false;
      }
      return sent[9] === 0;
    });
    expect(() => fc.assert(property, { numRuns: 50 })).not.toThrow();
  });
});
