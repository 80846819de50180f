import { afterEach, describe, expect, it } from 'vitest';
import { ask, isStamped, PodWorld, timestamp } from '../../../test/sink-contract/pod-world.ts';

let world: PodWorld;
const open = async (settings?: object): Promise<PodWorld> => (world = await PodWorld.open(settings));
afterEach(() => world.close());

describe('the settings', () => {
  it('name the annotations, with or without a domain, and the zone', async () => {
    await open({ trigger: 'example.com/stamp', result: 'example.com/at', timeZone: 'America/New_York' });
    const plain = world.api.create('shop/plain', ask);
    const pod = world.api.create('shop/web', { 'example.com/stamp': '' });
    await world.until(() => 'example.com/at' in pod.metadata.annotations);
    expect(pod.metadata.annotations['example.com/at']).toBe('2026-01-05T07:00:00-05:00');
    expect(plain.metadata.annotations).toEqual(ask);
  });

  it('select namespaces and labels', async () => {
    await open({ namespaces: ['shop', 'billing'], excludeNamespaces: ['billing'] });
    const pods = ['shop', 'billing', 'other'].map((namespace) => world.api.create(`${namespace}/web`, ask));
    await world.until(() => isStamped(pods[0]!)());
    await world.quiet();
    expect(pods.map((pod) => isStamped(pod)())).toEqual([true, false, false]);
  });

  it('take the start of the pod once it is known', async () => {
    await open({ value: 'started' });
    const pod = world.api.create('shop/web', ask);
    await world.quiet();
    expect(world.vendors.requests).toEqual([]);
    expect(world.reasons()).toEqual(['awaiting_start']);
    expect(world.notInSync()).toBe(0);
    world.api.change(pod, (it) => (it.status = { phase: 'Running', startTime: '2026-01-05T11:59:58Z' }));
    await world.until(isStamped(pod));
    expect(timestamp(pod)).toBe('2026-01-05T11:59:58Z');
  });

  it('that want the start say of a pod that is over without one that it is left alone', async () => {
    await open({ value: 'started' });
    const pod = world.api.create('shop/web', ask);
    await world.until(() => world.reasons().length === 1);
    world.api.change(pod, (it) => (it.status = { phase: 'Failed' }));
    await world.quiet();
    expect([world.reasons(), world.vendors.requests]).toEqual([['awaiting_start', 'object_over'], []]);
  });
});
