import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kubeAccess } from '../../../test/sink-contract/pod-world.ts';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import { startVendors } from '../../../test/vendors/start-vendors.ts';
import { kubeApi, kubeOf } from '../../cluster/api.ts';
import { kubernetesSchema } from './config.ts';
import { createKubernetesDeliverer } from './deliver.ts';

let vendors: Vendors;
beforeEach(async () => {
  vendors = await startVendors({ key: 'a-token-of-the-bridge' });
});
afterEach(() => vendors.close());

function deliverer(settings: object, scope: 'cluster' | readonly string[] = 'cluster', token = vendors.key) {
  const access = kubeAccess({ ...vendors, key: token });
  const kube = kubeOf(
    kubeApi(access, () => Promise.resolve(access)),
    scope,
  );
  const deps = { kube, clock: { now: () => 0 }, log: { info: () => undefined } };
  return createKubernetesDeliverer('default', kubernetesSchema.parse(settings), deps);
}
const check = (...args: Parameters<typeof deliverer>) => deliverer(...args).check!(new AbortController().signal);

describe('check asks whether the bridge may write', () => {
  it('in the whole cluster, and changes nothing', async () => {
    expect(await check({})).toEqual({
      outcome: 'delivered',
      detail: 'the bridge may get and patch pods in all namespaces',
    });
    vendors.kubernetes.denied.patch.add('*');
    expect(await check({})).toEqual({ outcome: 'drop', reason: 'forbidden', detail: 'it may not patch pods' });
    expect(vendors.kubernetes.writes).toEqual([]);
  });

  it('in the namespaces in scope, or those of the destination, without the excluded ones', async () => {
    vendors.kubernetes.denied.patch.add('locked');
    expect(await check({}, ['shop', 'locked'])).toMatchObject({ detail: 'it may not patch pods in locked' });
    expect(await check({ namespaces: ['shop'] }, ['shop', 'locked'])).toMatchObject({ outcome: 'delivered' });
    expect(await check({ excludeNamespaces: ['locked'] }, ['shop', 'locked'])).toEqual({
      outcome: 'delivered',
      detail: 'the bridge may get and patch pods in shop',
    });
  });

  it('and says that its credentials are refused, or that nobody answers', async () => {
    expect(await check({}, 'cluster', 'another-token')).toMatchObject({ outcome: 'retry', reason: 'unauthorized' });
    vendors.inject({ status: 503, body: 'busy' });
    expect(await check({})).toMatchObject({ outcome: 'retry', reason: 'bad_answer', detail: 'HTTP 503' });
    vendors.inject({ reset: true });
    expect(await check({})).toMatchObject({ outcome: 'retry', reason: 'answer_lost' });
  });
});

it('a test delivery is the same, in words', async () => {
  const result = await deliverer({}, ['shop']).test!(new AbortController().signal);
  expect(result).toMatchObject({
    delivery: { outcome: 'delivered' },
    did: 'the bridge may get and patch pods in shop',
  });
});

it('refused credentials hold the whole destination, for a minute', async () => {
  const { uid, namespace, name } = vendors.kubernetes.create('shop/web', { addtime: '' }).metadata;
  const wanted = { namespace, name, uid, annotation: 'timestamp', value: '2026-01-05T12:00:00Z', evenOver: false };
  const row = { destination: 'kubernetes/default', key: uid, wanted, wantedHash: 'a', attempt: 1 };
  const signal = new AbortController().signal;
  const [refused] = await deliverer({}, 'cluster', 'another-token').converge([row], signal);
  expect(refused).toMatchObject({ outcome: 'retry', reason: 'unauthorized', afterMs: 60_000, hold: expect.anything() });
  const [unreadable] = await deliverer({}).converge([{ ...row, wanted: { nonsense: 1 } }], signal);
  expect(unreadable).toMatchObject({ outcome: 'drop', reason: 'bad_request' });
});
