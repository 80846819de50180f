import { isInSelection, selectsNamespaces } from '../selection.ts';
import type { DesiredContext, PlanContext } from '../sink.ts';
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

/** A workload in its namespace, as far as it decides whether and where something is recorded. */
export type Placed<W = Pick<Workload, 'namespace' | 'labels'>> = W & { readonly namespaceLabels: Labels | undefined };
type Labels = Workload['labels'];

/** The namespace is read where its labels are asked for. */
export function placed<W extends Pick<Workload, 'namespace' | 'labels'>>(
  of: W,
  { namespace }: Pick<DesiredContext | PlanContext, 'namespace'>,
  config: GithubPlanConfig,
): Placed<W> {
  return { ...of, namespaceLabels: selectsNamespaces(config) ? namespace()?.labels : undefined };
}

export function isSelected(of: Placed, config: GithubPlanConfig): boolean {
  return isInSelection(of, config, of.namespaceLabels);
}

/** Organisation and environments of a workload: of the first route that it matches, else of the destination. */
export function organisationOf(of: Placed, config: GithubPlanConfig): Omit<Target, 'deployment_name'> {
  const route = config.routes.find((one) => isInSelection(of, one, of.namespaceLabels));
  return {
    org: route?.org ?? config.org,
    logical_environment: route?.logicalEnvironment ?? config.logicalEnvironment,
    physical_environment: route?.physicalEnvironment ?? config.physicalEnvironment,
    cluster: config.cluster,
  };
}

/** The record of one container of a workload; undefined for one that is excluded. */
export function targetOf(of: Placed<Workload>, containerName: string, config: GithubPlanConfig): Target | undefined {
  if (config.excludeContainers.includes(containerName)) return undefined;
  const named = { namespace: of.namespace, deploymentName: of.name, containerName };
  return { ...organisationOf(of, config), deployment_name: render(config.template, named) };
}

export function isTooLong({ deployment_name: name }: Target): boolean {
  return Array.from(name).length > MAX_NAME;
}
