import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, container, podFacts, T0 } from '../../test/fixtures/facts.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { at, complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
let engine: TestEngine;
beforeEach(() => {
  engine = new TestEngine();
  engine.take([at(CRON, T0), at(scheduled(), T0)], T0);
});
afterEach(() => engine.close());

let version = 1_000;
const pod = (changes: Partial<PodFacts>): PodFacts => podFacts({ resourceVersion: String(version++), ...changes });
const nowhere = (): PodFacts => pod({ unschedulable: '0/3 nodes are available' });
const creating = container({ waiting: { reason: 'ContainerCreating', message: undefined } });
const placed = (startAt: Instant): PodFacts => pod({ nodeName: 'node1', startAt, containers: [creating] });
const running = (runningSince: Instant): PodFacts =>
  pod({ nodeName: 'node1', startAt: T0, phase: 'Running', containers: [container({ runningSince })] });

/** `kind reason@minutes after T0` of what was reported about being stuck. */
function reported(uid: string = JOB_UID): string[] {
  const stuck = engine.transitions(uid).filter(({ kind }) => kind === 'run.stuck' || kind === 'run.unstuck');
  return stuck.map(
    (transition) => `${transition.kind.slice(4)} ${transition.reason ?? ''}@${(transition.at - T0) / MINUTE}`,
  );
}

describe('a pod that no node takes', () => {
  it('makes its run stuck after five minutes, once, and closes it when it moves', () => {
    engine.take([at(nowhere(), T0)], T0);
    engine.live(T0, T0 + 4 * MINUTE);
    expect(reported()).toEqual([]);
    engine.live(T0 + 4 * MINUTE, T0 + 8 * MINUTE);
    expect(reported()).toEqual(['stuck Unschedulable@5']);
    expect(engine.run()).toMatchObject({ status: 'stuck', reason: 'Unschedulable' });
    engine.take([at(nowhere(), T0 + 9 * MINUTE)], T0 + 9 * MINUTE);
    engine.live(T0 + 9 * MINUTE, T0 + 20 * MINUTE);
    expect(reported()).toEqual(['stuck Unschedulable@5']);
    engine.take([at(running(T0 + 20 * MINUTE), T0 + 20 * MINUTE)], T0 + 20 * MINUTE);
    expect(reported()).toEqual(['stuck Unschedulable@5', 'unstuck @20']);
    expect(engine.run()?.status).toBe('running');
  });

  it('is not stuck when its Job ended before, whatever was lost of the pod; one that ended later does not hide it', () => {
    engine.take([at(nowhere(), T0)], T0);
    engine.take([at(complete(), T0 + MINUTE)], T0 + MINUTE);
    engine.live(T0, T0 + 10 * MINUTE);
    expect(reported()).toEqual([]);
    const later = { uid: uidOf(7), name: 'report-7' };
    const waiting = { ...nowhere(), uid: uidOf(8), owner: { ...podFacts().owner!, ...later } };
    const end = T0 + 9 * MINUTE;
    engine.take([at(waiting, T0), at(complete({ ...later, conditions: [condition('Failed', end)] }), end)], end);
    engine.live(end, T0 + 12 * MINUTE);
    expect(reported(later.uid)).toEqual(['stuck Unschedulable@5']);
  });

  it('is not stuck when it started in time, or ended', () => {
    engine.take([at(nowhere(), T0)], T0);
    engine.live(T0, T0 + 4 * MINUTE);
    engine.take([at(running(T0 + 4 * MINUTE), T0 + 4 * MINUTE)], T0 + 4 * MINUTE);
    engine.live(T0 + 4 * MINUTE, T0 + 15 * MINUTE);
    const other = podFacts({ uid: '22222222-0000-4000-8000-000000000002', unschedulable: '' });
    engine.take([at(other, T0)], T0 + 15 * MINUTE);
    engine.take([at({ ...other, resourceVersion: '101' }, T0, true)], T0 + 15 * MINUTE);
    engine.live(T0 + 15 * MINUTE, T0 + 30 * MINUTE);
    expect(reported()).toEqual([]);
  });

  it('is closed when a node took it, and pending from then on', () => {
    engine.take([at(nowhere(), T0)], T0);
    engine.live(T0, T0 + 8 * MINUTE);
    engine.take([at(pod({ nodeName: 'node1' }), T0 + 8 * MINUTE)], T0 + 8 * MINUTE);
    engine.take([at(placed(T0 + 8 * MINUTE), T0 + 8 * MINUTE)], T0 + 8 * MINUTE);
    engine.live(T0 + 8 * MINUTE, T0 + 21 * MINUTE);
    expect(reported()).toEqual(['stuck Unschedulable@5', 'unstuck @8', 'stuck Pending@18']);
  });
});

describe('a pod on a node', () => {
  it('is stuck when no container started for ten minutes', () => {
    engine.take([at(placed(T0), T0)], T0);
    engine.live(T0, T0 + 9 * MINUTE);
    expect(reported()).toEqual([]);
    engine.live(T0 + 9 * MINUTE, T0 + 13 * MINUTE);
    expect(reported()).toEqual(['stuck Pending@10']);
  });

  it.each([
    ['an init container runs', { containers: [container({ type: 'init', runningSince: T0 }), creating] }],
    ['it is being deleted', { containers: [creating], deletionAt: T0 + MINUTE }],
    [
      'it is stuck for a reason of its own',
      { containers: [container({ waiting: { reason: 'ErrImagePull', message: undefined } })] },
    ],
  ])('is not pending while %s', (_name, changes) => {
    engine.take([at(pod({ nodeName: 'node1', startAt: T0, ...changes }), T0)], T0);
    engine.live(T0, T0 + 15 * MINUTE);
    expect(reported().filter((text) => text.includes('Pending'))).toEqual([]);
  });
});

describe('the clock alone', () => {
  it('does not judge what was heard before a silence; a restart neither forgets nor repeats', () => {
    engine.take([at(nowhere(), T0)], T0);
    engine.restart();
    for (let now = T0 + 6 * MINUTE; now < T0 + 20 * MINUTE; now += MINUTE) engine.tick(now);
    expect(reported()).toEqual([]);
    engine.live(T0 + 20 * MINUTE, T0 + 22 * MINUTE);
    expect(reported()).toEqual(['stuck Unschedulable@5']);
    engine.restart();
    engine.live(T0 + 23 * MINUTE, T0 + 26 * MINUTE);
    expect(reported()).toEqual(['stuck Unschedulable@5']);
  });
});
