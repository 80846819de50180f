import { z } from 'zod';
import type { FailureKind } from './failure.ts';

export const LEVELS = ['fatal', 'error', 'warning', 'info', 'debug', 'none'] as const;
export type Level = (typeof LEVELS)[number];

const level = (by: Level, what: string) => z.enum(LEVELS).default(by).describe(what);

/** How bad each kind of failure is; `none`: it is not reported. */
export const levelsSchema = z.strictObject({
  oom: level('fatal', 'A container ran out of memory'),
  crash: level('error', 'A container ended with an error'),
  stuck: level('error', 'A pod or a run waits for what needs a person: an image, a configuration, a node, a quota'),
  pod: level('error', 'A pod was evicted, refused by its node, preempted or ran out of time'),
  node: level('error', 'A pod was lost with its node'),
  run: level('error', 'A Job failed'),
  rollout: level('error', 'A rollout failed'),
  warning: level('warning', 'Kubernetes wrote a Warning Event'),
});

export type LevelKey = keyof z.infer<typeof levelsSchema>;

const KEYS: { readonly [K in FailureKind]: LevelKey } = {
  oom: 'oom',
  crash: 'crash',
  image: 'stuck',
  config: 'stuck',
  unschedulable: 'stuck',
  pending: 'stuck',
  create: 'stuck',
  progress: 'stuck',
  pod: 'pod',
  node: 'node',
  run: 'run',
  rollout: 'rollout',
  warning: 'warning',
};

/** Whose level counts for a failure; `as`: of a run or a Warning, which have a level of their own unless memory ran out. */
export function levelKey(kind: FailureKind, as?: 'run' | 'rollout' | 'warning'): LevelKey {
  if (as === undefined || (kind === 'oom' && as !== 'warning')) return KEYS[kind];
  return as;
}
