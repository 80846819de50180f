import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { gzipSync } from 'node:zlib';
import { jobFacts } from '../../../test/fixtures/facts.ts';
import type { ArrivedSpan } from '../../../test/vendors/otlp-receiver.ts';
import { readSpans } from '../../../test/vendors/otlp-receiver.ts';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import type { RunStory, StoryContainer } from '../story.ts';
import { spansOf } from './deliver.ts';

export const JOB_UID = '6f1f3c52-4c2e-4b6a-9a55-0123456789ab';
export const TRACE_ID = '6f1f3c524c2e4b6a9a550123456789ab';
export const T0 = Date.UTC(2026, 0, 5, 10);
/** Seconds after T0, as Kubernetes writes times. */
export const at = (seconds: number): number => T0 + seconds * 1000;

export function run(changes: Partial<Run> = {}): Run {
  return {
    uid: JOB_UID,
    kind: 'Job',
    namespace: 'shop',
    name: 'report-29460600',
    runKey: `cron-1/${T0}`,
    ownerKind: 'CronJob',
    ownerName: 'report',
    ownerUid: 'cron-1',
    status: 'succeeded',
    createdAt: at(1),
    scheduledAt: T0,
    startedAt: at(2),
    endedAt: at(100),
    reason: undefined,
    message: undefined,
    deleted: false,
    ...changes,
  };
}

/** A rollout of a Deployment that goes on. */
export function rollout(changes: Partial<Run> = {}): Run {
  const going = { status: 'running', scheduledAt: undefined, endedAt: undefined } as const;
  return run({ kind: 'Deployment', revision: 3, runKey: 'uid/3', ...going, ...changes });
}

export function attempt(podUid: string, changes: Partial<Attempt> = {}): Attempt {
  return {
    podUid,
    podName: `report-${podUid}`,
    nodeName: 'node-a',
    phase: 'Succeeded',
    index: undefined,
    createdAt: at(2),
    podScheduledAt: at(3),
    startedAt: at(3),
    endedAt: at(20),
    container: undefined,
    exitCode: undefined,
    reason: undefined,
    ...changes,
  };
}

export function container(podUid: string, changes: Partial<StoryContainer> = {}): StoryContainer {
  return {
    podUid,
    podName: `report-${podUid}`,
    name: 'main',
    type: 'app',
    instance: 0,
    image: 'registry.example/report:1.2',
    exitCode: 0,
    reason: 'Completed',
    startedAt: at(5),
    endedAt: at(20),
    ...changes,
  };
}

const failedPod = { phase: 'Failed', failed: 'itself', container: 'main', exitCode: 3, reason: 'Error' } as const;

/** A run of a CronJob: two pods fail, the third succeeds. */
export function story(changes: Partial<RunStory> = {}): RunStory {
  return {
    run: run(),
    object: jobFacts({ uid: JOB_UID, name: 'report-29460600' }),
    owners: [],
    previous: undefined,
    attempts: [
      attempt('a', failedPod),
      attempt('b', { ...failedPod, createdAt: at(30), podScheduledAt: at(31), startedAt: at(31), endedAt: at(50) }),
      attempt('c', { createdAt: at(70), podScheduledAt: at(71), startedAt: at(71), endedAt: at(99) }),
    ],
    containers: [
      container('a', { exitCode: 3, reason: 'Error' }),
      container('b', { exitCode: 3, reason: 'Error', startedAt: at(33), endedAt: at(50) }),
      container('c', { startedAt: at(73), endedAt: at(99) }),
    ],
    transitions: [],
    logs: [],
    events: [],
    ...changes,
  };
}

export function log(podUid: string, text: string): RunStory['logs'][number] {
  return {
    runUid: JOB_UID,
    namespace: 'shop',
    podUid,
    podName: `report-${podUid}`,
    container: 'main',
    instance: 0,
    exitCode: 0,
    endedAt: at(20),
    restarts: false,
    outcome: 'kept',
    detail: undefined,
    bytes: text.length,
    cut: false,
    text: gzipSync(text),
  };
}

export function transition(changes: Partial<Transition> = {}): Transition {
  const about = { kind: 'Job', namespace: 'shop', name: 'report-29460600', uid: JOB_UID };
  return {
    id: `cron-1/${T0}/started`,
    kind: 'run.started',
    at: at(2),
    about,
    runUid: JOB_UID,
    text: 'started',
    ...changes,
  };
}

/** The trace of a run as it arrives; what cannot be written down throws. */
export function arrived(of: RunStory): readonly ArrivedSpan[] {
  const spans = spansOf(of, { clusterName: 'production', attributes: {} }, undefined);
  return readSpans(Buffer.from(ProtobufTraceSerializer.serializeRequest(spans)!));
}

/** What a backend could not draw. */
export function wrongWith(spans: readonly ArrivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === '').length;
  return [
    ...(byId.size === spans.length ? [] : ['a span twice']),
    ...(roots === 1 ? [] : [`${roots} roots`]),
    ...spans.flatMap(({ name, start, end, parentSpanId }): string[] => {
      if (end < start) return [`${name} ends before it starts`];
      const parent = byId.get(parentSpanId);
      if (parentSpanId === '') return [];
      if (parent === undefined) return [`${name} without its parent`];
      return start < parent.start || end > parent.end ? [`${name} outside of its ${parent.name}`] : [];
    }),
  ];
}
