import type { Facts } from '../../kubernetes/observation.ts';
import type { Json } from '../../lib/json.ts';
import { isInPlace, selectsNamespaces } from '../selection.ts';
import type { AnnotationProblem, DesiredContext, Planner, Reads, RetireCause } from '../sink.ts';
import { annotationProblems, PREFIX } from './annotations.ts';
import type { GithubPlanConfig } from './config.ts';
import {
  DEPLOYMENT_ANNOTATIONS,
  DEPLOYMENT_TRANSITIONS,
  deploymentProblems,
  planDeployments,
  planStanding,
} from './plan-deployments.ts';
import { containerProblem, planPod, recorded } from './plan-pod.ts';
import { nameProblems, planWorkload } from './plan-workload.ts';
import { readRecord, toJson } from './record.ts';
import type { DeploymentRecord } from './record.ts';
import { readStanding } from './standing.ts';
import { isRecorded } from './workload.ts';

export const READS: Reads = {
  kinds: new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob', 'Pod', 'Job']),
  annotations: [PREFIX, ...DEPLOYMENT_ANNOTATIONS],
  owners: true,
};

const READS_NAMESPACES: Reads = {
  ...READS,
  kinds: new Set([...READS.kinds, 'Namespace']),
  namespaceOf: new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob', 'Pod', 'Job']),
  needsNamespace: 'always',
};

/** The pure half of `github/<name>`: the record of each container that runs, and Deployments of rollouts. */
export function createGithubPlanner(name: string, config: GithubPlanConfig): Planner {
  return {
    destination: `github/${name}`,
    hears: new Set(DEPLOYMENT_TRANSITIONS),
    reads: selectsNamespaces(config) ? READS_NAMESPACES : READS,
    plan: (transition, context) => planDeployments(transition, context, config),
    planDesired(object, context) {
      // However long it is not seen: a record of another tenant is not taken back.
      const isKept = selectsNamespaces(config) && object.kind !== 'Namespace' && context.namespace() === undefined;
      if (isKept) return context.claims();
      return object.kind === 'Pod'
        ? planPod(object, context, config)
        : [...planWorkload(object, context, config), ...planStanding(object, context, config)];
    },
    problems: (object, namespace) => problemsOf(object, config, namespace),
    retire: retired,
  };
}

/** A bridge that is retired leaves what still runs as it is. */
function retired(wanted: Json, cause: RetireCause): Json | null {
  if (cause === 'bridge') return null;
  const standing = readStanding(wanted);
  if (standing !== undefined) return { ...standing, state: 'inactive' };
  const record = readRecord(wanted);
  return record === undefined ? null : retiredRecord(record);
}

/** Decommissioned, without what its owners said of it. */
function retiredRecord(record: DeploymentRecord): Json {
  const { tags: _, runtime_risks: _1, ...rest } = record;
  return toJson({ ...rest, status: 'decommissioned' });
}

/** What of the annotations of an object, and of the images of a pod, is left out of the records. */
function problemsOf(
  object: Facts,
  config: GithubPlanConfig,
  namespace: DesiredContext['namespace'],
): readonly AnnotationProblem[] {
  const labels = config.namespaceSelector && namespace()?.labels;
  if (!isInPlace(object.namespace, config, labels)) return [];
  const problems = [...annotationProblems(object), ...deploymentProblems(object), ...nameProblems(object, config)];
  if (object.kind !== 'Pod' || object.owner === undefined || !isRecorded(object.owner)) return problems;
  const containers = recorded(object).filter((container) => !config.excludeContainers.includes(container.name));
  const images = containers.flatMap((container) => {
    const problem = containerProblem(container);
    return problem === undefined
      ? []
      : [{ annotation: `status.containerStatuses[${container.name}].imageID`, ...problem }];
  });
  return [...problems, ...images];
}
