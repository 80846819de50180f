import { isInSelection } from '../selection.ts';
import type { GithubPlanConfig } from './config.ts';
import { MAX_NAME } from './api-limits.ts';
import type { DeploymentRecord } from './record.ts';
import { render } from './template.ts';
import type { Workload } from './workload.ts';

/** Where the record of a container is kept. */
export type Target = Pick<
  DeploymentRecord,
  'org' | 'logical_environment' | 'physical_environment' | 'cluster' | 'deployment_name'
>;

/** Organisation and environments of a workload: of the first route that it matches, else of the destination. */
export function organisationOf(
  of: Pick<Workload, 'namespace' | 'labels'>,
  config: GithubPlanConfig,
): Omit<Target, 'deployment_name'> {
  const route = config.routes.find((one) => isInSelection(of, one));
  return {
    org: route?.org ?? config.org,
    logical_environment: route?.logicalEnvironment ?? config.logicalEnvironment,
    physical_environment: route?.physicalEnvironment ?? config.physicalEnvironment,
    cluster: config.cluster,
  };
}

/** The record of one container of a workload; undefined for one that is excluded. */
export function targetOf(of: Workload, containerName: string, config: GithubPlanConfig): Target | undefined {
  if (config.excludeContainers.includes(containerName)) return undefined;
  const named = { namespace: of.namespace, deploymentName: of.name, containerName };
  return { ...organisationOf(of, config), deployment_name: render(config.template, named) };
}

export function isTooLong({ deployment_name: name }: Target): boolean {
  return Array.from(name).length > MAX_NAME;
}
