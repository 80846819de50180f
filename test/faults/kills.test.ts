import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stage } from './stage.ts';
import { during, expectTold, random, runs, SEED, setStage, SHORT, startRun } from './stage.ts';

/** Of the intents of a destination, so many are on their way at most when the bridge is killed. */
const IN_FLIGHT = 16;
let stage: Stage;

beforeAll(async () => {
  stage = await setStage('kills');
});
afterAll(() => stage.close());

describe('nothing is lost and nothing is told twice', () => {
  it('when the bridge is killed at random points of 200 runs', async () => {
    const next = random(SEED);
    const chains = Array.from({ length: SHORT ? 2 : 5 }, (_, n) =>
      runs(stage, `kill-bridge-${n}`, SHORT ? 20 : 40, () => pause(next() * 3_000)),
    );
    const starts: Promise<void>[] = [];
    let kills = 0;
    const started = await during(Promise.all(chains), async () => {
      await pause(next() * 4_000); // too short for a start now and then
      await stage.bridge.kill9();
      kills++;
      await pause(next() * 500);
      starts.push(stage.bridge.start());
    });
    await Promise.all(starts);
    const repeated = await expectTold(stage, started.flat(), { repeats: true });
    console.log(`${started.flat().length} runs, ${kills} kills, ${repeated} repeated pings`);
    expect(repeated).toBeLessThanOrEqual(kills * IN_FLIGHT);
  });

  it('when the Collector is killed at random points', async () => {
    const next = random(SEED + 1);
    const chain = runs(stage, 'kill-collector', SHORT ? 20 : 60, () => pause(next() * 1_000), { keep: true });
    const started = await during(chain, async () => {
      await pause(next() * 4_000);
      await stage.collector.kill9();
      await pause(next() * 1_000);
      await stage.collector.restart();
    });
    // A Collector connects when it has something to send.
    started.push(await startRun(stage, 'kill-collector', started.length));
    await expectTold(stage, started);
  });

  it('when both are killed', async () => {
    const next = random(SEED + 2);
    const chain = runs(stage, 'kill-both', SHORT ? 10 : 30, () => pause(next() * 1_000), { keep: true });
    const started = await during(chain, async () => {
      await pause(next() * 4_000);
      await Promise.all([stage.bridge.kill9(), stage.collector.kill9()]);
      await Promise.all([stage.bridge.start(), stage.collector.restart()]);
    });
    started.push(await startRun(stage, 'kill-both', started.length));
    await expectTold(stage, started, { repeats: true });
  });
});
