import { z } from 'zod';
import type { ObjectFacts } from '../kubernetes/observation.ts';
import type { DeepReadonly } from '../lib/deep-readonly.ts';

const namespaces = z.array(
  z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a namespace: lower-case letters, digits and -'),
);

const requirement = z
  .strictObject({
    key: z.string().min(1),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(z.string()).default([]),
  })
  .refine(({ operator, values }) => operator.endsWith('In') === values.length > 0, {
    error: 'In and NotIn need values, Exists and DoesNotExist take none',
    path: ['values'],
  });

/** Settings of a destination: which objects are its business. */
export const selectionFields = {
  namespaces: namespaces.default([]).describe('Only what is in these namespaces; empty: all that the bridge sees'),
  excludeNamespaces: namespaces.default([]).describe('Nothing that is in these namespaces'),
  labelSelector: z
    .strictObject({
      matchLabels: z
        .record(z.string().min(1), z.string())
        .default({})
        .describe('Only objects whose own labels have these values'),
      matchExpressions: z
        .array(requirement)
        .default([])
        .describe(
          'Only objects whose own labels meet all of these: key, operator (In, NotIn, Exists, DoesNotExist), values',
        ),
    })
    .prefault({})
    .describe('Only objects whose own labels match, as selectors of Kubernetes do'),
};

const selectionSchema = z.object(selectionFields);
export type Selection = DeepReadonly<z.infer<typeof selectionSchema>>;

/** True when namespace and labels say that an object is this destination's business. */
export function isInSelection(
  { namespace, labels }: Pick<ObjectFacts, 'namespace' | 'labels'>,
  selection: Selection,
): boolean {
  if (!isInNamespaces(namespace, selection)) return false;
  const { matchLabels, matchExpressions } = selection.labelSelector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((requirement) => isMet(requirement, labels[requirement.key]))
  );
}

/** The same by the namespace alone, where labels are not known. */
export function isInNamespaces(
  namespace: string,
  { namespaces, excludeNamespaces }: Pick<Selection, 'namespaces' | 'excludeNamespaces'>,
): boolean {
  return (namespaces.length === 0 || namespaces.includes(namespace)) && !excludeNamespaces.includes(namespace);
}

/** As in Kubernetes, an absent label is in no list. */
function isMet({ operator, values }: Requirement, value: string | undefined): boolean {
  const wanted = value !== undefined && (operator.endsWith('In') ? values.includes(value) : true);
  return operator === 'In' || operator === 'Exists' ? wanted : !wanted;
}

type Requirement = Selection['labelSelector']['matchExpressions'][number];
