import type { KubeObject } from './fields.ts';
import { countAt, objectAt, textAt } from './fields.ts';
import type { ObjectFacts } from './object-facts.ts';
import type { FieldsPlan } from './plan.ts';
import { SOURCE_REVISION } from './source-revision.ts';

/** The number that the Deployment controller gives to a revision, on the Deployment and on its ReplicaSet. */
export const REVISION = 'deployment.kubernetes.io/revision';
/** The numbers that a ReplicaSet had before: a rollback gives it the next. */
export const FORMER = 'deployment.kubernetes.io/revision-history';
/** How often the template of a DaemonSet has changed: written by the API server, for a DaemonSet names no revision. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** By which spec a workload is judged. */
export interface Generations {
  readonly generation: number;
  /** The generation that its status is about; 0 before its controller looked at it. */
  readonly observedGeneration: number;
}

/** Of the metadata of a workload: its generation, and these annotations beside those that are kept of every kind. */
export function workloadMetadata(annotation?: string): FieldsPlan {
  return { generation: 'scalar', annotations: (key) => key === annotation || key === SOURCE_REVISION };
}

export function readGenerations(object: KubeObject): Generations {
  return {
    generation: countAt(objectAt(object, 'metadata'), 'generation') ?? 0,
    observedGeneration: countAt(objectAt(object, 'status'), 'observedGeneration') ?? 0,
  };
}

/** A whole number from 1 on in an annotation; undefined when it is none. */
export function readNumber(object: KubeObject, annotation: string): number | undefined {
  const text = textAt(objectAt(objectAt(object, 'metadata'), 'annotations'), annotation);
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** The newest 20 of the numbers in an annotation, such as `1,4`. */
export function readNumbers(object: KubeObject, annotation: string): number[] {
  const text = textAt(objectAt(objectAt(object, 'metadata'), 'annotations'), annotation) ?? '';
  return text
    .split(',')
    .filter((part) => /^[1-9]\d{0,14}$/.test(part))
    .slice(-20)
    .map(Number);
}

/** Without what a revision copies from its workload: there are ten old ones of each. Of labels those that name it. */
export function withoutCopies(facts: ObjectFacts, labels: readonly string[]): ObjectFacts {
  const kept = Object.entries(facts.labels).filter(([key]) => labels.includes(key));
  return { ...facts, labels: Object.fromEntries(kept), annotations: {} };
}
