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
import { readGenerations, readNumber, TEMPLATE_GENERATION, workloadMetadata } from '../revision.ts';
import type { ContainerNames } from '../template.ts';
import { CONTAINER_NAMES, readContainerNames } from '../template.ts';

export interface DaemonSetFacts extends ObjectFacts, Generations, SourceRevision, ContainerNames {
  readonly kind: 'DaemonSet';
  /** Its pods change only when a person deletes them. */
  readonly onDelete: boolean;
  /** How often its template has changed. */
  readonly templateGeneration: number | undefined;
  /** How many pods it wants: one for each node that fits. */
  readonly desired: number;
  /** On how many of these nodes it has one, of all revisions; `updated` of them are of the newest. */
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  /** Ready for `minReadySeconds`. */
  readonly available: number;
}

const PLAN: FieldsPlan = {
  metadata: workloadMetadata(TEMPLATE_GENERATION),
  spec: { template: { ...TEMPLATE, spec: CONTAINER_NAMES }, updateStrategy: { type: 'scalar' } },
  status: {
    observedGeneration: 'scalar',
    desiredNumberScheduled: 'scalar',
    currentNumberScheduled: 'scalar',
    updatedNumberScheduled: 'scalar',
    numberReady: 'scalar',
    numberAvailable: 'scalar',
  },
};

function read(object: KubeObject, keeps = isOwnAnnotation): DaemonSetFacts {
  const status = objectAt(object, 'status');
  return {
    kind: 'DaemonSet',
    ...readMetadata(object, keeps),
    ...readGenerations(object),
    ...readSourceRevision(object),
    ...readContainerNames(objectAt(object, 'spec')),
    onDelete: textAt(objectAt(objectAt(object, 'spec'), 'updateStrategy'), 'type') === 'OnDelete',
    templateGeneration: readNumber(object, TEMPLATE_GENERATION),
    desired: countAt(status, 'desiredNumberScheduled') ?? 0,
    replicas: countAt(status, 'currentNumberScheduled') ?? 0,
    updated: countAt(status, 'updatedNumberScheduled') ?? 0,
    ready: countAt(status, 'numberReady') ?? 0,
    available: countAt(status, 'numberAvailable') ?? 0,
  };
}

export const DAEMON_SET: KindSpec<DaemonSetFacts> = {
  apiVersion: 'apps/v1',
  resource: 'daemonsets',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 2,
  longLived: true,
  audit: 'full',
};
