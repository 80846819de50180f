import type { Transition } from '../../lifecycle/transition.ts';
import type { SentryRules } from './rules.ts';
import type { Subject } from './subject.ts';
import { cut } from './text.ts';

/** Sentry's own limits: a longer value or key, or a line break, makes a tag invalid. */
const MAX_KEY = 32;
const MAX_VALUE = 200;

export type Tags = { [key: string]: string };

/** Whoever wrote the status of an object, as sentry-kubernetes called it. */
export const STATUS_SOURCE = 'x-pod-controller';

/** What was seen: an Event, or the status of a pod, a Job or a rollout. */
export type Watcher = 'events' | 'pods' | 'jobs' | 'rollouts';

interface Given {
  readonly watcher: Watcher;
  readonly reason: string | undefined;
  readonly container: string | undefined;
  readonly node: string | undefined;
  readonly exitCode: number | undefined;
  readonly isCombined: boolean;
}

/** The tags of sentry-kubernetes under its own names, then those of the cluster, the workload and the end of a container. */
export function tagsOf(transition: Transition, subject: Subject, given: Given, rules: SentryRules): Tags {
  const { said, container, count } = transition;
  const { about, workload, cronJob } = subject;
  const tags: readonly (readonly [string, string | number | undefined])[] = [
    ...Object.entries(rules.tags),
    ['watcher_name', given.watcher],
    ['event_type', said?.type],
    ['reason', given.reason],
    ['kind', about.kind],
    ['object_uid', about.uid],
    ['namespace', about.namespace],
    [`${workload.kind.toLowerCase()}_name`, workload.name],
    ...(cronJob === undefined ? [] : [['cronjob_name', cronJob.name] as const]),
    [`${about.kind.toLowerCase() || 'object'}_name`, about.name],
    ['event_source_component', said === undefined ? STATUS_SOURCE : said.component],
    ['combined_from_similar', given.isCombined ? 'true' : undefined],
    ['container_name', given.container],
    ['node_name', given.node],
    ['cluster', rules.clusterName],
    ['workload_kind', workload.kind],
    ['workload_name', workload.name],
    ['exit_code', container?.exitCode ?? given.exitCode],
    ['signal', container?.signal],
    ['restart_count', container?.instance],
    ['event_count', count === 1 ? undefined : count],
  ];
  return Object.fromEntries(tags.flatMap(([key, value]) => tag(key, value) ?? []));
}

function tag(key: string, value: string | number | undefined): [[string, string]] | undefined {
  const text = String(value ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const name = key.replaceAll(/[^\w.:-]/g, '_').slice(0, MAX_KEY);
  return text === '' || name === '' ? undefined : [[name, cut(text, MAX_VALUE)]];
}
