import type { Planner, Reads } from '../sink.ts';
import type { GithubPlanConfig } from './config.ts';

/** Tags and risks of the records, as deployment-tracker names them. */
export const PREFIX = 'metadata.github.com/';

export const READS: Reads = {
  kinds: new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob', 'Pod', 'Job']),
  annotations: [PREFIX],
};

/** The pure half of `github/<name>`: the record of each container that runs. */
export function createGithubPlanner(name: string, _config: GithubPlanConfig): Planner {
  return {
    destination: `github/${name}`,
    hears: new Set(),
    reads: READS,
    plan: () => null,
    planDesired: () => [],
    retire: () => null,
  };
}
