import type { Attributes } from '@opentelemetry/api';
import { causeOf } from '../../lifecycle/cause.ts';
import type { RunResult } from '../../lifecycle/result.ts';
import { errorTypeOf, resultOf } from '../../lifecycle/result.ts';
import type { Run } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import { pageLink } from '../../lib/page-link.ts';
import type { RunStory } from '../story.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import { rootSpanId, spanIdOf } from './ids.ts';
import { runResource, workloadName } from './resource.ts';
import type { Origin } from './resource.ts';
import { fit } from './span-tree.ts';
import type { SpanNode } from './span-tree.ts';
import { attemptNode, gaps } from './trace-pods.ts';

/** The trace of a run that is over: its root, with everything that is known of it inside. Pure: same story, same spans. */
export function traceOf(story: RunStory, origin: Origin, pageUrl: string | undefined): SpanNode {
  const { run, attempts } = story;
  const traceId = traceIdOf(run);
  const resource = runResource(run, origin);
  const link = pageLink(pageUrl, 'runs', run.uid);
  // What a rollout brings may have been made long before: by a rollback it is brought back.
  const createdAt = run.revision === undefined ? run.createdAt : undefined;
  const start = run.scheduledAt ?? createdAt ?? run.startedAt ?? run.endedAt ?? 0;
  const end = run.endedAt ?? run.startedAt ?? start;
  const cause = causeOf(run, attempts);
  const result = resultOf(run, attempts);
  const errorType = errorTypeOf(run, result);
  return fit({
    id: rootSpanId(traceId),
    name: `RUN ${workloadName(run)}`,
    start: createdAt === undefined ? start : Math.min(start, createdAt),
    end,
    isOpen: run.endedAt === undefined,
    resource,
    attributes: rootAttributes(story, result, errorType, link),
    ...(errorType !== undefined && { error: cause?.text ?? run.message ?? run.reason ?? run.status }),
    children: [
      ...queueWait(run, traceId, start, resource),
      ...attempts.map((attempt) => attemptNode(story, traceId, attempt, end, origin, link)),
      ...gaps(attempts, run, traceId, resource),
      ...stuckTimes(story, traceId, end, resource),
    ],
  });
}

/** Each time that a rollout waited for a person, until it moved again. */
function stuckTimes({ run, transitions }: RunStory, traceId: string, end: Instant, resource: Attributes): SpanNode[] {
  if (run.revision === undefined) return [];
  const moved = new Map(transitions.filter(({ kind }) => kind === 'run.unstuck').map(({ id, at }) => [id, at]));
  return transitions
    .filter(({ kind }) => kind === 'run.stuck')
    .map(({ id, at, text, reason }) => {
      const movedAt = moved.get(id.replace('/stuck/', '/unstuck/'));
      return {
        id: spanIdOf(traceId, 'stuck', id),
        name: 'stuck',
        start: at,
        end: movedAt ?? end,
        isOpen: movedAt === undefined,
        resource,
        attributes: { 'error.type': reason ?? 'stuck' },
        error: text,
        children: [],
      };
    });
}

function rootAttributes(
  { run, leftOut }: RunStory,
  result: RunResult,
  errorType: string | undefined,
  link: string | undefined,
): Attributes {
  return {
    'cicd.pipeline.name': workloadName(run),
    'cicd.pipeline.run.id': run.uid,
    'cicd.pipeline.action.name': 'RUN',
    'cicd.pipeline.result': result,
    ...(link !== undefined && { 'cicd.pipeline.run.url.full': link, 'cicd.pipeline.task.run.url.full': link }),
    ...(errorType !== undefined && { 'error.type': errorType }),
    'lifecycle_bridge.run.kind': run.kind,
    'lifecycle_bridge.run.outcome': run.status,
    ...(run.revision !== undefined && { 'lifecycle_bridge.run.revision': run.revision }),
    ...(run.manual === true && { 'lifecycle_bridge.run.manual': true }),
    ...(run.scheduledAt !== undefined && {
      'lifecycle_bridge.run.scheduled_at': new Date(run.scheduledAt).toISOString(),
    }),
    ...(leftOut !== undefined && { 'lifecycle_bridge.left_out.attempts': leftOut.attempts }),
  };
}

/** From the scheduled time, or the creation, to the start. */
function queueWait(run: Run, traceId: string, start: number, resource: Attributes): SpanNode[] {
  if (run.startedAt === undefined || run.startedAt <= start) return [];
  const id = spanIdOf(traceId, 'queue');
  const attributes = { 'cicd.pipeline.run.state': 'pending' };
  return [{ id, name: 'queue', start, end: run.startedAt, resource, attributes, children: [] }];
}
