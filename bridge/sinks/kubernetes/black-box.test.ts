import { afterEach, describe, expect, it } from 'vitest';
import { ask, isStamped, PodWorld, STAMP, START, timestamp } from '../../../test/sink-contract/pod-world.ts';
import type { SimulatedPod } from '../../../test/vendors/kubernetes.ts';

/** The rows of `research/pod-time-controller.md` §11, by their numbers. */
let world: PodWorld;
const open = async (settings?: object): Promise<PodWorld> => (world = await PodWorld.open(settings));
afterEach(() => world.close());

describe('a pod', () => {
  it('(1) without the trigger is left alone', async () => {
    await open();
    const pod = world.api.create('shop/web');
    await world.quiet();
    expect([pod.metadata.annotations, world.vendors.requests]).toEqual([{}, []]);
  });

  it.each([['true'], [''], ['false']])('(2, 3) with the trigger %o gets the time once, in UTC', async (value) => {
    await open();
    const pod = world.api.create('shop/web', { addtime: value, other: 'kept' });
    await world.until(isStamped(pod));
    await world.quiet();
    expect(timestamp(pod)).toMatch(STAMP);
    expect(world.writes()).toHaveLength(1);
    expect(pod.metadata.annotations).toMatchObject({ addtime: value, other: 'kept' });
    const line = { destination: 'kubernetes/default', pod: 'shop/web', annotation: 'timestamp', value: timestamp(pod) };
    expect(world.lines).toEqual([{ ...line, msg: 'annotated a pod' }]);
    expect(world.rows()).toEqual([]);
  });

  it.each(['2020-01-01T00:00:00Z', ''])('(4) that has the result %o is left alone', async (value) => {
    await open();
    const pod = world.api.create('shop/web', { ...ask, timestamp: value });
    await world.quiet();
    expect([timestamp(pod), world.vendors.requests]).toEqual([value, []]);
  });

  it('(5) that is annotated later counts', async () => {
    await open();
    const pod = world.api.create('shop/web');
    world.now += 60_000;
    world.api.change(pod, (it) => (it.metadata.annotations['addtime'] = ''));
    await world.until(isStamped(pod));
    expect(Date.parse(timestamp(pod)!)).toBeGreaterThanOrEqual(START + 60_000);
  });

  it('(6) whose result is taken away by hand gets another one, with the time of then', async () => {
    await open();
    const pod = world.api.create('shop/web', ask);
    await world.until(isStamped(pod));
    const first = timestamp(pod)!;
    await world.until(() => world.rows().length === 0);
    world.now += 3_600_000;
    world.api.change(pod, (it) => delete it.metadata.annotations['timestamp']);
    await world.until(isStamped(pod));
    expect(Date.parse(timestamp(pod)!) - Date.parse(first)).toBeGreaterThanOrEqual(3_600_000);
    expect(world.writes()).toHaveLength(2);
  });

  it('(6) whose result is taken away before the bridge saw it there gets one too', async () => {
    await open();
    const pod = world.api.create('shop/web', ask);
    world.watch = () => undefined;
    await world.until(isStamped(pod));
    world.watch = (seen) => world.observe(seen);
    world.api.change(pod, (it) => delete it.metadata.annotations['timestamp']);
    await world.until(isStamped(pod), 10_000);
    expect(world.writes()).toHaveLength(2);
  });

  it('keeps the result when the trigger is taken away', async () => {
    await open();
    const pod = world.api.create('shop/web', ask);
    await world.until(isStamped(pod));
    world.api.change(pod, (it) => delete it.metadata.annotations['addtime']);
    await world.quiet();
    expect(timestamp(pod)).toMatch(STAMP);
  });

  it('(7) that was there before the bridge is written', async () => {
    await open();
    world.watch = () => undefined;
    const pod = world.api.create('shop/web', ask);
    world.observe(pod);
    await world.until(isStamped(pod));
    expect(world.writes()).toHaveLength(1);
  });
});

