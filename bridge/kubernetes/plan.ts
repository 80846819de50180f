import { isOwnAnnotation } from './annotations.ts';

/**
 * What the readers of this room read of an object: the decoder makes only that. Of a list, the same of each item.
 * `scalar`: text, number or boolean. A function: the scalars of a map whose keys it keeps.
 */
export type Plan = 'scalar' | ((key: string) => unknown) | FieldsPlan;

export interface FieldsPlan {
  readonly [field: string]: Plan;
}

/** Of every kind that is followed. */
export const METADATA: FieldsPlan = {
  uid: 'scalar',
  namespace: 'scalar',
  name: 'scalar',
  generateName: 'scalar',
  resourceVersion: 'scalar',
  creationTimestamp: 'scalar',
  deletionTimestamp: 'scalar',
  deletionGracePeriodSeconds: 'scalar',
  labels: () => true,
  annotations: isOwnAnnotation,
  ownerReferences: { controller: 'scalar', uid: 'scalar', apiVersion: 'scalar', kind: 'scalar', name: 'scalar' },
};

/** What `readRecord` and the readers need to recognise any object, and all that is read of one that is not followed. */
export const IDENTITY: Plan = {
  apiVersion: 'scalar',
  kind: 'scalar',
  metadata: { uid: 'scalar', name: 'scalar', resourceVersion: 'scalar' },
};
