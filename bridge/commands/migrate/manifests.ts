import { isTree } from '../../config/tree.ts';
import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectAt, objectsAt, textAt } from '../../kubernetes/fields.ts';
import { UserError } from '../../lib/errors.ts';
import { agentContainers, type ConfigMaps, configMapsOf, workloadSettings } from './container.ts';
import type { OldInstallation } from './release.ts';
import { fromDocuments, fromValuesText } from './sources.ts';
import type { OldTool } from './tool.ts';

/** The first of these that has the old agent is read: the others follow from it. */
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod'];
/** What a GitOps object gives to a chart. */
interface ChartValues {
  readonly object: KubeObject;
  readonly chart: string | undefined;
  readonly values: unknown;
  /** Where more of them are set, which the object only names. */
  readonly elsewhere: readonly string[];
}

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
  const releases = objects.flatMap((object) => chartValuesIn(object));
  return releases.length === 0 ? fromWorkload(tool, objects, file) : fromGitOps(tool, releases, file);
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

function fromGitOps(tool: OldTool, all: readonly ChartValues[], file: string): OldInstallation {
  const ofTool = all.filter(({ chart }) => chart === tool.chart);
  const [release, ...others] = ofTool.length === 0 ? all : ofTool;
  if (release === undefined || others.length > 0)
    throw new UserError(
      `${file} has values of several charts: ${all.map((one) => `${titleOf(one)}${one.chart === undefined ? '' : ` (${one.chart})`}`).join(', ')}`,
      `Give a file with those of ${tool.chart} alone`,
    );
  const { object, values, elsewhere } = release;
  const spec = objectAt(object, 'spec');
  const name = `${titleOf(release)} in ${file}`;
  const settings =
    typeof values === 'string' ? fromValuesText(tool, values, name) : fromDocuments(tool, [values ?? {}], name);
  const target =
    spec['targetNamespace'] ?? objectAt(spec, 'destination')['namespace'] ?? objectAt(object, 'metadata')['namespace'];
  return {
    settings,
    place: { namespace: typeof target === 'string' ? target : undefined },
    origin: name,
    ...(elsewhere.length > 0 && {
      incomplete: { source: elsewhere.join(', '), value: 'what they set is not here: compare it' },
    }),
  };
}

/** Of a HelmRelease of Flux, or of each source of an Application of Argo CD that is a chart. */
function chartValuesIn(object: KubeObject): ChartValues[] {
  const spec = objectAt(object, 'spec');
  if (object['kind'] === 'HelmRelease') {
    const source = objectAt(objectAt(spec, 'chart'), 'spec');
    const elsewhere = [...givenOf(spec, ['valuesFrom']), ...givenOf(source, ['valuesFiles'])];
    return [{ object, chart: textAt(source, 'chart'), values: spec['values'], elsewhere }];
  }
  if (object['kind'] !== 'Application') return [];
  const sources = [objectAt(spec, 'source'), ...objectsAt(spec, 'sources')];
  return sources
    .filter((source) => source['helm'] !== undefined || source['chart'] !== undefined)
    .map((source) => {
      const helm = objectAt(source, 'helm');
      const elsewhere = givenOf(helm, ['valueFiles', 'parameters', 'fileParameters']);
      const values = helm['valuesObject'] ?? (helm['values'] === '' ? undefined : helm['values']);
      return { object, chart: textAt(source, 'chart'), values, elsewhere };
    });
}

function givenOf(object: KubeObject, fields: readonly string[]): string[] {
  return fields.filter((field) => object[field] !== undefined);
}

function titleOf({ object }: ChartValues): string {
  return `${String(object['kind'])} ${nameOf(object)}`;
}

function nameOf(object: KubeObject): string {
  return textAt(objectAt(object, 'metadata'), 'name') ?? '';
}