describe('a write', () => {
  it('(8) is one, however many old records come afterwards', async () => {
    await open();
    const pod = world.api.create('shop/web', ask);
    const old = structuredClone(pod);
    await world.until(isStamped(pod));
    const first = timestamp(pod);
    world.observe(old);
    world.observe(old);
    await world.quiet();
    expect([world.writes().length, timestamp(pod)]).toEqual([1, first]);
  });

  it('(8) is one also when records of before it come in their order after it', async () => {
    await open();
    const held: SimulatedPod[] = [];
    const pod = world.api.create('shop/web', ask);
    world.watch = (seen) => void held.push(seen);
    world.api.change(pod, (it) => (it.status = { phase: 'Running' }));
    await world.until(isStamped(pod));
    for (const seen of held) world.observe(seen);
    await world.quiet();
    expect(world.writes()).toHaveLength(1);
  });

  it.each([500, 502, 503, 504, 429])('(9) that is answered %i is tried again', async (status) => {
    await open();
    world.vendors.inject({ match: 'PATCH', status, times: 3 });
    const pod = world.api.create('shop/web', ask);
    await world.until(isStamped(pod));
    expect(world.reasons().filter((reason) => reason !== 'delivered')).toEqual(
      Array.from({ length: 3 }, () => (status === 429 ? 'rate_limited' : 'server_error')),
    );
    expect(world.writes()).toHaveLength(1);
    // The time is that of the observation, not of the try.
    expect(Date.parse(timestamp(pod)!)).toBe(START);
  });

  it('(10, 12) of a pod that is gone is given up at once, without a second request', async () => {
    await open();
    world.watch = () => undefined;
    const pod = world.api.create('shop/web', ask);
    world.api.remove(pod);
    world.observe(pod);
    await world.until(() => world.deliveries.length > 0);
    expect(world.deliveries).toMatchObject([{ outcome: 'drop', reason: 'object_gone' }]);
    expect(world.vendors.requests).toHaveLength(1);
    world.observe({ ...pod, metadata: { ...pod.metadata, resourceVersion: '9000' } }, true);
    await world.quiet();
    expect([world.rows(), world.vendors.requests.length]).toEqual([[], 1]);
  });

  it('(10) whose pod goes between reading and writing is given up', async () => {
    await open();
    world.api.beforePatch = (pod) => world.api.pods.delete(`shop/${pod.metadata.name}`);
    world.api.create('shop/web', ask);
    await world.until(() => world.deliveries.length > 0);
    expect(world.reasons()).toEqual(['object_gone']);
  });

  it('meets another pod of the same name and leaves it alone', async () => {
    await open();
    world.watch = () => undefined;
    const first = world.api.create('shop/db-0', ask);
    world.api.remove(first);
    const second = world.api.create('shop/db-0');
    world.observe(first);
    await world.until(() => world.deliveries.length > 0);
    expect([world.reasons(), second.metadata.annotations]).toEqual([['object_gone'], {}]);
  });

  it('(11) that is forbidden is tried again slowly, and holds up no other namespace', async () => {
    await open();
    world.api.denied.patch.add('locked');
    const locked = ['a', 'b', 'c'].map((name) => world.api.create(`locked/${name}`, ask));
    const pod = world.api.create('shop/web', ask);
    await world.until(() => isStamped(pod)() && world.deliveries.length === 4);
    expect(world.reasons().toSorted()).toEqual(['delivered', 'forbidden', 'forbidden', 'forbidden']);
    expect(JSON.stringify(world.deliveries)).toContain('cannot patch resource');
    world.now += 10_000;
    const before = world.vendors.requests.length;
    world.api.denied.patch.clear();
    await world.until(() => locked.every((one) => isStamped(one)()), 1_000);
    expect(world.now).toBeGreaterThanOrEqual(START + 60_000);
    expect(world.vendors.requests.length - before).toBe(6);
  });

  it('that a policy refuses for one pod holds up no other pod of its namespace', async () => {
    await open();
    const body = JSON.stringify({ message: 'admission webhook "guard" denied the request: not this one' });
    world.vendors.inject({ match: ['PATCH', 'odd'], status: 403, body, times: Infinity });
    world.api.create('shop/odd', ask);
    const pod = world.api.create('shop/web', ask);
    await world.until(() => isStamped(pod)() && world.deliveries.length === 2);
    expect(world.deliveries).toContainEqual(expect.objectContaining({ outcome: 'drop', reason: 'forbidden' }));
  });

  it.each<[string, { metadata?: object; status?: object }]>([
    ['is being deleted', { metadata: { deletionTimestamp: '2026-01-05T11:59:00Z' } }],
    ['has succeeded', { status: { phase: 'Succeeded' } }],
    ['has failed', { status: { phase: 'Failed' } }],
  ])('(14) does not happen to a pod that %s, unless over: write', async (_, { metadata = {}, status }) => {
    const make = () => {
      world.watch = () => undefined;
      const pod = world.api.create('shop/web', ask);
      Object.assign(pod.metadata, metadata);
      Object.assign(pod.status, status);
      world.observe(pod);
      return pod;
    };
    await open();
    make();
    await world.quiet();
    expect(world.vendors.requests).toEqual([]);
    expect(world.reasons()).toEqual(['object_over']);
    expect(world.lines).toMatchObject([{ pod: 'shop/web', reason: 'object_over', msg: 'a pod is not annotated' }]);
    expect(world.rows()).toMatchObject([{ reason: 'object_over' }]);
    expect(world.notInSync()).toBe(0);
    await world.close();
    await open({ over: 'write' });
    const pod = make();
    await world.until(isStamped(pod));
  });

  /** Refused: it has ended since it was seen, and its record did not come yet. */
  async function endedSinceSeen(): Promise<SimulatedPod> {
    await open();
    world.watch = () => undefined;
    const pod = world.api.create('shop/web', ask);
    const seen = structuredClone(pod);
    pod.status.phase = 'Succeeded';
    world.observe(seen);
    await world.until(() => world.deliveries.length > 0);
    return pod;
  }

  it('(14) does not happen to a pod that has ended since it was seen', async () => {
    const pod = await endedSinceSeen();
    expect(world.deliveries).toMatchObject([
      { outcome: 'drop', reason: 'object_over', detail: 'its phase is Succeeded' },
    ]);
    const line = [{ pod: 'shop/web', reason: 'object_over', msg: 'a pod is not annotated' }];
    expect(world.lines).toMatchObject(line);
    // Its record comes after all: nothing is new.
    world.observe(pod);
    await world.quiet();
    expect([world.lines.length, world.writes()]).toEqual([1, []]);
    world.observe({ ...pod, metadata: { ...pod.metadata, resourceVersion: '9000' } }, true);
    expect(world.rows()).toEqual([]);
  });

  it('is not tried again for a pod that is done with, however long its record stays', async () => {
    await endedSinceSeen();
    for (let hour = 0; hour < 3; hour++) await world.quiet();
    expect([world.deliveries.length, world.lines.length, world.writes()]).toEqual([1, 1, []]);
  });

  it('(14) has no row where no timestamp is asked for', async () => {
    await open();
    world.api.create('shop/web', {}).status.phase = 'Succeeded';
    await world.quiet();
    expect([world.rows(), world.deliveries]).toEqual([[], []]);
  });

  it('(15) that a stop interrupts is done after the next start, once', async () => {
    await open();
    world.vendors.inject({ match: 'PATCH', delayMs: 60_000 });
    const pod = world.api.create('shop/web', ask);
    await world.until(isStamped(pod));
    await world.restart(0);
    await world.quiet();
    expect(world.writes()).toHaveLength(1);
    expect(world.rows()).toEqual([]);
  });

  it('whose answer is lost is not repeated', async () => {
    await open();
    world.vendors.inject({ match: 'PATCH', resetAfterProcessing: true });
    const pod = world.api.create('shop/web', ask);
    world.watch = () => undefined;
    await world.until(() => world.reasons().includes('delivered'));
    expect([world.reasons(), world.writes().length]).toEqual([['answer_lost', 'delivered'], 1]);
    expect(timestamp(pod)).toMatch(STAMP);
  });

  it('(20) sends nothing but that annotation and what makes it conditional', async () => {
    await open();
    const pod = world.api.create('shop/web', ask);
    const { uid, resourceVersion } = pod.metadata;
    await world.until(isStamped(pod));
    const [patch] = world.vendors.requests.filter(({ method }) => method === 'PATCH');
    const annotations = { timestamp: timestamp(pod) };
    expect(JSON.parse(patch!.body)).toEqual({ metadata: { uid, resourceVersion, annotations } });
    expect(patch!.headers['content-type']).toBe('application/merge-patch+json');
  });
});
