import type { ObjectFacts } from '../../kubernetes/observation.ts';
import type { AnnotationProblem } from '../sink.ts';
import { MAX_TAG_TEXT, MAX_TAGS, REPOSITORY } from './api-limits.ts';
import { REPOSITORY_ANNOTATION } from './plan-deployments.ts';
import type { Risk } from './record.ts';
import { RISKS } from './record.ts';

/** Tags and risks of the records: each name below it is a tag, but for the risks. */
export const PREFIX = 'metadata.github.com/';
const RISKS_KEY = `${PREFIX}runtime-risks`;

type Annotated = Pick<ObjectFacts, 'uid' | 'annotations'>;

/** What the annotations of a pod and its owners say of its containers. */
export interface Metadata {
  /** By their names, at most five. */
  readonly tags: Readonly<Record<string, string>>;
  /** Each once, sorted. */
  readonly risks: readonly Risk[];
  /** That an image comes from, where no provenance attestation says it. */
  readonly repository: string | undefined;
}

/** Of a pod and its owners, nearest first: of a tag or repository the nearest counts, risks add up. */
export function metadataOf(levels: readonly Annotated[]): Metadata {
  const objects = [...new Map(levels.map((object) => [object.uid, object])).values()];
  const tags = new Map<string, string>();
  for (const { annotations } of objects) {
    for (const [key, value] of tagsOf(annotations)) if (tags.size < MAX_TAGS && !tags.has(key)) tags.set(key, value);
  }
  const risks = new Set(objects.flatMap(({ annotations }) => risksOf(annotations[RISKS_KEY]).valid));
  return {
    tags: Object.fromEntries(tags),
    risks: [...risks].toSorted(),
    repository: objects
      .map(({ annotations }) => annotations[REPOSITORY_ANNOTATION] ?? '')
      .find((name) => REPOSITORY.test(name)),
  };
}

/** The tags of one object that fit, by their names. */
function tagsOf(annotations: ObjectFacts['annotations']): (readonly [string, string])[] {
  const entries = Object.entries(annotations).filter(([name]) => isTag(name));
  const named = entries.map(([name, value]) => [name.slice(PREFIX.length), value] as const);
  return named.filter(([key, value]) => isTagText(key, value)).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function isTag(name: string): boolean {
  return name.startsWith(PREFIX) && name !== RISKS_KEY;
}

function isTagText(key: string, value: string): boolean {
  return key !== '' && Array.from(key).length <= MAX_TAG_TEXT && Array.from(value).length <= MAX_TAG_TEXT;
}

/** Risks in any case and order, with spaces around them. */
function risksOf(text = ''): { readonly valid: readonly Risk[]; readonly unknown: readonly string[] } {
  const given = text
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');
  const valid = given.filter((part): part is Risk => (RISKS as readonly string[]).includes(part));
  return { valid, unknown: given.filter((part) => !valid.includes(part as Risk)) };
}

/** What of the annotations of one object is left out of its records, and why. */
export function annotationProblems({ annotations }: Annotated): AnnotationProblem[] {
  return Object.entries(annotations).flatMap(([annotation, value]) => {
    if (!annotation.startsWith(PREFIX)) return [];
    const problem = (allowed: string, used: string) => [{ annotation, value: value.slice(0, 200), allowed, used }];
    if (annotation === RISKS_KEY) {
      const { valid, unknown } = risksOf(value);
      return unknown.length === 0 ? [] : problem(`a list of ${RISKS.join(', ')}`, valid.join(', ') || 'no risk');
    }
    const key = annotation.slice(PREFIX.length);
    if (!isTagText(key, value)) return problem(`names and values of 1 to ${MAX_TAG_TEXT} characters`, 'no such tag');
    const place = tagsOf(annotations).findIndex(([name]) => name === key);
    return place < MAX_TAGS ? [] : problem(`at most ${MAX_TAGS} tags`, 'the first five by their names');
  });
}
