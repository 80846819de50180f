import { afterEach, describe, expect, it } from 'vitest';
import { container, podFacts, T0, terminated } from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import type { PodFacts } from '../../kubernetes/observation.ts';
import { about, failed, OF_POD, pod, web, WEB } from './agent-fixtures.ts';
import { at } from './issue-fixtures.ts';

/** Vectors of sentry-kubernetes (research/sentry.md §8b), in compatible mode; ⚠ marks what it got wrong. */

const PATTERNS = {
  oom: String.raw`^Memory cgroup out of memory: Killed process (?P<process_id>\d+) \((?P<process_name>[^)]+)\).*`,
  ready: '^Readiness probe failed:.*',
  nodes: String.raw`^0\/\d+ nodes are available:.*`,
  live: '^Liveness probe failed:.*',
  hook: '(?i)^Exec lifecycle hook .* for Container "(?P<container_name>[^"]+)".*',
};

let stage: SentryStage;
function open(issues: object = {}): SentryStage {
  return (stage = new SentryStage({ fingerprints: 'compatible', ...issues }));
}
afterEach(() => {
  stage.close();
});

describe('a filter', () => {
  it.each<[string, object, Partial<EventFacts>, boolean]>([
    ['V5 its defaults', {}, { reason: ' dockerstart ' }, false],
    ['V6 replaced defaults', { reasons: ['Foo'] }, { reason: 'DockerStart' }, true],
    ['V6 replaced defaults', { reasons: ['Foo'] }, { reason: 'fOO' }, false],
    ['extended defaults', { moreReasons: ['Foo'] }, { reason: 'DockerStart' }, false],
    ['V7 an empty list', { reasons: [] }, { reason: 'DockerStart' }, true],
    ['V8 no reason at all', { moreReasons: ['x'] }, { reason: undefined }, true],
    ['V9 a source', { sources: ['Kubelet'] }, { component: 'kubelet' }, false],
    [
      'V10 ⚠ a source that only the new field names',
      { sources: ['default-scheduler'] },
      { component: 'default-scheduler' },
      false,
    ],
  ])('by %s', (_what, filter, event, isSent) => {
    open({ filter })
      .see(pod())
      .warn({ message: 'm', ...event });
    expect(stage.events()).toHaveLength(isSent ? 1 : 0);
    expect(stage.drops()).toEqual(isSent ? [] : ['filtered_out']);
  });

  it('by reason or source counts for what the status of a pod shows too', () => {
    open({ filter: { moreReasons: ['oomkilled'] } }).see(pod({ containers: [failed('c', 137, 'OOMKilled')] }));
    expect(stage.drops()).toEqual(['filtered_out']);
    stage.close();
    open({ filter: { sources: ['x-pod-controller'] } }).see(pod({ containers: [failed('c', 1)] }));
    expect(stage.drops()).toEqual(['filtered_out']);
  });
});

it.each([
  ['Normal', 0],
  ['Warning', 1],
  ['', 1],
  ['Foo', 1],
])('V11 an Event of type "%s" is reported or not', (type, count) => {
  open().see(pod()).warn({ type });
  expect(stage.events()).toHaveLength(count);
});

it.each([
  ['V12 a second before the cut-off', { lastAt: T0 - 1_000, firstAt: T0 - 1_000 }, 0],
  ['V12 at the cut-off', { lastAt: T0, firstAt: T0 }, 1],
  ['V12 of no time at all', { lastAt: undefined, firstAt: undefined }, 1],
])('%s an Event is reported or not', (_what, times, count) => {
  open().see(pod()).warn(times);
  expect(stage.events()).toHaveLength(count);
});

describe('an Event', () => {
  it('V15 of a pod of a Deployment has its pattern, and the name of the pod before the message', () => {
    open().see(...WEB, pod({ owner: web }));
    stage.warn({ message: '(combined from similar events): Readiness probe failed: X', regarding: OF_POD });
    expect(stage.events()).toMatchObject([
      {
        message: 'p: Readiness probe failed: X',
        fingerprint: [PATTERNS.ready, 'Deployment', 'd'],
        tags: { combined_from_similar: 'true', deployment_name: 'd', pod_name: 'p', node_name: 'node-1' },
      },
    ]);
  });

  it('V16, V20 about a Node has its pattern and captures, no prefix, and no tag of a namespace', () => {
    const message = 'Memory cgroup out of memory: Killed process 12 (python) total-vm:1kB';
    open().warn({ message, regarding: about('Node', 'node-7', 'n7', '') });
    const [event] = stage.events();
    expect(event).toMatchObject({ message, fingerprint: [PATTERNS.oom, 'python'], tags: { node_name: 'node-7' } });
    expect(event?.tags).not.toHaveProperty('namespace');
  });

  it.each([
    ['V17', '1/3 nodes are available: x', ['1/3 nodes are available: x', 'Pod', 'p']],
    ['nodes', '0/3 nodes are available: x', [PATTERNS.nodes, 'Pod', 'p']],
    ['V18', 'exec LIFECYCLE hook ([x]) for container "c1" in Pod', [PATTERNS.hook, 'c1', 'Pod', 'p']],
    ['liveness', 'Liveness probe failed: x', [PATTERNS.live, 'Pod', 'p']],
  ])('%s with the message "%s" has the fingerprint of sentry-kubernetes', (_what, message, fingerprint) => {
    open().see(pod()).warn({ message, regarding: OF_POD });
    expect(stage.events()).toMatchObject([{ message: `p: ${message}`, fingerprint }]);
  });

  it('V19 about nothing that has a kind has the tag object_name', () => {
    open().warn({ regarding: about('', 'thing', 't') });
    expect(stage.events()[0]?.tags).toMatchObject({ object_name: 'thing' });
  });

  it('about what it does not know, or cannot find, has no fingerprint and no prefix', () => {
    open().warn({ uid: 'a', message: 'm', regarding: about('HorizontalPodAutoscaler', 'h', 'h') });
    stage.warn({ uid: 'b', message: 'm', regarding: about('Pod', 'unseen', 'u') });
    expect(stage.events().map(({ message, fingerprint }) => [message, fingerprint])).toEqual([
      ['m', undefined],
      ['m', undefined],
    ]);
    expect(stage.events()[0]?.tags).toMatchObject({ horizontalpodautoscaler_name: 'h' });
  });

  it('V44 ⚠ says who said it', () => {
    open().see(pod()).warn({ regarding: OF_POD });
    expect(stage.events()[0]).toMatchObject({
      contexts: { event: { component: 'kubelet', instance: 'node-1', count: 1 } },
      tags: { event_source_component: 'kubelet', watcher_name: 'events', event_type: 'Warning', reason: 'BackOff' },
    });
  });
});

