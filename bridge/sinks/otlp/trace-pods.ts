import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Attempt, Run } from '../../lifecycle/transition.ts';
import { isAttemptOver } from '../../lifecycle/transition.ts';
import type { RunStory, StoryContainer } from '../story.ts';
import { attemptSpanId, containerSpanId, spanIdOf } from './ids.ts';
import { attemptResource } from './resource.ts';
import type { Origin } from './resource.ts';
import type { SpanNode } from './span-tree.ts';

type Make = Pick<SpanNode, 'resource'> & { readonly traceId: string };

/** One pod of a run with what happened in it; one that lives on is drawn until `until`. */
export function attemptNode(
  story: RunStory,
  traceId: string,
  attempt: Attempt,
  until: Instant,
  origin: Origin,
  link: string | undefined,
): SpanNode {
  const { podUid, createdAt, startedAt, endedAt, goneAt } = attempt;
  const resource = attemptResource(story.run, attempt, origin);
  const make: Make = { resource, traceId };
  const containers = story.containers.filter((container) => container.podUid === podUid);
  const end = endedAt ?? goneAt ?? until;
  const start = createdAt ?? startedAt ?? Math.min(end, ...containers.map((one) => one.startedAt ?? one.endedAt));
  const error = attemptError(attempt);
  return {
    id: attemptSpanId(traceId, podUid),
    name: 'attempt',
    start,
    end,
    isOpen: !isAttemptOver(attempt),
    resource,
    attributes: {
      'cicd.pipeline.task.name': 'attempt',
      'cicd.pipeline.task.run.id': podUid,
      'cicd.pipeline.task.run.result': attemptResult(attempt),
      ...(link !== undefined && { 'cicd.pipeline.task.run.url.full': link }),
      ...(attempt.index !== undefined && { 'lifecycle_bridge.attempt.index': attempt.index }),
      ...(error !== undefined && { 'error.type': attempt.reason ?? attempt.failed ?? 'failed' }),
    },
    ...(error !== undefined && { error }),
    children: [
      ...waits(attempt, make),
      ...pulls(story.events, podUid, make),
      ...containerNodes(containers, make),
      ...backOffs(containers, make),
    ],
  };
}

function attemptResult({ failed, phase, endedAt, goneAt }: Attempt): string {
  if (failed === 'disrupted') return 'error';
  if (failed === 'stopped') return 'cancellation';
  if (failed === 'itself' || phase === 'Failed') return 'failure';
  return (endedAt ?? goneAt) === undefined || phase === 'Succeeded' || failed === undefined ? 'success' : 'failure';
}

function attemptError(attempt: Attempt): string | undefined {
  if (attempt.failed === 'stopped' || (attempt.failed === undefined && attempt.phase !== 'Failed')) return undefined;
  const { container, exitCode, reason, message } = attempt;
  const what = container === undefined ? reason : `container ${container} exited with ${exitCode ?? 'an unknown code'}`;
  return [what ?? 'failed', container === undefined ? message : reason].filter(Boolean).join(': ');
}

/** The time until it got a node. */
function waits({ podUid, createdAt, podScheduledAt, nodeName }: Attempt, { resource, traceId }: Make): SpanNode[] {
  if (createdAt === undefined || podScheduledAt === undefined || podScheduledAt <= createdAt) return [];
  const id = spanIdOf(traceId, 'schedule', podUid);
  const attributes = nodeName === undefined ? {} : { 'cicd.worker.name': nodeName };
  return [{ id, name: 'schedule', start: createdAt, end: podScheduledAt, resource, attributes, children: [] }];
}

const PULLED = / in ([\d.]+(?:h|ms|m|s|µs)[\d.hmsµ]*)/;
/** What is said to have taken longer, or a time that is not one, is not drawn: anybody may write an Event. */
const MAX_PULL_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, µs: 0.001 };

/** Ms of a duration as Go prints it: `1m2.5s`; NaN for what is not one. */
function goDuration(text: string): number {
  return [...text.matchAll(/([\d.]+)(ms|µs|h|m|s)/g)].reduce(
    (sum, [, count = '0', unit = 's']) => sum + Number(count) * (UNIT_MS[unit] ?? 0),
    0,
  );
}

