import { z } from 'zod';
import { DNS_LABEL } from '../kubernetes/dns-label.ts';
import type { ObjectFacts } from '../kubernetes/observation.ts';
import type { DeepReadonly } from '../lib/deep-readonly.ts';

const namespaces = z.array(
  z.string().regex(DNS_LABEL, 'must be the name of a namespace: lower-case letters, digits and -'),
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

/** What a selector of labels is, as of `whose`. */
function labelsOf(whose: string) {
  return z.strictObject({
    matchLabels: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe(`Only objects ${whose} labels have these values`),
    matchExpressions: z
      .array(requirement)
      .default([])
      .describe(
        `Only objects ${whose} labels meet all of these: key, operator (In, NotIn, Exists, DoesNotExist), values`,
      ),
  });
}

/** Settings of a destination: which objects are its business. */
export const selectionFields = {
  namespaces: namespaces.default([]).describe('Only what is in these namespaces; empty: all that the bridge sees'),
  excludeNamespaces: namespaces.default([]).describe('Nothing that is in these namespaces'),
  labelSelector: labelsOf('whose own')
    .prefault({})
    .describe('Only objects whose own labels match, as selectors of Kubernetes do'),
};

const namespaceSelector = labelsOf("whose namespace's").optional();

/** The same, for sinks whose planners ask for the namespace of what they select. */
export const placedFields = {
  ...selectionFields,
  namespaceSelector: namespaceSelector.describe(
    'Only objects whose namespace has such labels, as selectors of Kubernetes do; needs cluster.scope: cluster',
  ),
};

const selectionSchema = z.object({ ...selectionFields, namespaceSelector });
export type Selection = DeepReadonly<z.infer<typeof selectionSchema>>;
type Labels = ObjectFacts['labels'];

/**
 * True when namespace and labels say that an object is this destination's business. `namespaceLabels`: those of its namespace;
 * where they are not known no `namespaceSelector` matches.
 */
export function isInSelection(
  { namespace, labels }: Pick<ObjectFacts, 'namespace' | 'labels'>,
  selection: Selection,
  namespaceLabels?: Labels,
): boolean {
  return isInPlace(namespace, selection, namespaceLabels) && isMatch(labels, selection.labelSelector);
}

/** The same by the namespace and its labels, where those of the object do not decide. */
export function isInPlace(namespace: string, selection: Place, namespaceLabels: Labels | undefined): boolean {
  const { namespaceSelector: selector } = selection;
  if (!isInNamespaces(namespace, selection)) return false;
  return selector === undefined || (namespaceLabels !== undefined && isMatch(namespaceLabels, selector));
}

type Place = Pick<Selection, 'namespaces' | 'excludeNamespaces' | 'namespaceSelector'>;

function isMatch(labels: Labels, { matchLabels, matchExpressions }: Selection['labelSelector']): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((requirement) => isMet(requirement, labels[requirement.key]))
  );
}

/** Whether a destination asks for the labels of namespaces, for itself or in one of its routes. */
export function selectsNamespaces({ namespaceSelector: own, routes = [] }: Selecting): boolean {
  return [own, ...routes.map((route) => route.namespaceSelector)].some((selector) => selector !== undefined);
}

/** As far as a destination of any sink has such settings. */
export interface Selecting extends Pick<Selection, 'namespaceSelector'> {
  readonly routes?: readonly Pick<Selection, 'namespaceSelector'>[];
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
