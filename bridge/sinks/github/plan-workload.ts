import type { Facts } from '../../kubernetes/observation.ts';
import { isOfDeployment } from '../../kubernetes/kinds/replicaset.ts';
import type { ContainerNames } from '../../kubernetes/template.ts';
import type { AnnotationProblem, Desired, DesiredContext } from '../sink.ts';
import { HOLD } from '../sink.ts';
import { MAX_NAME } from './api-limits.ts';
import type { GithubPlanConfig } from './config.ts';
import { NO_RECORD } from './plan-pod.ts';
import { recordKey } from './record.ts';
import { isSelected, isTooLong, placed, targetOf } from './target.ts';
import { workloadOf } from './workload.ts';

const MAX_SHOWN = 100;

/**
 * What a workload claims: that the records of its containers stay as they are, while it wants pods, though none may live
 * (between two runs of a CronJob, in a rollout).
 */
export function planWorkload(
  object: Facts & ContainerNames,
  context: DesiredContext,
  config: GithubPlanConfig,
): readonly Desired[] {
  if (!wantsPods(object, config)) return [];
  const found = workloadOf(object, context.owners());
  if (found === 'unseen') return context.claims();
  if (found === undefined) return [];
  const workload = placed(found, context, config);
  if (!isSelected(workload, config)) return [];
  const { uid, createdAt } = workload;
  const keys = (object.containerNames ?? []).flatMap((name) => {
    const target = targetOf(workload, name, config);
    return target === undefined ? [] : recordKey(target);
  });
  return [...new Set(keys)].map((key) => ({ key, wanted: HOLD, of: { uid, createdAt } }));
}

/** Containers of a workload whose deployment name is longer than GitHub takes; those that belong to another have its name. */
export function nameProblems(object: Facts & ContainerNames, config: GithubPlanConfig): AnnotationProblem[] {
  const workload = object.kind === 'Pod' ? undefined : workloadOf(object, []);
  if (workload === undefined || workload === 'unseen') return [];
  return (object.containerNames ?? []).flatMap((name) => {
    const target = targetOf({ ...workload, namespaceLabels: undefined }, name, config);
    if (target === undefined || !isTooLong(target)) return [];
    const value = Array.from(target.deployment_name).slice(0, MAX_SHOWN).join('');
    const allowed = `a deployment name of at most ${MAX_NAME} characters, which the setting template makes`;
    return [{ annotation: `spec.template.spec.containers[${name}]`, value, allowed, used: NO_RECORD }];
  });
}

function wantsPods(object: Facts, { scaledToZero }: GithubPlanConfig): boolean {
  const { kind, deletionAt } = object;
  if (deletionAt !== undefined) return false;
  if (kind === 'CronJob' || kind === 'Job') return true;
  // That of a Deployment is one revision: the Deployment says what it wants.
  if (kind === 'ReplicaSet' && isOfDeployment(object)) return false;
  if (!('desired' in object)) return false;
  // A DaemonSet wants pods on the nodes that fit, which its controller counts after each change.
  const isUncounted = kind === 'DaemonSet' && object.observedGeneration < object.generation;
  return object.desired > 0 || isUncounted || scaledToZero === 'keep';
}