/** What kubelet's Events say of images that it pulled, maybe one several times; those that were there already are not drawn. */
function pulls(events: readonly EventFacts[], podUid: string, { resource, traceId }: Make): SpanNode[] {
  return events.flatMap(({ uid, reason, regarding, message = '', lastAt }): SpanNode[] => {
    const [, took] = PULLED.exec(message) ?? [];
    if (reason !== 'Pulled' || regarding.uid !== podUid || lastAt === undefined || took === undefined) return [];
    const ms = goDuration(took);
    if (!(ms <= MAX_PULL_MS)) return [];
    const container = /\{(.+)\}/.exec(regarding.fieldPath ?? '')?.[1] ?? '';
    return [
      {
        id: spanIdOf(traceId, 'pull', podUid, uid),
        name: 'pull image',
        start: Math.max(0, Math.round(lastAt - ms)),
        end: lastAt,
        resource,
        attributes: container === '' ? {} : { 'k8s.container.name': container },
        children: [],
      },
    ];
  });
}

function containerNode(container: StoryContainer, { resource, traceId }: Make): SpanNode {
  const { podUid, name, type, instance, image, exitCode, signal, reason, message, stopped } = container;
  const failed = exitCode !== 0 && stopped !== true;
  return {
    id: containerSpanId(traceId, podUid, name, instance),
    name: type === 'app' ? 'container' : `${type} container`,
    start: container.startedAt ?? container.endedAt,
    end: container.endedAt,
    resource,
    attributes: {
      'k8s.container.name': name,
      'k8s.container.restart_count': instance,
      ...(image !== '' && { 'container.image.name': image }),
      'process.exit.code': exitCode,
      ...(signal !== undefined && { 'lifecycle_bridge.container.signal': signal }),
      ...(reason !== undefined && { 'k8s.container.status.reason': reason }),
      ...(failed && { 'error.type': reason ?? `exit ${exitCode}` }),
    },
    ...(failed && { error: [`exit code ${exitCode}`, reason, message].filter(Boolean).join(': ') }),
    children: [],
  };
}

/** Kubelet may count a container's restarts from the start again: each end has a span of its own, whatever its number. */
function containerNodes(containers: readonly StoryContainer[], make: Make): SpanNode[] {
  const counts = new Map<string, number>();
  return containers.map((container) => {
    const node = containerNode(container, make);
    const before = counts.get(node.id) ?? 0;
    counts.set(node.id, before + 1);
    return before === 0 ? node : { ...node, id: spanIdOf(make.traceId, 'recounted', node.id, String(before)) };
  });
}

/** Between the end of a container and its next start. */
function backOffs(containers: readonly StoryContainer[], { resource, traceId }: Make): SpanNode[] {
  return containers.flatMap((before): SpanNode[] => {
    const next = containers.find(({ name, instance }) => name === before.name && instance === before.instance + 1);
    if (next?.startedAt === undefined || next.startedAt <= before.endedAt) return [];
    return [
      {
        id: spanIdOf(traceId, 'back-off', before.podUid, before.name, String(next.instance)),
        name: 'back-off',
        start: before.endedAt,
        end: next.startedAt,
        resource,
        attributes: { 'k8s.container.name': before.name },
        children: [],
      },
    ];
  });
}

/** Between attempts of a Job while none was there. */
export function gaps(
  attempts: readonly Attempt[],
  run: Run,
  traceId: string,
  resource: SpanNode['resource'],
): SpanNode[] {
  if (run.kind !== 'Job') return [];
  const known = attempts.filter((one) => one.createdAt !== undefined).toSorted((a, b) => a.createdAt! - b.createdAt!);
  let over = known[0]?.createdAt ?? 0;
  return known.flatMap((attempt): SpanNode[] => {
    const [start, end] = [over, attempt.createdAt!];
    over = Math.max(over, attempt.endedAt ?? attempt.goneAt ?? Infinity);
    if (end <= start) return [];
    const id = spanIdOf(traceId, 'gap', attempt.podUid);
    return [{ id, name: 'back-off', start, end, resource, attributes: {}, children: [] }];
  });
}
