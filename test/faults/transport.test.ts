import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Stage } from './stage.ts';
import { expectTold, runs, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('transport');
});
afterAll(() => stage.close());

describe('nothing is lost and nothing is told twice', () => {
  it('when two Collectors send at once', async () => {
    const second = await stage.secondCollector();
    const started = await runs(stage, 'two', 12);
    await expectTold(stage, started);
    await second.stop();
  });
});
