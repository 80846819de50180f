import { isLastPhase } from '../../kubernetes/kinds/pod.ts';
import type { PodFacts } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import { isInSelection } from '../selection.ts';
import type { Desired, DesiredContext, Planner, Reads } from '../sink.ts';
import { FORGET } from '../sink.ts';
import type { KubernetesConfig } from './config.ts';
import { rfc3339 } from './rfc3339.ts';
import type { Wanted } from './wanted.ts';
import { wantedSchema } from './wanted.ts';

export const READS: Reads = { kinds: new Set(['Pod']), annotations: [] };

/** What of a crash, a lost answer or an answer that never came as a record is looked at again. */
const ASSERT_MS = 10 * 60_000;

/**
 * The pure half of `kubernetes/<name>`: a row for each pod that asks for a timestamp and has none. It is forgotten as soon
 * as the pod is seen with one, is deleted, or asks no more: what is taken away by hand is a new row with a new time.
 */
export function createKubernetesPlanner(name: string, config: KubernetesConfig): Planner {
  return {
    destination: `kubernetes/${name}`,
    hears: new Set(),
    reads: { ...READS, annotations: [config.trigger, config.result] },
    plan: () => null,
    planDesired: (object, context) => (object.kind === 'Pod' ? planTimestamp(object, context, config) : []),
    retire: () => FORGET,
    assertEveryMs: ASSERT_MS,
  };
}

function planTimestamp(pod: PodFacts, context: DesiredContext, config: KubernetesConfig): Desired[] {
  const { trigger, result, over } = config;
  const { uid, namespace, name, annotations } = pod;
  if (!Object.hasOwn(annotations, trigger) || Object.hasOwn(annotations, result)) return [];
  if (!isInSelection(pod, config)) return [];
  const { data: before } = wantedSchema.safeParse(context.previous(uid));
  const value = valueOf(pod, before?.value, context.now, config);
  const wanted = {
    namespace,
    name,
    uid,
    annotation: result,
    ...(value !== undefined ? { value } : isLeft(pod, config) && { isOver: true as const }),
    evenOver: over === 'write',
  } satisfies Wanted;
  return [{ key: uid, wanted }];
}

/** Undefined while nothing is to be written. What was to be written before the pod was over stays: the pod is asked. */
function valueOf(
  pod: PodFacts,
  before: string | undefined,
  now: Instant,
  config: KubernetesConfig,
): string | undefined {
  if (isLeft(pod, config)) return before;
  const { timeZone, value } = config;
  const at = value === 'started' ? pod.startAt : (timeOf(before) ?? now);
  return at === undefined ? undefined : rfc3339(at, timeZone);
}

function isLeft({ deletionAt, phase }: PodFacts, { over }: KubernetesConfig): boolean {
  return over === 'skip' && (deletionAt !== undefined || isLastPhase(phase));
}

/** When the pod was first seen so: however often its row is planned again, the time stays. */
function timeOf(before: string | undefined): Instant | undefined {
  const at = before === undefined ? Number.NaN : Date.parse(before);
  return Number.isNaN(at) ? undefined : at;
}
