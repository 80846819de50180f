import { isTree } from '../../config/tree.ts';
import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectAt, objectsAt, textAt } from '../../kubernetes/fields.ts';
import { UserError } from '../../lib/errors.ts';
import { agentContainers, type ConfigMaps, configMapsOf, workloadSettings } from './container.ts';
import type { OldInstallation } from './release.ts';
import { fromValues, fromValuesText } from './sources.ts';
import type { OldTool } from './tool.ts';

/** The first of these that has the old agent is read: the others follow from it. */
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod'];
/** Helm's values inside an object that GitOps applies. */
const VALUES_IN: Readonly<Record<string, (spec: KubeObject) => unknown>> = {
  HelmRelease: (spec) => spec['values'],
  Application: (spec) => {
    const helm = objectAt(objectAt(spec, 'source'), 'helm');
    return helm['valuesObject'] ?? helm['values'];
  },
};

/** Whether these are objects of Kubernetes, not values. */
export function areManifests(documents: readonly unknown[]): boolean {
  return documents.some(
    (one) => isTree(one) && typeof one['apiVersion'] === 'string' && typeof one['kind'] === 'string',
  );
}

/** The settings of the old agent in objects of Kubernetes, such as `kubectl get -o yaml` and `helm get manifest` print. */
export function fromManifests(tool: OldTool, documents: readonly unknown[], file: string): OldInstallation {
  const objects = documents
    .filter(isTree)
    .flatMap((one): KubeObject[] => (Array.isArray(one['items']) ? objectsAt(one, 'items') : [one]));
  const found = objects.find((object) => VALUES_IN[String(object['kind'])] !== undefined);
  return found === undefined ? fromWorkload(tool, objects, file) : fromGitOps(tool, found, file);
}

function fromWorkload(tool: OldTool, objects: readonly KubeObject[], file: string): OldInstallation {
  const all = objects.filter((object) => agentContainers(tool, object).length > 0);
  const kind = KINDS.find((one) => all.some((object) => object['kind'] === one));
  const [workload, ...others] = all.filter((object) => object['kind'] === kind);
  if (workload === undefined)
    throw new UserError(
      `${file} has ${objects.length} objects of Kubernetes, and none has a container of ${tool.title}`,
      `Give the values (helm get values -a RELEASE), or the Deployment (kubectl get deployment NAME -o yaml)`,
    );
  if (others.length > 0)
    throw new UserError(
      `${file} has several: ${[workload, ...others].map((one) => `${kind} ${nameOf(one)}`).join(', ')}`,
      'Give them one by one: each is a destination of its own',
    );
  const { namespace } = objectAt(workload, 'metadata');
  return {
    settings: workloadSettings(tool, workload, configMapsIn(tool, objects, workload, file)),
    place: { namespace: typeof namespace === 'string' ? namespace : undefined, fullname: nameOf(workload) },
    origin: `${kind} ${nameOf(workload)} in ${file}`,
  };
}

/** Throws a UserError for one that is not in the file: what it sets is not known. */
function configMapsIn(tool: OldTool, objects: readonly KubeObject[], workload: KubeObject, file: string): ConfigMaps {
  const maps = new Map(
    objects.filter(({ kind }) => kind === 'ConfigMap').map((map) => [nameOf(map), objectAt(map, 'data')]),
  );
  const [container = {}] = agentContainers(tool, workload);
  const missing = configMapsOf(container).find((name) => !maps.has(name));
  if (missing === undefined) return maps;
  throw new UserError(
    `the ConfigMap ${missing} has variables of ${tool.title} and is not in ${file}`,
    `Add it: kubectl get deployment/${nameOf(workload)} configmap/${missing} -o yaml`,
  );
}

function fromGitOps(tool: OldTool, object: KubeObject, file: string): OldInstallation {
  const kind = String(object['kind']);
  const name = `${kind} ${nameOf(object)} in ${file}`;
  const spec = objectAt(object, 'spec');
  const values = VALUES_IN[kind]?.(spec) ?? {};
  const settings =
    typeof values === 'string' ? fromValuesText(tool, values, name) : fromValues(tool, isTree(values) ? values : {});
  const target =
    spec['targetNamespace'] ?? objectAt(spec, 'destination')['namespace'] ?? objectAt(object, 'metadata')['namespace'];
  const { parameters } = objectAt(objectAt(spec, 'source'), 'helm');
  const isIncomplete = spec['valuesFrom'] !== undefined || parameters !== undefined;
  return {
    settings,
    place: { namespace: typeof target === 'string' ? target : undefined },
    origin: name,
    ...(isIncomplete && {
      incomplete: { source: 'valuesFrom, parameters', value: 'what they set is not here: compare it' },
    }),
  };
}

function nameOf(object: KubeObject): string {
  return textAt(objectAt(object, 'metadata'), 'name') ?? '';
}
