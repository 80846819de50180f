import type { Facts, ObjectFacts } from '../../kubernetes/observation.ts';
import type { Selection } from '../selection.ts';
import { isInSelection } from '../selection.ts';
import type { AnnotationProblem, Limit, PlanContext } from '../sink.ts';
import { sha256Hex } from '../../lib/ids.ts';
import { parseDsn, publicDsn } from './dsn.ts';
import type { SentryPayload, Target } from './payload.ts';
import { categoryOf } from './payload.ts';
import type { SentryRules } from './rules.ts';

export const DSN_ANNOTATION = 'k8s.sentry.io/dsn';
/** Where Kubernetes keeps the Events of what is in no namespace: so is what happens to it selected. */
export const CLUSTER_NAMESPACE = 'default';
/** A vendor that is asked more than that by one bridge would limit it. */
const ITEMS_PER_SECOND = 20;
const ITEMS_BURST = 50;

type Known = Pick<PlanContext, 'object' | 'runObject' | 'owners' | 'facts' | 'namespace'>;
type Subject = Pick<ObjectFacts, 'namespace' | 'labels'> & {
  readonly namespaceLabels?: () => ObjectFacts['labels'] | undefined;
};

/** Whose labels decide: the outermost owner that is followed, else the Job of a pod, else the object itself. */
function subjectOf({ object, runObject, owners, namespace: place }: Known, namespace: string): Subject {
  const facts = owners().at(-1) ?? runObject() ?? object();
  return {
    namespace: namespace || CLUSTER_NAMESPACE,
    labels: facts?.labels ?? {},
    namespaceLabels: () => place()?.labels,
  };
}

/** Whether what happened to an object in this namespace is the destination's business, by namespaces and labels. */
export function isSelected(context: Known, namespace: string, rules: SentryRules): boolean {
  return isSubject(subjectOf(context, namespace), rules);
}

/** Where what happened to an object goes: the nearest annotation, else the first route that matches, else the default. */
export function targetOf(context: Known, namespace: string, rules: SentryRules): Target {
  const annotated = annotatedDsn(context);
  if (rules.customDsns.enabled && annotated !== undefined) {
    const dsn = parseDsn(annotated.trim());
    if (dsn !== undefined) return { dsn: publicDsn(dsn) };
    // Empty, or not a DSN: the default, as sentry-kubernetes had it. What is wrong with it is a problem of the object.
    return {};
  }
  return routeOf(subjectOf(context, namespace), rules);
}

/** The first route whose namespaces and labels match, else the default. */
export function routeOf(subject: Subject, { routes }: Pick<SentryRules, 'routes'>): Target {
  const route = routes.find((one) => isSubject(subject, one));
  return route === undefined ? {} : { route: route.name };
}

/** The namespace is read where its labels are asked for. */
function isSubject(subject: Subject, selection: Selection): boolean {
  return isInSelection(subject, selection, selection.namespaceSelector && subject.namespaceLabels?.());
}

/**
 * The annotation of the object, of the Job of a pod, its owners from the nearest on, or its namespace; an empty one ends the
 * search. Of what several own, each counts, the controller last: from it on the search goes up.
 */
function annotatedDsn({ object, runObject, owners, facts, namespace }: Known): string | undefined {
  for (const one of [object(), runObject(), ...owners()]) {
    const others = (one?.owners ?? []).filter(({ uid }) => uid !== one?.owner?.uid).map(({ uid }) => facts(uid));
    const found = [one, ...others].find((each) => each?.annotations[DSN_ANNOTATION] !== undefined);
    if (found !== undefined) return found.annotations[DSN_ANNOTATION];
  }
  return namespace()?.annotations[DSN_ANNOTATION];
}

/** A DSN annotation that is not a DSN; its value is never shown. */
export function dsnProblems(object: Facts, rules: SentryRules): AnnotationProblem[] {
  const value = object.annotations[DSN_ANNOTATION]?.trim();
  if (!rules.customDsns.enabled || value === undefined || value === '' || parseDsn(value) !== undefined) return [];
  return [
    {
      annotation: DSN_ANNOTATION,
      value: '(not shown)',
      allowed: 'https://PUBLIC_KEY@HOST/PROJECT_ID, or empty for the DSN of the destination',
      used: 'the DSN of the destination',
    },
  ];
}

/** What everything shares that the token is used for. */
export const API_LIMIT: Limit = { key: 'api', perSecond: 2 };

/** The limit key of everything that goes to one DSN, however it is named. */
export function targetKey(target: Target): string {
  if ('dsn' in target) return `dsn/${sha256Hex(target.dsn).slice(0, 16)}`;
  return 'route' in target ? `route/${target.route}` : 'default';
}

/** The limit keys of a payload: its DSN as a whole, and its category there. Holds of rate limits use the same ones. */
export function limitsOf(payload: SentryPayload): Limit[] {
  if (payload.kind === 'deploy') return [API_LIMIT];
  const key = targetKey(payload.target);
  const rate = { perSecond: ITEMS_PER_SECOND, burst: ITEMS_BURST };
  return [
    { key, ...rate },
    { key: `${key}/${categoryOf(payload)}`, ...rate },
  ];
}
