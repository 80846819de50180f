import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../lib/json.ts';
import type { ClaimedIntent, Deliverer, Delivery } from '../sink.ts';
import { startBench } from './bench.ts';
import type { Bench } from './bench.ts';
import type { DeploymentIntent, DeploymentState } from './deployment.ts';

const COMMIT = 'a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d';
const DELIVERED = { outcome: 'delivered' };

let bench: Bench;
let deliverer: Deliverer;
beforeEach(async () => {
  bench = await startBench();
  deliverer = bench.deliverer();
});
afterEach(() => bench.close());

function intent(
  run: string,
  state: DeploymentState,
  changes: Partial<DeploymentIntent> = {},
  attempt = 1,
): ClaimedIntent {
  const payload = {
    owner: 'acme',
    repo: 'shop',
    ref: COMMIT,
    environment: 'production',
    description: 'Deployment shop/web',
    run,
    workload: 'prod-1/Deployment/shop/web',
    status: { state, description: state, log_url: `https://bridge.example.com/runs/${run}` },
    ...changes,
  };
  const key = `${run}/${state}`;
  return {
    seq: 1,
    destination: 'github/default',
    transitionId: key,
    attempt,
    key,
    lane: run,
    payload: payload as unknown as Json,
    limits: [],
  };
}

async function send(...args: Parameters<typeof intent>): Promise<Delivery> {
  const [delivery] = await deliverer.deliver([intent(...args)], bench.abort.signal);
  return delivery!;
}

/** The states of each Deployment, in their order. */
const states = (): string[][] =>
  bench.vendors.github.releases.deployments.map(({ statuses }) => statuses.map(({ state }) => state));

describe('the Deployment of a rollout', () => {
  it('is made once, without a merge or checks, and gets each status', async () => {
    expect(await send('one', 'in_progress')).toEqual(DELIVERED);
    expect(
      await send('one', 'success', { status: { state: 'success', description: 'ok', environment_url: 'https://x/' } }),
    ).toEqual(DELIVERED);
    expect(bench.vendors.github.releases.deployments).toMatchObject([
      {
        ref: COMMIT,
        environment: 'production',
        payload: { run: 'one', workload: 'prod-1/Deployment/shop/web' },
        statuses: [
          { state: 'in_progress', log_url: 'https://bridge.example.com/runs/one' },
          { state: 'success', environment_url: 'https://x/' },
        ],
      },
    ]);
    expect(bench.bodies('/deployments')).toMatchObject([{ auto_merge: false, required_contexts: [] }]);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it.each(['/deployments', '/statuses'])('is not made twice when the answer of %s is lost', async (path) => {
    bench.vendors.inject({ match: ['POST', path], resetAfterProcessing: true });
    expect(await send('one', 'in_progress')).toMatchObject({ outcome: 'retry', unknown: true });
    expect(await send('one', 'in_progress')).toEqual(DELIVERED);
    expect(states()).toEqual([['in_progress']]);
  });

  it('goes back to nothing that it has left', async () => {
    await send('one', 'success');
    expect(await send('one', 'in_progress')).toEqual(DELIVERED);
    expect(states()).toEqual([['success']]);
  });

  it('that was never shown is not made to be closed', async () => {
    expect(await send('one', 'inactive')).toEqual(DELIVERED);
    expect(states()).toEqual([]);
  });

  it('may still succeed after it failed', async () => {
    await send('one', 'failure');
    await send('one', 'success');
    expect(states()).toEqual([['failure', 'success']]);
  });

  it('is another one for a rollback to the same commit', async () => {
    for (const run of ['one', 'two', 'three']) await send(run, 'success');
    expect(states()).toEqual([['success', 'inactive'], ['success', 'inactive'], ['success']]);
  });
});

describe('a success', () => {
  it('closes the earlier Deployments of the same workload only', async () => {
    await send('one', 'success');
    await send('other', 'success', { workload: 'prod-1/Deployment/shop/api' });
    await send('elsewhere', 'success', { environment: 'staging' });
    await send('failed', 'failure');
    await send('two', 'success', { ref: 'b'.repeat(40) });
    expect(states()).toEqual([['success', 'inactive'], ['success'], ['success'], ['failure'], ['success']]);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it('closes what was deployed before rollouts that never came to an end', async () => {
    await send('one', 'success');
    await send('two', 'in_progress');
    await send('two', 'inactive');
    await send('three', 'success');
    expect(states()).toEqual([['success', 'inactive'], ['in_progress', 'inactive'], ['success']]);
  });

  it('that comes late is closed by the newer one that is there', async () => {
    await send('one', 'in_progress');
    await send('two', 'success');
    await send('one', 'success');
    expect(states()).toEqual([['in_progress', 'success', 'inactive'], ['success']]);
  });

  it('goes on closing when it failed in the middle of it', async () => {
    await send('one', 'success');
    bench.vendors.inject({ match: ['POST', '/deployments/1/statuses'], status: 502 });
    expect(await send('two', 'success')).toMatchObject({ outcome: 'retry' });
    expect(await send('two', 'success')).toEqual(DELIVERED);
    expect(states()).toEqual([['success', 'inactive'], ['success']]);
  });
});

describe('a refusal', () => {
  it.each([
    [
      'an unknown commit',
      { status: 422, body: '{"message":"No ref found for: x"}' },
      { outcome: 'drop', reason: 'bad_request', detail: 'HTTP 422: No ref found for: x' },
    ],
    [
      'a missing permission',
      { status: 403, body: '{"message":"Resource not accessible"}' },
      { outcome: 'retry', reason: 'forbidden', afterMs: 600_000 },
    ],
    ['a repository that is not seen', { status: 404 }, { outcome: 'retry', reason: 'not_found', afterMs: 600_000 }],
    ['wrong credentials', { status: 401 }, { outcome: 'retry', reason: 'unauthorized', hold: { key: 'credentials' } }],
    [
      'a limit',
      { status: 429, retryAfter: 7 },
      { outcome: 'retry', reason: 'rate_limited', afterMs: 7000, hold: { key: 'api' } },
    ],
    ['a page of a proxy', { status: 200, body: '<html>' }, { outcome: 'retry', reason: 'bad_answer' }],
  ])('for %s is answered so that nothing is lost that may still come', async (_, fault, delivery) => {
    bench.vendors.inject({ match: ['POST', '/deployments'], ...fault });
    expect(await send('one', 'in_progress')).toMatchObject(delivery);
  });

  it('for a conflict is given up after five tries', async () => {
    bench.vendors.inject({ match: ['POST', '/deployments'], status: 409, times: 2 });
    expect(await send('one', 'in_progress', {}, 5)).toMatchObject({ outcome: 'retry', reason: 'conflict' });
    expect(await send('one', 'in_progress', {}, 6)).toMatchObject({ outcome: 'drop', reason: 'conflict' });
  });

  it('of a payload that cannot be read costs no other', async () => {
    const bad = { ...intent('one', 'success'), payload: null };
    const answers = await deliverer.deliver([bad, intent('two', 'success')], bench.abort.signal);
    expect(answers).toMatchObject([{ outcome: 'drop', reason: 'bad_request' }, DELIVERED]);
  });
});