describe('the end of a container', () => {
  it.each<[string, PodFacts, string[], string[][]]>([
    ['V23 exit 0', pod({ containers: [failed('c', 0)] }), [], []],
    [
      'V25 ⚠ of an init container',
      pod({ containers: [{ ...failed('i', 1), type: 'init' }] }),
      ['p: Error: container "i"'],
      [['Error: container "i"', 'Pod', 'p']],
    ],
    [
      'of a debug container',
      pod({ containers: [{ ...failed('e', 1), type: 'ephemeral' }] }),
      ['p: Error: container "e"'],
      [['Error: container "e"', 'Pod', 'p']],
    ],
    [
      'V27 two in one update',
      pod({ containers: [failed('a', 1), failed('b', 2)] }),
      ['p: Error: container "a"', 'p: Error: container "b"'],
      [
        ['Error: container "a"', 'Pod', 'p'],
        ['Error: container "b"', 'Pod', 'p'],
      ],
    ],
    [
      'V28 OOMKilled',
      pod({ containers: [failed('c', 137, 'OOMKilled')] }),
      ['p: OOMKilled: container "c"'],
      [['OOMKilled: container "c"', 'Pod', 'p']],
    ],
    [
      'with a message',
      pod({ containers: [container({ terminated: { ...terminated(1, at(9))!, message: 'boom' } })] }),
      ['p: boom'],
      [['boom', 'Pod', 'p']],
    ],
  ])('%s', (_what, facts, messages, fingerprints) => {
    open().see(facts);
    expect(stage.events().map(({ message }) => message)).toEqual(messages);
    expect(stage.events().map(({ fingerprint }) => fingerprint)).toEqual(fingerprints);
  });

  it('V24 is reported of a pod that is seen first when it had failed, and not of one that is stopped', () => {
    open().see(pod({ containers: [failed('c', 1)] }));
    expect(stage.events()).toHaveLength(1);
    stage.see(pod({ uid: 'other', deletionAt: at(5), containers: [failed('c', 143)] }));
    expect(stage.events()).toHaveLength(1);
  });

  it('V26 ⚠ is reported once, however often the pod changes, and once for each restart', () => {
    const state = { name: 'c', restartCount: 1, runningSince: at(12), lastTerminated: failed('c', 1).terminated };
    open().see(
      pod({ containers: [failed('c', 1)] }),
      pod({ containers: [failed('c', 1)] }),
      pod({ containers: [container(state)] }),
    );
    expect(stage.events()).toHaveLength(1);
    stage.see(pod({ containers: [container({ ...state, restartCount: 2, lastTerminated: terminated(1, at(40)) })] }));
    expect(stage.events()).toHaveLength(2);
  });

  it('has the tags of sentry-kubernetes', () => {
    open().see(pod({ containers: [failed('FakeDnsLabel', 1, 'Fake Reason: TestHandlePodWatchEvent')] }));
    expect(stage.events()[0]?.tags).toMatchObject({
      watcher_name: 'pods',
      reason: 'Fake Reason: TestHandlePodWatchEvent',
      kind: 'Pod',
      object_uid: podFacts().uid,
      namespace: 'shop',
      pod_name: 'p',
      container_name: 'FakeDnsLabel',
      event_source_component: 'x-pod-controller',
    });
  });
});

it('V43 global tags are on every event, and an empty one on none', () => {
  stage = new SentryStage({}, { tags: { Cluster: 'x=y', empty: '' } });
  stage.see(pod()).warn();
  expect(stage.events()[0]?.tags).toMatchObject({ Cluster: 'x=y' });
  expect(stage.events()[0]?.tags).not.toHaveProperty('empty');
});
