import type { Kind } from './observation.ts';

/**
 * Every kind that can be followed, in the order of their LISTs. What decides what becomes of others goes before them:
 * namespaces, CronJobs, workloads and their revisions. Pods before Jobs: which container failed, and how, is known when
 * the end of its Job is reported.
 */
const ORDER = [
  'Namespace',
  'Node',
  'CronJob',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ControllerRevision',
  'Pod',
  'Job',
  'Event',
] as const satisfies readonly Kind[];

/** What the page shows of any cluster. */
export const ALWAYS = ['CronJob', 'Pod', 'Job'] as const satisfies readonly Kind[];

/** Whose revisions are rolled out. */
export const WORKLOADS: ReadonlySet<string> = new Set<Kind>(['Deployment', 'StatefulSet', 'DaemonSet']);

/** What an object of a kind is judged with; a kind that is not here, by itself. */
const JUDGED_WITH: { readonly [K in Kind]?: readonly Kind[] } = {
  Deployment: ['ReplicaSet', 'Pod'],
  StatefulSet: ['ControllerRevision', 'Pod'],
  DaemonSet: ['ControllerRevision', 'Pod'],
};

/** Those of `kinds`, what each is judged with, and what is always followed; each once, in the order of their LISTs. */
export function withNeeded(kinds: Iterable<Kind>): Kind[] {
  const needed = new Set<Kind>(ALWAYS);
  for (const kind of kinds) for (const one of [kind, ...(JUDGED_WITH[kind] ?? [])]) needed.add(one);
  return ORDER.filter((kind) => needed.has(kind));
}
