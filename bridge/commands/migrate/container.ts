import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectAt, objectsAt, textAt } from '../../kubernetes/fields.ts';
import type { Given } from './draft.ts';
import { fromArguments, fromEnvironment } from './sources.ts';
import type { OldTool } from './tool.ts';

/** What a ConfigMap holds, by its name. */
export type ConfigMaps = ReadonlyMap<string, KubeObject>;

/** The containers of the old agent in a workload or a pod. */
export function agentContainers(tool: OldTool, workload: KubeObject): KubeObject[] {
  return objectsAt(podSpec(workload), 'containers').filter((container) => tool.isIn(container));
}

/** Of a pod, or of what a workload makes pods of. */
export function podSpec(workload: KubeObject): KubeObject {
  const spec = objectAt(workload, 'spec');
  return Array.isArray(spec['containers']) ? spec : objectAt(objectAt(spec, 'template'), 'spec');
}

/** The names of the ConfigMaps whose whole content are variables of this container. */
export function configMapsOf(container: KubeObject): string[] {
  const names = objectsAt(container, 'envFrom').map((source) => textAt(objectAt(source, 'configMapRef'), 'name'));
  return names.filter((name) => name !== undefined);
}

/** The settings that a workload with the old agent has. */
export function workloadSettings(tool: OldTool, workload: KubeObject, configMaps: ConfigMaps): Given[] {
  const pod = podSpec(workload);
  const [container = {}] = agentContainers(tool, workload);
  const name = textAt(objectAt(workload, 'metadata'), 'name') ?? '';
  const ours = {
    podSecurityContext: pod['securityContext'],
    securityContext: container['securityContext'],
    resources: container['resources'],
    nodeSelector: pod['nodeSelector'],
    tolerations: pod['tolerations'],
    affinity: pod['affinity'],
  };
  return [
    ...variableSettings(tool, container, name, configMaps),
    ...fromArguments(tool, texts(container['args'])),
    ...Object.entries(ours).map(([source, value]) => ({ source, value })),
  ];
}

/** By name; what a ConfigMap gives is overruled by the container itself. */
export function variableSettings(
  tool: OldTool,
  container: KubeObject,
  workload: string,
  configMaps: ConfigMaps,
): Given[] {
  const all: Record<string, string | undefined> = {};
  for (const name of configMapsOf(container)) Object.assign(all, configMaps.get(name));
  for (const entry of objectsAt(container, 'env')) all[textAt(entry, 'name') ?? ''] = textAt(entry, 'value');
  return [...fromEnvironment(tool, all), ...(tool.fromContainer?.(container, workload) ?? [])];
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
