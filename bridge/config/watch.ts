import { z } from 'zod';

import { ALWAYS, withNeeded } from '../kubernetes/followed.ts';
import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { SinksConfig } from '../sinks/index.ts';
import { configured, neededKinds } from '../sinks/index.ts';
import { selectsNamespaces } from '../sinks/selection.ts';

const ALL = Object.keys(KINDS) as Kind[];

const WATCHED = Object.fromEntries(
  ALL.map((kind) => [kind, z.boolean().optional().describe(`Whether ${kind}s are followed, for the page too`)]),
) as Record<Kind, z.ZodOptional<z.ZodBoolean>>;

export const watch = z
  .strictObject(WATCHED)
  .prefault({})
  .describe(
    'Kinds that are followed beside CronJobs, Jobs, Pods and those that a destination needs: KIND: true keeps one for the page alone',
  );

/** What decides which kinds are followed. */
type Watching = SinksConfig & {
  readonly watch: { readonly [K in Kind]?: boolean | undefined };
  readonly cluster: { readonly scope: 'cluster' | readonly string[] };
};

/**
 * The kinds that a bridge of this configuration follows, in the order of their LISTs: those that its destinations need,
 * those that `watch` keeps for the page, and CronJobs, Jobs and Pods. What is in no namespace is left out where only
 * namespaces are watched.
 */
export function followedKinds(config: Watching): Kind[] {
  const kept = ALL.filter((kind) => config.watch[kind] === true);
  const all = configured(config);
  const needed = neededKinds(all.map(({ sink }) => sink));
  const named = all.some(({ settings }) => selectsNamespaces(settings)) ? (['Namespace'] as const) : [];
  return withNeeded([...needed, ...named, ...kept]).filter(
    (kind) => config.cluster.scope === 'cluster' || KINDS[kind].namespaced,
  );
}

/** Says what of `watch` cannot be: a kind that a setting needs is left out, or one that is in no namespace is wanted. */
export function watchIsPossible(config: Watching, context: z.RefinementCtx): void {
  for (const kind of ALL) {
    const allowed = config.watch[kind] === false ? needOf(kind, config) : outOfScope(kind, config);
    if (allowed !== undefined) context.addIssue({ code: 'custom', path: ['watch', kind], message: allowed });
  }
  if (config.cluster.scope === 'cluster') return;
  for (const { sink, name, settings } of configured(config)) {
    if (!selectsNamespaces(settings)) continue;
    const path = [sink, name, ...(settings.namespaceSelector === undefined ? ['routes'] : ['namespaceSelector'])];
    const message = 'a namespaceSelector needs cluster.scope: cluster, for a Namespace is in no namespace';
    context.addIssue({ code: 'custom', path, message });
  }
}

function needOf(kind: Kind, config: Watching): string | undefined {
  if ((ALWAYS as readonly Kind[]).includes(kind)) return 'allowed: true: CronJobs, Jobs and Pods are always followed';
  const reader = configured(config).find(
    ({ sink, settings }) => neededKinds([sink]).includes(kind) || (kind === 'Namespace' && selectsNamespaces(settings)),
  );
  if (reader !== undefined) return `allowed: true: ${reader.destination} needs ${kind}s`;
  const judged = ALL.find((other) => config.watch[other] === true && withNeeded([other]).includes(kind));
  return judged && `allowed: true, or watch.${judged}: false: ${judged}s are judged with ${kind}s`;
}

function outOfScope(kind: Kind, { watch, cluster }: Watching): string | undefined {
  const isWanted = watch[kind] === true && cluster.scope !== 'cluster' && !KINDS[kind].namespaced;
  return isWanted ? `allowed: false, or cluster.scope: cluster: a ${kind} is in no namespace` : undefined;
}
