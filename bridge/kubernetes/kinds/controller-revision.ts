import { isOwnAnnotation } from '../annotations.ts';
import type { KubeObject } from '../fields.ts';
import { countAt, objectAt } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import { readNumber, TEMPLATE_GENERATION, withoutCopies } from '../revision.ts';
import type { TemplateFacts } from '../template.ts';
import { readTemplate, TEMPLATE } from '../template.ts';

/**
 * One revision of a StatefulSet or DaemonSet. Pods name it in their label `controller-revision-hash`: a StatefulSet's by
 * its name, a DaemonSet's by the value of its own label of that name.
 */
export interface ControllerRevisionFacts extends ObjectFacts, TemplateFacts {
  readonly kind: 'ControllerRevision';
  /** Its newest number: a rollback gives an old one the next. */
  readonly revision: number | undefined;
  /** Those that it had before: no single record says so (lifecycle: `mergeRevision`). */
  readonly former: readonly number[];
  /** Of a DaemonSet's: how often the template had changed when this one was made. */
  readonly templateGeneration: number | undefined;
}

const PLAN: FieldsPlan = {
  metadata: { annotations: (key) => key === TEMPLATE_GENERATION },
  revision: 'scalar',
  data: { spec: { template: TEMPLATE } },
};

function read(object: KubeObject, keeps = isOwnAnnotation): ControllerRevisionFacts {
  return {
    kind: 'ControllerRevision',
    ...withoutCopies(readMetadata(object, keeps), ['controller-revision-hash']),
    ...readTemplate(objectAt(objectAt(object, 'data'), 'spec')),
    revision: countAt(object, 'revision') || undefined,
    former: [],
    templateGeneration: readNumber(object, TEMPLATE_GENERATION),
  };
}

export const CONTROLLER_REVISION: KindSpec<ControllerRevisionFacts> = {
  apiVersion: 'apps/v1',
  resource: 'controllerrevisions',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 1,
  longLived: true,
  audit: 'full',
};
