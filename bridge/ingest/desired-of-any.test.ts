import { afterEach, describe, expect, it } from 'vitest';
import { container, podFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import type { Planner } from '../sinks/sink.ts';
import { FORGET } from '../sinks/sink.ts';
import { CRON, scheduled, TestEngine } from './test-engine.ts';

/** Wants one row for each image that a pod runs, with the newest pod's name; forgets it with the last. */
const images: Planner = {
  destination: 'test/images',
  hears: new Set(),
  reads: { kinds: new Set(['Pod']), annotations: [] },
  plan: () => null,
  planDesired: (object) =>
    object.kind === 'Pod' ? object.containers.map(({ image }) => ({ key: image, wanted: object.name })) : [],
  retire: () => FORGET,
  elect: 'newest',
};
const without: Planner = { ...images, reads: { kinds: new Set(), annotations: [] } };

const pod = (number: number, image: string, changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({
    uid: `pod-${number}`,
    name: `web-${number}`,
    createdAt: T0 + number * 1_000,
    resourceVersion: String(number),
    containers: [container({ image })],
    ...changes,
  });

let bridge: TestEngine;
afterEach(() => bridge.close());

const rows = () => bridge.reader.desired({ limit: 10 }).items.map(({ key, wanted }) => [key, wanted]);

function start(planner: Planner = images): void {
  bridge = new TestEngine({ planners: [planner] });
  bridge.restart();
}

it('an object has not the sticky key of one of another kind with its name; made again, it has its own', () => {
  start({
    ...images,
    reads: { kinds: new Set(['CronJob', 'Job']), annotations: [] },
    planDesired: ({ uid }, { stickyKey }) => [{ key: stickyKey ?? uid, wanted: uid, sticky: true }],
    retire: () => null,
  });
  bridge.take([seen(CRON), seen(scheduled({ name: CRON.name }))]);
  const made = rows().map(([key]) => key);
  expect(made).toHaveLength(2);
  bridge.restart();
  bridge.take([seen({ ...CRON, uid: 'cron-2' }), seen(scheduled({ name: CRON.name, uid: 'job-2' }))]);
  expect(rows().map(([key]) => key)).toEqual(made);
});

describe('desired state of pods', () => {
  it('is that of the newest pod that lives, and is forgotten with the last', () => {
    start();
    bridge.take([seen(pod(2, 'a:1')), seen(pod(1, 'a:1')), seen(CRON), seen(scheduled())]);
    expect(rows()).toEqual([['a:1', 'web-2']]);
    bridge.take([{ ...seen(pod(2, 'a:1', { resourceVersion: '12' })), deleted: true }]);
    expect(rows()).toEqual([['a:1', 'web-1']]);
    bridge.take([{ ...seen(pod(1, 'a:1', { resourceVersion: '13' })), deleted: true }]);
    expect(rows()).toEqual([]);
  });

  it('follows what a pod becomes', () => {
    start();
    bridge.take([seen(pod(1, 'a:1'))]);
    bridge.take([seen(pod(1, 'a:2', { resourceVersion: '14' }))]);
    expect(rows()).toEqual([['a:2', 'web-1']]);
  });

  it('is planned at the start by a destination that is new', () => {
    start(without);
    bridge.take([seen(pod(1, 'a:1'))]);
    expect(rows()).toEqual([]);
    bridge.restart([images]);
    expect(rows()).toEqual([['a:1', 'web-1']]);
  });

  it('is given up at the start when its destination reads no pods any more', () => {
    start();
    bridge.take([seen(pod(1, 'a:1'))]);
    bridge.restart([without]);
    expect(rows()).toEqual([]);
  });
});
