import { isOwnAnnotation } from '../annotations.ts';
import type { Condition } from '../conditions.ts';
import { CONDITIONS, readCondition } from '../conditions.ts';
import type { KubeObject } from '../fields.ts';
import { booleanAt, countAt, objectAt, objectsAt, timeAt } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import type { Generations } from '../revision.ts';
import type { SourceRevision } from '../source-revision.ts';
import { readSourceRevision, TEMPLATE } from '../source-revision.ts';
import { readGenerations, readNumber, REVISION, workloadMetadata } from '../revision.ts';
import type { ContainerNames } from '../template.ts';
import { CONTAINER_NAMES, readContainerNames } from '../template.ts';

export interface DeploymentFacts extends ObjectFacts, Generations, SourceRevision, ContainerNames {
  readonly kind: 'Deployment';
  /** The revision that its status is about, once its controller has looked at it. */
  readonly revision: number | undefined;
  readonly paused: boolean;
  /** How many pods it wants. */
  readonly desired: number;
  /** How many it has, of all revisions; `updated` of them are of the newest. */
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  /** Ready for `minReadySeconds`. */
  readonly available: number;
  /** `at` is when a condition was written last, which for `Progressing` is the last progress. */
  readonly conditions: readonly Condition[];
}

const PLAN: FieldsPlan = {
  metadata: workloadMetadata(REVISION),
  spec: { template: { ...TEMPLATE, spec: CONTAINER_NAMES }, replicas: 'scalar', paused: 'scalar' },
  status: {
    observedGeneration: 'scalar',
    replicas: 'scalar',
    updatedReplicas: 'scalar',
    readyReplicas: 'scalar',
    availableReplicas: 'scalar',
    conditions: { ...CONDITIONS, lastUpdateTime: 'scalar' },
  },
};

function read(object: KubeObject, keeps = isOwnAnnotation): DeploymentFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  return {
    kind: 'Deployment',
    ...readMetadata(object, keeps),
    ...readGenerations(object),
    ...readSourceRevision(object),
    ...readContainerNames(spec),
    revision: readNumber(object, REVISION),
    paused: booleanAt(spec, 'paused'),
    desired: countAt(spec, 'replicas') ?? 1,
    replicas: countAt(status, 'replicas') ?? 0,
    updated: countAt(status, 'updatedReplicas') ?? 0,
    ready: countAt(status, 'readyReplicas') ?? 0,
    available: countAt(status, 'availableReplicas') ?? 0,
    conditions: objectsAt(status, 'conditions').map((condition) => {
      const read = readCondition(condition);
      return { ...read, at: timeAt(condition, 'lastUpdateTime') ?? read.at };
    }),
  };
}

export const DEPLOYMENT: KindSpec<DeploymentFacts> = {
  apiVersion: 'apps/v1',
  resource: 'deployments',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 2,
  longLived: true,
  audit: 'full',
};
