import { afterEach, describe, expect, it } from 'vitest';
import { ask, isStamped, PodWorld, STAMP, timestamp } from '../../../test/sink-contract/pod-world.ts';
import type { SimulatedPod } from '../../../test/vendors/kubernetes.ts';

let world: PodWorld;
const open = async (settings?: object): Promise<PodWorld> => (world = await PodWorld.open(settings));
afterEach(() => world.close());

describe('beside another writer', () => {
  it('that writes first, its time stays', async () => {
    await open();
    let isFirst = true;
    world.api.beforePatch = (pod) => {
      if (isFirst) world.api.change(pod, (it) => (it.metadata.annotations['timestamp'] = 'theirs'));
      isFirst = false;
    };
    const pod = world.api.create('shop/web', ask);
    await world.until(() => world.deliveries.length > 0);
    await world.quiet();
    expect([timestamp(pod), world.writes(), world.reasons()]).toEqual(['theirs', [], ['already_there']]);
  });

  it('that writes without a look, as often as it likes, ours never writes after it', async () => {
    await open();
    const stampedByOther = new Set<string>();
    // As spec §4 and §9.3: on each event without the result, unconditional, and late.
    const other = (pod: SimulatedPod): void => {
      if (timestamp(pod) !== undefined) return;
      setTimeout(() => {
        const live = world.api.pods.get(`shop/${pod.metadata.name}`)!;
        stampedByOther.add(live.metadata.name);
        world.api.change(live, (it) => (it.metadata.annotations['timestamp'] = `theirs-${Math.random()}`));
      }, Math.random() * 20);
    };
    const late: string[] = [];
    world.watch = (pod, deleted) => {
      if (STAMP.test(timestamp(pod) ?? '') && stampedByOther.has(pod.metadata.name)) late.push(pod.metadata.name);
      world.observe(pod, deleted);
      other(pod);
    };
    world.api.beforePatch = ({ metadata }) =>
      void (metadata.resourceVersion.endsWith('7') && other(world.api.pods.get(`shop/${metadata.name}`)!));
    const ours: string[] = [];
    const record = world.api.writes;
    const pods = Array.from({ length: 40 }, (_, number) => world.api.create(`shop/p${number}`, ask));
    await world.until(() => pods.every((pod) => isStamped(pod)()));
    await world.quiet();
    for (const { pod, by } of record) if (by === 'lifecycle-bridge') ours.push(pod);
    expect(new Set(ours).size).toBe(ours.length);
    expect(late).toEqual([]);
    const theirs = pods.filter(({ metadata }) => stampedByOther.has(metadata.name));
    expect(theirs.map(timestamp).filter((last) => !last?.startsWith('theirs-'))).toEqual([]);
  });
});

it('500 pods at once get exactly 500 writes, over a restart in between', async () => {
  await open();
  const pods = Array.from({ length: 500 }, (_, number) => world.api.create(`shop/p${number}`, ask));
  await world.until(() => world.writes().length > 100);
  await world.restart(0);
  await world.until(() => pods.every((pod) => isStamped(pod)()));
  await world.quiet();
  expect(world.writes()).toHaveLength(500);
  expect(world.rows()).toEqual([]);
});
