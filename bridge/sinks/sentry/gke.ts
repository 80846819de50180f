import type { Clock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { isJsonObject, readJson } from '../../lib/json.ts';
import type { Http } from '../http.ts';

const METADATA = 'http://metadata.google.internal/computeMetadata/v1';
const CONSOLE = 'https://console.cloud.google.com';
const TIMEOUT_MS = 2_000;
/** It may come up later than the first pod of its node does. */
const AGAIN_MS = 300_000;
const NO_ANSWER = 'without names and links of GKE: its metadata server did not answer';

/** A cluster of Google Kubernetes Engine, as far as it says what it is. */
export interface GkeCluster {
  readonly name: string | undefined;
  readonly location: string | undefined;
  readonly project: string | undefined;
}

type Item = { [key: string]: Json };

/** An event with the names and links of its cluster, or why it is without them. */
export type Describe = (event: Item) => Promise<{ readonly item: Item; readonly note?: string }>;

/** Asks the metadata server with the first event, then never again; where it does not answer, now and then. */
export function createGke(http: Http, clock: Clock): Describe {
  let found: GkeCluster | undefined;
  let asking: Promise<GkeCluster | undefined> | undefined;
  let nextAt = -Infinity;
  const ask = async (): Promise<GkeCluster | undefined> => {
    if (found !== undefined || clock.now() < nextAt) return found;
    asking ??= askMetadata(http);
    found = await asking;
    asking = undefined;
    nextAt = clock.now() + AGAIN_MS;
    return found;
  };
  return async (event) => {
    const cluster = await ask();
    return cluster === undefined ? { item: event, note: NO_ANSWER } : { item: describedBy(cluster, event) };
  };
}

async function askMetadata(http: Http): Promise<GkeCluster | undefined> {
  const [instance, project] = await Promise.all([read(http, 'instance/attributes'), read(http, 'project')]);
  return instance && project && clusterOf(instance, project);
}

/** What is there under a path. Anything else that answers, such as a proxy, does not call itself Google. */
async function read(http: Http, path: string): Promise<object | undefined> {
  const result = await http.request({
    method: 'GET',
    url: `${METADATA}/${path}/?recursive=true`,
    headers: { 'metadata-flavor': 'Google' },
    timeoutMs: TIMEOUT_MS,
  });
  if (result.kind !== 'answer' || result.status !== 200 || result.headers['metadata-flavor'] !== 'Google')
    return undefined;
  const values = readJson(result.body);
  return isJsonObject(values) ? values : undefined;
}

/** The names with dashes count before those without. */
export function clusterOf(instance: object, project: object): GkeCluster {
  return {
    name: text(instance, 'cluster-name', 'clusterName'),
    location: text(instance, 'cluster-location', 'clusterLocation'),
    project: text(project, 'project-id', 'projectId'),
  };
}

function text(values: object, ...names: readonly string[]): string | undefined {
  const entries: Readonly<Record<string, unknown>> = { ...values };
  return names.map((name) => entries[name]).find((value) => typeof value === 'string' && value !== '') as
    | string
    | undefined;
}

/** With the tags and the context that sentry-kubernetes has. */
export function describedBy(cluster: GkeCluster, event: Item): Item {
  const { name, location, project } = cluster;
  const tags = known({ gke_cluster_name: name, gke_cluster_location: location, gke_project_name: project });
  const context = known({
    'Cluster name': name,
    'Cluster location': location,
    'GCP project': project,
    'Cluster URL': clusterUrl(cluster),
    'Pod Logs': logsUrl(cluster, fieldsOf(event['tags'])),
  });
  if (Object.keys(context).length === 0) return event;
  return {
    ...event,
    tags: { ...tags, ...fieldsOf(event['tags']) },
    contexts: { ...fieldsOf(event['contexts']), 'Google Kubernetes Engine': context },
  };
}

function clusterUrl({ name, location, project }: GkeCluster): string | undefined {
  if (name === undefined || location === undefined || project === undefined) return undefined;
  const [place, cluster, owner] = [location, name, project].map(encodeURIComponent);
  return `${CONSOLE}/kubernetes/clusters/details/${place}/${cluster}/details?project=${owner}`;
}

/** The logs of the pod that an event is about, in Cloud Logging. */
function logsUrl({ name, location, project }: GkeCluster, tags: Item): string | undefined {
  const { namespace, pod_name: pod } = tags;
  const labels = { project_id: project, location, cluster_name: name, namespace_name: namespace, pod_name: pod };
  if (project === undefined || Object.values(labels).includes(undefined)) return undefined;
  const lines = Object.entries(labels).map(([label, value]) => `resource.labels.${label}=${JSON.stringify(value)}`);
  const query = ['resource.type="k8s_container"', ...lines].map((line) => `${line}\n`).join('');
  return `${CONSOLE}/logs/query;query=${encodeURIComponent(query)};duration=PT1H?project=${encodeURIComponent(project)}`;
}

function fieldsOf(value: Json | undefined): Item {
  return isJsonObject(value) ? value : {};
}

function known(values: Readonly<Record<string, string | undefined>>): { [key: string]: string } {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
