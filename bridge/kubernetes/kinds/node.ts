import { isOwnAnnotation } from '../annotations.ts';
import type { Condition } from '../conditions.ts';
import { CONDITIONS, readConditions } from '../conditions.ts';
import type { KubeObject } from '../fields.ts';
import { booleanAt, objectAt } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';

export interface NodeFacts extends ObjectFacts {
  readonly kind: 'Node';
  /** It is cordoned: takes no new pods. */
  readonly unschedulable: boolean;
  /** Without the time of their heartbeat, which changes every few minutes. */
  readonly conditions: readonly Condition[];
}

function read(object: KubeObject, keeps = isOwnAnnotation): NodeFacts {
  return {
    kind: 'Node',
    ...readMetadata(object, keeps),
    unschedulable: booleanAt(objectAt(object, 'spec'), 'unschedulable'),
    conditions: readConditions(objectAt(object, 'status')),
  };
}

export const NODE: KindSpec<NodeFacts> = {
  apiVersion: 'v1',
  resource: 'nodes',
  namespaced: false,
  plan: { spec: { unschedulable: 'scalar' }, status: { conditions: CONDITIONS } },
  read,
  schema: 1,
  longLived: true,
  audit: 'full',
};
