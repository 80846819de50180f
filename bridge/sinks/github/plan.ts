import type { Planner, Reads } from '../sink.ts';
import type { GithubPlanConfig } from './config.ts';
import {
  DEPLOYMENT_ANNOTATIONS,
  DEPLOYMENT_TRANSITIONS,
  deploymentProblems,
  planDeployments,
} from './plan-deployments.ts';

/** Tags and risks of the records, as deployment-tracker names them. */
export const PREFIX = 'metadata.github.com/';

export const READS: Reads = {
  kinds: new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob', 'Pod', 'Job']),
  annotations: [PREFIX, ...DEPLOYMENT_ANNOTATIONS],
};

/** The pure half of `github/<name>`: the record of each container that runs. */
export function createGithubPlanner(name: string, config: GithubPlanConfig): Planner {
  return {
    destination: `github/${name}`,
    hears: new Set(DEPLOYMENT_TRANSITIONS),
    reads: READS,
    plan: (transition, context) => planDeployments(transition, context, config),
    planDesired: () => [],
    problems: deploymentProblems,
    retire: () => null,
  };
}
