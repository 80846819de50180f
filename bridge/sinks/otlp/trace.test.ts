import { describe, expect, it } from 'vitest';
import { eventFacts } from '../../../test/fixtures/facts.ts';
import type { RunStory } from '../story.ts';
import { at, attempt, container, JOB_UID, rollout, run, story, T0, TRACE_ID, transition } from './fixtures.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import { readTraceparent } from './ids.ts';
import type { SpanNode } from './span-tree.ts';
import { spansOf, spansSoFar } from './deliver.ts';
import type { Milestone } from './plan.ts';
import { traceOf } from './trace.ts';

const origin = { clusterName: 'production', attributes: {} };
const trace = (changes: Partial<RunStory> = {}): SpanNode => traceOf(story(changes), origin, 'https://page.example');

/** Each span in a line: how deep, its name, seconds after T0, and why it failed. */
function drawn(node: SpanNode, depth = 0): string[] {
  const line = `${'  '.repeat(depth)}${node.name} ${(node.start - T0) / 1000}–${(node.end - T0) / 1000}`;
  const children = node.children.toSorted((a, b) => a.start - b.start || a.end - b.end);
  return [
    node.error === undefined ? line : `${line} ✗ ${node.error}`,
    ...children.flatMap((one) => drawn(one, depth + 1)),
  ];
}

describe('the trace of a run', () => {
  it('shows the wait, each pod with what happened in it, and the gaps between them', () => {
    expect(drawn(trace())).toEqual([
      'RUN report 0–100',
      '  queue 0–2',
      '  attempt 2–20 ✗ container main exited with 3: Error',
      '    schedule 2–3',
      '    container 5–20 ✗ exit code 3: Error',
      '  back-off 20–30',
      '  attempt 30–50 ✗ container main exited with 3: Error',
      '    schedule 30–31',
      '    container 33–50 ✗ exit code 3: Error',
      '  back-off 50–70',
      '  attempt 70–99',
      '    schedule 70–71',
      '    container 73–99',
    ]);
  });

  it('shows each start of a container, the pause before it, and how long the pull of its image took', () => {
    const pulled = 'Successfully pulled image "x" in 1.5s (2s including waiting). Image size: 1 bytes.';
    const regarding = { ...eventFacts().regarding, uid: 'a', fieldPath: 'spec.containers{main}' };
    const again = [
      container('a', { exitCode: 1, endedAt: at(8) }),
      container('a', { instance: 1, exitCode: 0, startedAt: at(18), endedAt: at(20) }),
    ];
    const events = [eventFacts({ reason: 'Pulled', message: pulled, regarding, lastAt: at(5) })];
    expect(drawn(trace({ attempts: [attempt('a')], containers: again, events })).slice(2)).toEqual([
      '  attempt 2–20',
      '    schedule 2–3',
      '    pull image 3.5–5',
      '    container 5–8 ✗ exit code 1: Completed',
      '    back-off 8–18',
      '    container 18–20',
    ]);
  });

  it('has a span for each end of a container whose restarts kubelet counted from the start again', () => {
    const again = [container('a', { exitCode: 1, endedAt: at(8) }), container('a', { exitCode: 0, endedAt: at(20) })];
    const ids = (): string[] => {
      const found = trace({ attempts: [attempt('a')], containers: again }).children.find(
        ({ name }) => name === 'attempt',
      );
      return found!.children.filter(({ name }) => name === 'container').map(({ id }) => id);
    };
    expect(ids()).toHaveLength(2);
    expect(new Set(ids()).size).toBe(2);
    expect(ids()).toEqual(ids());
  });

  const ended = (status: string, reason?: string, failed?: 'disrupted'): unknown =>
    trace({
      run: run({ status: status as 'failed', reason }),
      attempts: failed ? [attempt('a', { failed, phase: 'Failed', reason: 'Evicted' })] : story().attempts,
    }).attributes['cicd.pipeline.result'];
  it.each([
    ['succeeded', undefined, 'success'],
    ['failed', 'BackoffLimitExceeded', 'failure'],
    ['failed', 'DeadlineExceeded', 'timeout'],
    ['cancelled', undefined, 'cancellation'],
    ['superseded', undefined, 'cancellation'],
    ['unknown', undefined, 'error'],
  ])('of a run that %s (%s) has the result %s', (status, reason, result) => {
    expect(ended(status, reason)).toBe(result);
  });

  it('has the result error when the cluster took the pod away', () => {
    expect(ended('failed', 'BackoffLimitExceeded', 'disrupted')).toBe('error');
  });

  it('names the cause in its status, the workload as the service, and the page', () => {
    const root = trace({ run: run({ status: 'failed', reason: 'BackoffLimitExceeded' }) });
    expect(root).toMatchObject({
      error: expect.stringContaining('container main exited with 3'),
      attributes: {
        'error.type': 'BackoffLimitExceeded',
        'cicd.pipeline.run.url.full': `https://page.example/runs/${JOB_UID}`,
      },
      resource: {
        'service.name': 'report',
        'k8s.cluster.name': 'production',
        'k8s.cronjob.name': 'report',
        'k8s.job.uid': JOB_UID,
      },
    });
  });
});

