import { isOwnAnnotation } from '../annotations.ts';
import type { KubeObject } from '../fields.ts';
import { countAt, objectAt } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import { FORMER, readNumber, readNumbers, REVISION, withoutCopies } from '../revision.ts';
import type { ContainerNames, TemplateFacts } from '../template.ts';
import { readContainerNames, readTemplate, TEMPLATE } from '../template.ts';

/** One revision of a Deployment. Of each there are ten old ones: few fields. */
export interface ReplicaSetFacts extends ObjectFacts, TemplateFacts, ContainerNames {
  readonly kind: 'ReplicaSet';
  /** Its newest number: a rollback gives an old one the next. Undefined without a Deployment. */
  readonly revision: number | undefined;
  /** Those that it had before. */
  readonly former: readonly number[];
  readonly desired: number;
  readonly replicas: number;
  readonly available: number;
}

const PLAN: FieldsPlan = {
  metadata: { annotations: (key) => key === REVISION || key === FORMER },
  spec: { replicas: 'scalar', template: TEMPLATE },
  status: { replicas: 'scalar', availableReplicas: 'scalar' },
};

function read(object: KubeObject, keeps = isOwnAnnotation): ReplicaSetFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object, keeps);
  return {
    kind: 'ReplicaSet',
    ...ownMetadata(metadata),
    ...readTemplate(spec),
    ...(!isOfDeployment(metadata) && readContainerNames(spec)),
    revision: readNumber(object, REVISION),
    former: readNumbers(object, FORMER),
    desired: countAt(spec, 'replicas') ?? 1,
    replicas: countAt(status, 'replicas') ?? 0,
    available: countAt(status, 'availableReplicas') ?? 0,
  };
}

/** Labels are copies of its Deployment's; of one without a Deployment nobody else has them. */
function ownMetadata(metadata: ObjectFacts): ObjectFacts {
  const { annotations } = metadata;
  return isOfDeployment(metadata) ? { ...withoutCopies(metadata, ['pod-template-hash']), annotations } : metadata;
}

/** True for one revision of a Deployment. */
export function isOfDeployment({ owner }: Pick<ObjectFacts, 'owner'>): boolean {
  return owner?.group === 'apps' && owner.kind === 'Deployment';
}

export const REPLICA_SET: KindSpec<ReplicaSetFacts> = {
  apiVersion: 'apps/v1',
  resource: 'replicasets',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 2,
  longLived: true,
  audit: 'full',
};
