import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployment, pod, Records, replicaSet } from '../../../test/deployment-records/world.ts';
import type { Json } from '../../lib/json.ts';
import type { Deliverer, Delivery } from '../sink.ts';
import { rowOf, startBench } from './bench.ts';
import type { Bench } from './bench.ts';
import type { DeploymentState } from './deployment.ts';
import type { Standing } from './standing.ts';
import { standingKey } from './standing.ts';

const WEB = 'prod-1/Deployment/shop/web';
const PLACE = { owner: 'acme', repo: 'shop', environment: 'production', workload: WEB };

describe('a workload with Deployments', () => {
  let bridge: Records;
  beforeEach(() => {
    bridge = new Records({ deployments: { repositories: ['shop'] } });
  });
  afterEach(() => bridge.engine.close());

  const web = (annotations: object = { 'github.lifecycle-bridge.io/repository': 'shop' }, uid = 'web-1') => {
    const plain = deployment('web', ['app'], 1);
    return { ...plain, metadata: { ...plain.metadata, uid, annotations } };
  };
  const rows = (): Json[] =>
    bridge.engine.reader
      .desired({ limit: 10 })
      .items.filter(({ key }) => key === standingKey(PLACE))
      .map(({ wanted }) => wanted);

  it('has a row while it lives, and an inactive one when it is deleted', () => {
    bridge.see(web());
    expect(rows()).toEqual([{ ...PLACE, state: 'rolled_out' }]);
    bridge.delete(web());
    expect(rows()).toEqual([{ ...PLACE, state: 'inactive' }]);
  });

  it('that is found to be gone by the audit, has an inactive one too', () => {
    bridge.see(web());
    bridge.audit([]);
    expect(rows()).toEqual([{ ...PLACE, state: 'inactive' }]);
  });

  it('that is made again lives again', () => {
    bridge.see(web());
    bridge.see(web(undefined, 'web-2'));
    bridge.delete(web());
    expect(rows()).toEqual([{ ...PLACE, state: 'rolled_out' }]);
  });

  it('whose annotation is taken away still runs: what stands stays', () => {
    bridge.see(web());
    bridge.see(web({}));
    expect(rows()).toEqual([{ ...PLACE, state: 'rolled_out' }]);
    bridge.delete(web({}));
    expect(rows()).toEqual([{ ...PLACE, state: 'inactive' }]);
  });

  it('is none without the annotation, and its records are as ever', () => {
    const set = replicaSet('web-1', deployment('web', ['app'], 1), ['app'], 1);
    bridge.see(deployment('web', ['app'], 1), set, pod('web-1-a', set, { app: 'a' }));
    expect([rows(), bridge.lines]).toEqual([[], ['shop/web/app a deployed']]);
  });
});

describe('the Deployments of a workload that is deleted', () => {
  let bench: Bench;
  let deliverer: Deliverer;
  beforeEach(async () => {
    bench = await startBench();
    deliverer = bench.deliverer();
  });
  afterEach(() => bench.close());

  async function roll(run: string, state: DeploymentState, workload = WEB): Promise<void> {
    const ref = 'a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d';
    const payload = { ...PLACE, ref, description: 'web', run, workload, status: { state, description: state } };
    const ids = { seq: 1, destination: 'github/default', transitionId: run, key: run, lane: run, limits: [] };
    await deliverer.deliver([{ ...ids, payload, attempt: 1 }], bench.abort.signal);
  }
  function row(state: Standing['state'], attempt = 1) {
    const wanted = { ...PLACE, state };
    return { destination: 'github/default', key: standingKey(PLACE), wanted, wantedHash: state, attempt };
  }
  async function converge(...args: Parameters<typeof row>): Promise<Delivery> {
    const [delivery] = await deliverer.converge([row(...args)], bench.abort.signal);
    return delivery!;
  }
  const states = (): string[][] =>
    bench.vendors.github.releases.deployments.map(({ statuses }) => statuses.map(({ state }) => state));

  it('stand while it lives, without a request', async () => {
    await roll('one', 'success');
    const before = bench.vendors.requests.length;
    expect(await converge('rolled_out')).toEqual({ outcome: 'delivered' });
    expect([states(), bench.vendors.requests.length]).toEqual([[['success']], before]);
  });

  it('are closed, once, and those of others stay', async () => {
    await roll('one', 'success');
    await roll('two', 'success');
    await roll('other', 'success', 'prod-1/Deployment/shop/api');
    await roll('three', 'failure');
    expect(await converge('inactive')).toEqual({ outcome: 'delivered' });
    expect(await converge('inactive')).toEqual({ outcome: 'delivered' });
    expect(states()).toEqual([['success', 'inactive'], ['success', 'inactive'], ['success'], ['failure']]);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it('are closed once by those that look at the same time', async () => {
    await roll('one', 'success');
    await Promise.all([roll('two', 'success'), converge('inactive'), converge('inactive')]);
    expect(states()).toEqual([
      ['success', 'inactive'],
      ['success', 'inactive'],
    ]);
  });

  it('wait for the end of a rollout, but not for ever', async () => {
    await roll('one', 'in_progress');
    expect(await converge('inactive')).toMatchObject({ outcome: 'retry', reason: 'awaiting_turn' });
    expect(await converge('inactive', 100)).toEqual({ outcome: 'delivered' });
    expect(states()).toEqual([['in_progress', 'inactive']]);
  });

  it('are none where nothing was ever deployed', async () => {
    expect(await converge('inactive')).toEqual({ outcome: 'delivered' });
  });

  it.each([
    ['credentials that GitHub refuses', { status: 401 }, { outcome: 'drop', reason: 'unauthorized' }],
    ['a GitHub that is away', { status: 503 }, { outcome: 'retry', reason: 'server_error' }],
  ])('are asked for once with %s, and what lives needs no request', async (_, fault, refused) => {
    bench.vendors.inject({ match: 'GET /repos/', times: Infinity, ...fault });
    const rows = [row('inactive'), row('rolled_out'), row('inactive'), row('inactive')];
    const answers = await deliverer.converge(rows, bench.abort.signal);
    expect(answers).toMatchObject([refused, { outcome: 'delivered' }, refused, refused]);
    expect(bench.requests()).toHaveLength(1);
  });

  it('go with records in one call, answered row by row', async () => {
    await roll('one', 'success');
    bench.vendors.inject({ match: 'GET /repos/', status: 500 });
    const answers = await deliverer.converge([rowOf('app-1'), row('inactive'), rowOf('app-2')], bench.abort.signal);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['delivered', 'retry', 'delivered']);
  });
});