describe('ids', () => {
  it('of a Job are its UID without dashes, of a rollout a hash of its workload and revision', () => {
    expect(traceIdOf(run())).toBe(TRACE_ID);
    const [one, two] = [1, 2].map((revision) => traceIdOf(run({ revision, runKey: `uid/${revision}` })));
    expect([one, two]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.not.stringMatching(one!)]);
  });

  it.each(['', 'x', '00000000-0000-0000-0000-000000000000', 'f'.repeat(31)])('are valid for the UID "%s"', (uid) => {
    expect(traceIdOf(run({ uid }))).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });

  it('are the same in each export, and of each span another', () => {
    const ids = (): string[] => spansOf(story(), origin, undefined).map((span) => span.spanContext().spanId);
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(ids().length);
  });

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', false],
    ['01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', true],
    ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', false],
    ['nonsense', false],
    [undefined, false],
  ])('of the traceparent %s are read: %s', (text, valid) => {
    expect(readTraceparent(text) !== undefined).toBe(valid);
  });
});

it('links to the run before it and to the traceparent of its Job', () => {
  const previous = run({ uid: 'f'.repeat(8) + JOB_UID.slice(8) });
  const annotations = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const [root, ...others] = spansOf(
    story({ previous, object: { ...story().object!, annotations } }),
    origin,
    undefined,
  );
  expect(root!.links.map(({ context }) => context.traceId)).toEqual([
    'ffffffff4c2e4b6a9a550123456789ab',
    '0af7651916cd43dd8448eb211c80319c',
  ]);
  expect(others.flatMap(({ links }) => links)).toEqual([]);
});

describe('a rollout that goes on', () => {
  const going = rollout({ createdAt: at(-9_000) });
  const alive = attempt('b', { endedAt: undefined, phase: 'Running' });
  const crashed = container('b', { exitCode: 1, reason: 'Error' });
  const stuck = transition({ id: 'uid/3/stuck/image', kind: 'run.stuck', at: at(30), reason: 'ErrImagePull' });
  const moved = transition({ id: 'uid/3/unstuck/image', kind: 'run.unstuck', at: at(50) });
  const part = { attempts: [attempt('a'), alive], containers: [container('a'), crashed] };
  const always = { after: null, upTo: Infinity };
  const soFar = (more: Partial<RunStory>, milestone: Milestone = always) =>
    spansSoFar(story({ run: going, ...part, ...more }), milestone, origin, undefined);

  it('has spans of what is over: not the root, nor a pod that lives on, nor what it is stuck on', () => {
    const names = soFar({ transitions: [stuck] }).map(({ name }) => name);
    expect(names).toEqual(['attempt', 'schedule', 'container', 'schedule', 'container']);
    expect(soFar({ transitions: [stuck, moved] }).find(({ name }) => name === 'stuck')).toMatchObject({
      startTime: [at(30) / 1000, 0],
      endTime: [at(50) / 1000, 0],
      attributes: { 'error.type': 'ErrImagePull' },
    });
  });

  it('has each in one milestone, by the time when it ended', () => {
    const transitions = [stuck, moved];
    const milestones = [-9_000, 20, 30, 49.999, 50, 3_600]
      .map(at)
      .map((upTo, n, all) => ({ after: all[n - 1] ?? null, upTo }));
    const each = milestones.map((milestone) =>
      soFar({ transitions }, milestone).map((span) => span.spanContext().spanId),
    );
    expect(each.filter((ids) => ids.length > 0).length).toBeGreaterThan(1);
    expect(each.flat().toSorted()).toEqual(
      soFar({ transitions })
        .map((span) => span.spanContext().spanId)
        .toSorted(),
    );
    expect(soFar({ transitions }, milestones[4]).map(({ name }) => name)).toContain('stuck');
  });

  it('has them with the ids and times that they have in the trace of its end', () => {
    const transitions = [stuck, moved];
    const ended = story({ run: { ...going, status: 'succeeded', endedAt: at(100) }, ...part, transitions });
    const whole = new Map(spansOf(ended, origin, undefined).map((span) => [span.spanContext().spanId, span]));
    for (const span of soFar({ transitions })) {
      const { startTime, endTime, name, attributes } = whole.get(span.spanContext().spanId)!;
      expect(span).toMatchObject({ startTime, endTime, name, attributes });
    }
    expect([...whole.values()][0]).toMatchObject({ name: 'RUN report', startTime: [at(2) / 1000, 0] });
    expect(spansSoFar(ended, always, origin, undefined)).toEqual([]);
  });
});
