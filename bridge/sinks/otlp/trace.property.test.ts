import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventFacts } from '../../../test/fixtures/facts.ts';
import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import type { RunStory, StoryContainer } from '../story.ts';
import { arrived, at, attempt, container, rollout, run, story, transition, wrongWith } from './fixtures.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** Whole seconds, of components whose clocks differ by minutes. */
const time = fc.integer({ min: -400, max: 400 }).map(at);

const runs: fc.Arbitrary<Run> = fc
  .record({
    kind: fc.constantFrom('Job', 'Pod', 'Deployment', 'StatefulSet', 'DaemonSet'),
    status: fc.constantFrom('succeeded', 'failed', 'cancelled', 'suspended', 'superseded', 'rolled_back', 'unknown'),
    createdAt: maybe(time),
    scheduledAt: maybe(time),
    startedAt: maybe(time),
    // What settles has ended.
    endedAt: time,
    failsAt: maybe(time),
    deleted: fc.boolean(),
  })
  .map((made) => (made.kind === 'Job' || made.kind === 'Pod' ? run(made as Run) : rollout(made as Run)));

const pod = fc.record({
  createdAt: maybe(time),
  podScheduledAt: maybe(time),
  startedAt: maybe(time),
  endedAt: maybe(time),
  goneAt: maybe(time),
  phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
  failed: maybe(fc.constantFrom('itself', 'restarted', 'disrupted', 'stopped')),
  index: maybe(fc.nat(300)),
});
/** Mostly a few; an indexed Job may have very many. */
const pods = fc
  .oneof(
    { weight: 9, arbitrary: fc.array(pod, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.array(pod, { minLength: 100, maxLength: 200 }) },
  )
  .map((all) => all.map((one, index) => attempt(String(index), one as Partial<Attempt>)));

/** Each end once, as the store has it; also of pods that are left out of the story. */
const containers = fc
  .uniqueArray(
    fc.record({
      podUid: fc.nat(5).map(String),
      name: fc.constantFrom('main', 'setup', 'mesh', 'debugger-x'),
      type: fc.constantFrom('app', 'init', 'sidecar', 'ephemeral'),
      instance: fc.nat(3),
      exitCode: fc.constantFrom(0, 1, 137, 143),
      stopped: maybe(fc.constant(true)),
      startedAt: maybe(time),
      endedAt: time,
    }),
    { maxLength: 12, selector: ({ podUid, name, instance }) => `${podUid}/${name}/${instance}` },
  )
  .map((all) => all.map((one) => container(one.podUid, one as Partial<StoryContainer>)));

const took = fc.constantFrom('1.5s', '2m3.5s', '350ms', '999999999h', '..s', '.s', '1h1h1h', '0s', '12µs');
const pulls = fc
  .array(
    fc.record({
      podUid: fc.nat(5).map(String),
      took,
      lastAt: maybe(time),
      container: fc.constantFrom('main', 'setup', ''),
    }),
    { maxLength: 5 },
  )
  .map((all) =>
    all.map(({ podUid: uid, took: text, lastAt, container: name }, index): EventFacts => {
      const regarding = {
        ...eventFacts().regarding,
        uid,
        fieldPath: name === '' ? undefined : `spec.containers{${name}}`,
      };
      const message = `Successfully pulled image "x" in ${text} (2s including waiting)`;
      return eventFacts({ uid: `event-${index}`, reason: 'Pulled', message, regarding, lastAt });
    }),
  );

const EDGES = ['run.suspended', 'run.resumed', 'run.stuck', 'run.unstuck'] as const;
const edges = fc
  .uniqueArray(fc.record({ kind: fc.constantFrom(...EDGES), on: fc.constantFrom('image', 'crash'), at: time }), {
    selector: ({ kind, on }) => `${kind}/${on}`,
  })
  .map((all) =>
    all.map(({ kind, on, at: when }): Transition => {
      return transition({ id: `uid/3/${kind.slice(4)}/${on}`, kind, at: when });
    }),
  );

const stories: fc.Arbitrary<RunStory> = fc
  .record({ run: runs, attempts: pods, containers, events: pulls, transitions: edges })
  .map(story);

it('never has a span that ends before it starts or lies outside its parent, nor one twice, whatever the clocks say', () => {
  fc.assert(
    fc.property(stories, (of) => {
      expect(wrongWith(arrived(of))).toEqual([]);
    }),
  );
});

it('is no longer than what is known of it: from the first time to the last, and at most a day of a pull before', () => {
  fc.assert(
    fc.property(stories, (of) => {
      const [root] = arrived(of).filter(({ parentSpanId }) => parentSpanId === '');
      expect(Number(root!.end - root!.start) / 1e9).toBeLessThan(24 * 3_600 + 1_000);
    }),
  );
});
