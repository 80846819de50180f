import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ticked } from '../ingest/thread/protocol.ts';
import type { Ticking } from './ticking.ts';
import { startTicking, watchStore } from './ticking.ts';

const START = 1_000_000;
/** When the ticks came, ms since the start. */
let ticks: number[];
let woken: number;
let nextAt: number;
let setBy: number;
let fails: boolean;
let isFull: boolean;
let answer: Promise<void>;
let ticking: Ticking;

const elapsed = (): number => performance.now() - began;
let began: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  began = performance.now();
  [ticks, woken, nextAt, setBy, fails, isFull, answer] = [[], 0, Infinity, 0, false, false, Promise.resolve()];
  const tick = async (): Promise<Ticked> => {
    ticks.push(elapsed());
    await answer;
    if (fails) throw new Error('disk full');
    return {
      transitions: [],
      ended: [],
      problems: [],
      plannerFailures: [],
      unreadable: 0,
      dropped: [],
      unjudged: [],
      state: {} as never,
      work: undefined,
      nextAt,
    };
  };
  const reporter = {
    get storeFails() {
      return isFull;
    },
    storeFailed: () => undefined,
    storeWorks: () => undefined,
  };
  const probe = async (): Promise<void> => {
    if (isFull) throw new Error('disk full');
  };
  const clock = { now: () => START + setBy + elapsed() };
  ticking = startTicking({ tick, probe }, clock, reporter, () => void woken++);
});
afterEach(() => {
  ticking.stop();
  vi.useRealTimers();
});

const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the bridge ticks', () => {
  it('after its start, and then every minute while nothing is due', async () => {
    await after(200_000);
    expect(ticks).toEqual([1_000, 61_000, 121_000, 181_000]);
    expect(woken).toBe(4);
  });

  it('when the store says that something is due', async () => {
    nextAt = START + 13_370;
    await after(13_370);
    expect(ticks).toEqual([1_000, 13_370]);
  });

  it('each second while something is overdue', async () => {
    nextAt = 0;
    await after(4_000);
    expect(ticks).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  it('within a second after something was written, once for all of it', async () => {
    await after(10_000);
    for (let n = 0; n < 100; n++) ticking.changed();
    await after(1_000);
    expect(ticks).toEqual([1_000, 11_000]);
  });

  it('no later when the clock was set back: what is due was moved with it', async () => {
    nextAt = START + 20_000;
    await after(5_000);
    setBy = -3_600_000;
    nextAt += setBy;
    await after(15_000);
    expect(ticks).toEqual([1_000, 20_000]);
  });

  it('again a second after one that failed', async () => {
    fails = true;
    await after(3_000);
    expect([ticks, woken]).toEqual([[1_000, 2_000, 3_000], 0]);
  });

  it('and says what it found also while nothing can be written: the next one does not find it again', async () => {
    isFull = true;
    await after(3_000);
    expect([ticks, woken]).toEqual([[1_000, 2_000, 3_000], 3]);
  });

  it('one at a time: what is written while one hangs is seen by the next', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    await after(10_000);
    ticking.changed();
    await after(10_000);
    expect(ticks).toEqual([1_000]);
    resolve();
    await after(1_000);
    expect(ticks).toHaveLength(2);
  });
});

it.each([
  ['removed', (file: string) => rmSync(file)],
  ['replaced', (file: string) => renameSync(`${file}.other`, file)],
  ['overwritten', (file: string) => writeFileSync(file, 'other')],
])('a store that is %s is looked at at once', async (_how, harm) => {
  vi.useRealTimers();
  const folder = mkdtempSync(join(tmpdir(), 'ticking-'));
  const file = join(folder, 'bridge.db');
  for (const name of [file, `${file}.other`]) writeFileSync(name, 'store');
  let changes = 0;
  const end = watchStore(file, () => void changes++);
  harm(file);
  await expect.poll(() => changes, { timeout: 20_000 }).toBeGreaterThan(0);
  end();
  rmSync(folder, { recursive: true });
});
