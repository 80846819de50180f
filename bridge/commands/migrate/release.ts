import { gunzipSync } from 'node:zlib';
import type { KubeApi } from '../../cluster/api.ts';
import { isTree, merge, type Tree } from '../../config/tree.ts';
import { type KubeObject, messageAt, objectAt, objectsAt, textAt } from '../../kubernetes/fields.ts';
import { UserError } from '../../lib/errors.ts';
import { agentContainers, type ConfigMaps, configMapsOf, workloadSettings } from './container.ts';
import type { Given, OldPlace } from './draft.ts';
import { fromValues } from './sources.ts';
import type { OldTool } from './tool.ts';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 64 * 1024 * 1024;

export interface OldInstallation {
  readonly settings: readonly Given[];
  readonly place: OldPlace;
  /** What was read, for people. */
  readonly origin: string;
  /** What could not be seen there. */
  readonly incomplete?: Given & { readonly value: string };
}

/**
 * The settings of an installed old agent: the values that Helm keeps of its release, or what its Deployment says when
 * Helm's Secret is not there or may not be read. Throws a UserError when there is neither.
 */
export async function readRelease(
  tool: OldTool,
  api: KubeApi,
  release: string,
  namespace: string,
): Promise<OldInstallation> {
  const selector = encodeURIComponent(`owner=helm,name=${release}`);
  const secrets = await list(api, `/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`);
  const current = typeof secrets === 'string' ? undefined : currentVersion(secrets);
  if (current !== undefined) return fromSecret(tool, current, release, namespace);
  const why = typeof secrets === 'string' ? secrets : 'there is no such release';
  return fromDeployment(tool, api, release, namespace, why);
}

/** The objects of a LIST, or why there are none. */
async function list(api: KubeApi, path: string): Promise<KubeObject[] | string> {
  const answer = await api.get(path, AbortSignal.timeout(TIMEOUT_MS));
  if (answer.kind === 'failed')
    throw new UserError(
      `${api.server} cannot be reached: ${answer.error}`,
      'Name a kubeconfig with --kubeconfig FILE.',
    );
  if (answer.status === 200) return objectsAt(answer.body, 'items');
  return `the Kubernetes API answered ${answer.status}: ${messageAt(answer.body, 'message') ?? 'without a reason'}`;
}

/** The deployed version, else the last one. */
function currentVersion(secrets: readonly KubeObject[]): KubeObject | undefined {
  const label = (secret: KubeObject, name: string): string =>
    textAt(objectAt(objectAt(secret, 'metadata'), 'labels'), name) ?? '';
  const rank = (secret: KubeObject): number =>
    (label(secret, 'status') === 'deployed' ? 1e9 : 0) + Number(label(secret, 'version'));
  return secrets.toSorted((a, b) => rank(b) - rank(a))[0];
}

function fromSecret(tool: OldTool, secret: KubeObject, release: string, namespace: string): OldInstallation {
  const name = textAt(objectAt(secret, 'metadata'), 'name') ?? '';
  const { chart, config } = decodeRelease(objectAt(secret, 'data')['release'], name);
  const { name: chartName, version } = objectAt(chart, 'metadata');
  const standard = chartName === tool.chart ? objectAt(chart, 'values') : {};
  const values = merge(standard, config);
  if (chartName !== tool.chart && !isTree(values[tool.chart]))
    throw new UserError(
      `the release ${release} in ${namespace} is of the chart ${String(chartName)}, not of ${tool.chart}`,
      'Name the release of the old agent: helm list -A',
    );
  const place = { namespace, fullname: fullname(tool, values, release) };
  return {
    settings: fromValues(tool, values),
    place,
    origin: `release ${release} in ${namespace} (${String(chartName)} ${String(version)}, ${name})`,
  };
}

/** Helm's record of a release: base64 for Kubernetes, base64 again, gzip, JSON. */
function decodeRelease(data: unknown, name: string): { chart: KubeObject; config: Tree } {
  try {
    const inner = Buffer.from(Buffer.from(String(data), 'base64').toString('latin1'), 'base64');
    const isGzip = inner[0] === 0x1f && inner[1] === 0x8b;
    const json = isGzip ? gunzipSync(inner, { maxOutputLength: MAX_BYTES }) : inner;
    const record = JSON.parse(json.toString('utf8')) as KubeObject;
    return { chart: objectAt(record, 'chart'), config: objectAt(record, 'config') };
  } catch {
    throw new UserError(
      `the Secret ${name} does not hold a release that can be read`,
      'Give the file of: helm get values -a RELEASE',
    );
  }
}

/** What the old chart calls its objects. */
function fullname({ chart }: OldTool, values: Tree, release: string): string {
  const own = isTree(values[chart]) ? values[chart] : values;
  const name = textAt(own, 'nameOverride') ?? chart;
  const full = textAt(own, 'fullnameOverride') ?? (release.includes(name) ? release : `${release}-${name}`);
  return full.slice(0, 63).replace(/-$/, '');
}

/** The settings that the live Deployment has; its variables may come from ConfigMaps. */
async function fromDeployment(
  tool: OldTool,
  api: KubeApi,
  release: string,
  namespace: string,
  why: string,
): Promise<OldInstallation> {
  const found = await list(api, `/apis/apps/v1/namespaces/${namespace}/deployments`);
  const deployment = typeof found === 'string' ? undefined : found.find((each) => isAgent(tool, each, release));
  if (deployment === undefined) {
    const neither = typeof found === 'string' ? found : 'no Deployment there is of it either';
    throw new UserError(
      `the release ${release} in ${namespace} cannot be read: ${why}; ${neither}`,
      'Name the release of the old agent (helm list -A), or give the file of: helm get values -a RELEASE',
    );
  }
  const name = textAt(objectAt(deployment, 'metadata'), 'name') ?? '';
  const [container = {}] = agentContainers(tool, deployment);
  const settings = workloadSettings(tool, deployment, await configMaps(api, container, namespace));
  return {
    settings,
    place: { namespace, fullname: name },
    origin: `Deployment ${namespace}/${name} (Helm's Secret: ${why})`,
  };
}

function isAgent(tool: OldTool, deployment: KubeObject, release: string): boolean {
  const metadata = objectAt(deployment, 'metadata');
  const labels = objectAt(metadata, 'labels');
  const names = [textAt(metadata, 'name'), textAt(labels, 'app.kubernetes.io/instance'), textAt(labels, 'release')];
  return names.includes(release) && agentContainers(tool, deployment).length > 0;
}

/** The ConfigMaps that this container has variables from. The API key is in none. */
async function configMaps(api: KubeApi, container: KubeObject, namespace: string): Promise<ConfigMaps> {
  const all = new Map<string, KubeObject>();
  for (const name of configMapsOf(container)) {
    const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
    const answer = await api.get(path, AbortSignal.timeout(TIMEOUT_MS));
    if (answer.kind === 'failed' || answer.status !== 200)
      throw new UserError(
        `the ConfigMap ${namespace}/${name} with the old agent's variables cannot be read`,
        'Let this account get it.',
      );
    all.set(name, objectAt(answer.body, 'data'));
  }
  return all;
}
