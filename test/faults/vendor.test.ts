import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Stage } from './stage.ts';
import { expectTold, runs, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('vendor');
});
afterAll(() => stage.close());

describe('nothing is lost and nothing is told twice', () => {
  it('when the vendor is down, then says 429, then loses answers', async () => {
    stage.vendors.inject({ match: '/ping/', times: 20, status: 503 });
    stage.vendors.inject({ match: '/ping/', times: 5, status: 429, retryAfter: 2 });
    stage.vendors.inject({ match: '/ping/', times: 5, resetAfterProcessing: true });
    const started = await runs(stage, 'vendor', 12);
    await expectTold(stage, started, { repeats: true });
  });
});
