import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Stage } from './stage.ts';
import { expectTold, random, runs, SEED, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('kills');
});
afterAll(() => stage.close());

describe('nothing is lost and nothing is told twice', () => {
  it('when the bridge is killed at random points of 60 runs', async () => {
    const next = random(SEED);
    const started = await runs(stage, 'kill-bridge', 60, async () => {
      if (next() > 0.15) return;
      await pause(next() * 500);
      await stage.bridge.kill9();
      await pause(next() * 1_000);
      await stage.bridge.start();
    });
    await expectTold(stage, started, { repeats: true });
  });

  it('when the Collector is killed at random points', async () => {
    const next = random(SEED + 1);
    const started = await runs(stage, 'kill-collector', 20, async () => {
      if (next() < 0.15) await stage.collector.restart();
    });
    await expectTold(stage, started);
  });

  it('when both are killed', async () => {
    const started = await runs(stage, 'kill-both', 10, async (n) => {
      if (n !== 5) return;
      await Promise.all([stage.bridge.kill9(), stage.collector.kill9()]);
      await Promise.all([stage.bridge.start(), stage.collector.restart()]);
    });
    await expectTold(stage, started, { repeats: true });
  });
});
