import { isOwnAnnotation } from '../annotations.ts';
import type { KubeObject } from '../fields.ts';
import { countAt, objectAt, textAt } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import type { Generations } from '../revision.ts';
import type { SourceRevision } from '../source-revision.ts';
import { readSourceRevision, TEMPLATE } from '../source-revision.ts';
import { readGenerations, workloadMetadata } from '../revision.ts';
import type { ContainerNames } from '../template.ts';
import { CONTAINER_NAMES, readContainerNames } from '../template.ts';

export interface StatefulSetFacts extends ObjectFacts, Generations, SourceRevision, ContainerNames {
  readonly kind: 'StatefulSet';
  /** Its pods change only when a person deletes them. */
  readonly onDelete: boolean;
  /** Pods with a lower number stay at the revision before. */
  readonly partition: number;
  /** Name of the ControllerRevision that its pods had before, and of the one that they get. */
  readonly currentRevision: string | undefined;
  readonly updateRevision: string | undefined;
  /** How many pods it wants. */
  readonly desired: number;
  /** How many it has, of all revisions; `updated` of them are of `updateRevision`. */
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  /** Ready for `minReadySeconds`. */
  readonly available: number;
}

const PLAN: FieldsPlan = {
  metadata: workloadMetadata(),
  spec: {
    template: { ...TEMPLATE, spec: CONTAINER_NAMES },
    replicas: 'scalar',
    updateStrategy: { type: 'scalar', rollingUpdate: { partition: 'scalar' } },
  },
  status: {
    observedGeneration: 'scalar',
    currentRevision: 'scalar',
    updateRevision: 'scalar',
    replicas: 'scalar',
    updatedReplicas: 'scalar',
    readyReplicas: 'scalar',
    availableReplicas: 'scalar',
  },
};

function read(object: KubeObject, keeps = isOwnAnnotation): StatefulSetFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const strategy = objectAt(spec, 'updateStrategy');
  const ready = countAt(status, 'readyReplicas') ?? 0;
  return {
    kind: 'StatefulSet',
    ...readMetadata(object, keeps),
    ...readGenerations(object),
    ...readSourceRevision(object),
    ...readContainerNames(spec),
    onDelete: textAt(strategy, 'type') === 'OnDelete',
    partition: countAt(objectAt(strategy, 'rollingUpdate'), 'partition') ?? 0,
    currentRevision: textAt(status, 'currentRevision'),
    updateRevision: textAt(status, 'updateRevision'),
    desired: countAt(spec, 'replicas') ?? 1,
    replicas: countAt(status, 'replicas') ?? 0,
    updated: countAt(status, 'updatedReplicas') ?? 0,
    ready,
    // Kubernetes before 1.22 does not say it.
    available: countAt(status, 'availableReplicas') ?? ready,
  };
}

export const STATEFUL_SET: KindSpec<StatefulSetFacts> = {
  apiVersion: 'apps/v1',
  resource: 'statefulsets',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 2,
  longLived: true,
  audit: 'full',
};
