import { afterEach, beforeEach, expect, it } from 'vitest';
import { seen } from '../../../test/fixtures/facts.ts';
import type { Facts } from '../../kubernetes/observation.ts';
import { controllerRevision, daemonSet } from '../../lifecycle/testing/rollouts.ts';
import { AuditBench } from './audit-fixture.ts';

let bench: AuditBench;
beforeEach(() => {
  bench = new AuditBench();
});
afterEach(() => bench.remove());

const revision = (letter: string, number: number, made: number, version: string): Facts =>
  controllerRevision('agent', letter, { revision: number, templateGeneration: made, resourceVersion: version });
const changed = (step: number, version: string): Facts =>
  daemonSet({ generation: step, observedGeneration: step, templateGeneration: step, resourceVersion: version });
const runs = (): string[] =>
  bench.reader
    .runs({ limit: 10 })
    .items.map((run) => `${run.revision} ${run.status}`)
    .toSorted();

it('a DaemonSet that LISTs alone show is at its last revision, and the one before it never came up', () => {
  const [a, b] = [revision('a', 1, 1, '101'), revision('b', 2, 2, '104')];
  bench.take(seen(a), seen(changed(1, '102')), seen(b), seen(changed(2, '105')));
  bench.list('DaemonSet', '200', [changed(4, '160')]);
  bench.list('ControllerRevision', '201', [revision('a', 3, 1, '130'), revision('b', 4, 2, '150')]);
  expect(runs()).toEqual(['1 succeeded', '2 succeeded', '4 succeeded']);
});

it.each([undefined, 'shop'])('a LIST of all ControllerRevisions (namespace: %s) says at which a DaemonSet is', (of) => {
  const [a, b] = [revision('a', 1, 1, '101'), revision('b', 2, 2, '104')];
  bench.take(seen(a), seen(changed(1, '102')), seen(b), seen(changed(2, '105')));
  // Two changes of its template that its controller took for one.
  const back = revision('a', 3, 1, '150');
  bench.take(seen(changed(4, '160')), seen(back));
  expect(runs()).toEqual(['1 succeeded', '2 succeeded']);
  bench.list('ControllerRevision', '155', [back, b], of);
  expect(runs()).toEqual(['1 succeeded', '2 succeeded']);
  bench.list('ControllerRevision', '200', [back, b], of);
  expect(runs()).toEqual(['1 succeeded', '2 succeeded', '3 succeeded']);
});
