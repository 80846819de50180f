import type { RecordedObject } from '../fixtures/recorded.ts';
import { recordedObjects } from '../fixtures/recorded.ts';

export type Resource = 'cronjobs' | 'jobs' | 'pods' | 'deployments' | 'replicasets';

/**
 * Of 100 objects 5 are CronJobs, 30 their Jobs, 30 the pods of these; 3 Deployments with 4 ReplicaSets each, and 20 pods of
 * these.
 */
const SHARE = { cronjobs: 0.05, jobs: 0.3, pods: 0.5, deployments: 0.03, replicasets: 0.12 };
const REVISIONS = SHARE.replicasets / SHARE.deployments;
const NAMES = { cronjobs: 'report', jobs: 'report-29920695', pods: 'report-29920695-wx28j' };
const KINDS = { cronjobs: 'CronJob', jobs: 'Job', pods: 'Pod' };
const REVISION = 'deployment.kubernetes.io/revision';
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const FIRST_VERSION = 1_000_000;

/** An object as the API server has it: open, because the recording decides its fields. */
interface KubeJson {
  metadata: { uid: string; name: string; resourceVersion: string; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
  [field: string]: unknown;
}

/** Text with the places that differ from object to object: literals at even, names of values at odd positions. */
type Template = readonly string[];

export interface Population {
  count(resource: Resource): number;
  /** JSON of one object, as the API server has it or only its metadata. In round 1 every hundredth has changed. */
  json(resource: Resource, index: number, options: { readonly metadata: boolean; readonly round: number }): string;
}

/** A cluster's worth of objects, made from those of a real node with their managedFields. */
export async function makePopulation(objects: number): Promise<Population> {
  const templates = await readTemplates();
  const count = (resource: Resource): number => Math.round(objects * SHARE[resource]);
  const [cronJobs, jobs, deployments] = [count('cronjobs'), count('jobs'), count('deployments')];
  const values = (resource: Resource, index: number, round: number): Record<string, string> => {
    const job = resource === 'jobs' ? index : index % jobs;
    const cronJob = resource === 'cronjobs' ? index : job % cronJobs;
    const changed = round > 0 && index % 100 === 0;
    const deployment = deployments === 0 ? 0 : index % deployments;
    const revision = resource === 'replicasets' ? Math.floor(index / deployments) + 1 : REVISIONS;
    const newest = (REVISIONS - 1) * deployments + deployment;
    return {
      depUid: uid('d', deployment),
      depName: `web-${deployment}`,
      setUid: uid('f', resource === 'replicasets' ? index : newest),
      setName: `set-${resource === 'replicasets' ? index : newest}`,
      revision: String(revision),
      replicas: revision === REVISIONS ? '2' : '0',
      version: String(FIRST_VERSION * (changed ? 2 : 1) + index),
      cronUid: uid('c', cronJob),
      cronName: `report-${cronJob}`,
      jobUid: uid('a', job),
      jobName: `run-${job}`,
      podUid: uid('b', index),
      podName: `pod-${index}`,
      scheduled: new Date(Date.UTC(2026, 10, 21, 6, 15) - Math.floor(job / cronJobs) * 60_000).toISOString(),
    };
  };
  return {
    count,
    json(resource, index, { metadata, round }) {
      const kind = resource === 'pods' && index >= jobs ? 'workloadPods' : resource;
      const template = templates[metadata ? 'metadata' : 'full'][kind];
      const value = values(resource, index, round);
      return template.map((part, at) => (at % 2 === 0 ? part : value[part])).join('');
    },
  };
}

type Templates = Readonly<Record<Resource | 'workloadPods', Template>>;
type Parts = Readonly<Record<Resource | 'workloadPods', KubeJson>>;

async function readTemplates(): Promise<{ full: Templates; metadata: Templates }> {
  const recorded = await recordedObjects();
  const last = (resource: keyof typeof NAMES): KubeJson => {
    const named = recorded.filter(({ object, deleted }) => {
      const { metadata } = object as unknown as KubeJson;
      return !deleted && object['kind'] === KINDS[resource] && metadata.name === NAMES[resource];
    });
    return structuredClone(named.at(-1)!.object) as unknown as KubeJson;
  };
  const [cronjobs, jobs, pods] = [last('cronjobs'), last('jobs'), last('pods')];
  // Rarely: nothing is to be missed while the bench runs.
  cronjobs.spec['schedule'] = '0 0 1 1 *';
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: '@setName@', uid: '@setUid@', controller: true };
  const workloadPods = { ...pods, metadata: { ...pods.metadata, ownerReferences: [owner] } };
  const texts = [
    [cronjobs.metadata.uid, 'cronUid'],
    [jobs.metadata.uid, 'jobUid'],
    [pods.metadata.uid, 'podUid'],
    [jobs.metadata.annotations?.[SCHEDULED] ?? '', 'scheduled'],
    [NAMES.pods, 'podName'],
    [NAMES.jobs, 'jobName'],
    [`"name":"${NAMES.cronjobs}"`, 'cronName'],
  ] as const;
  const template = (object: { metadata: KubeJson['metadata'] }): Template => {
    const metadata = { ...object.metadata, resourceVersion: '@version@' };
    const named = texts.reduce(
      (text, [from, to]) => text.replaceAll(from, to === 'cronName' ? `"name":"@${to}@"` : `@${to}@`),
      JSON.stringify({ ...object, metadata }),
    );
    return named.replaceAll('"@replicas@"', '@replicas@').split('@');
  };
  const all: Parts = { cronjobs, jobs, pods, workloadPods, ...workloads(recorded) };
  const made = (only: (object: KubeJson) => { metadata: KubeJson['metadata'] }): Templates => ({
    cronjobs: template(only(all.cronjobs)),
    jobs: template(only(all.jobs)),
    pods: template(only(all.pods)),
    workloadPods: template(only(all.workloadPods)),
    deployments: template(only(all.deployments)),
    replicasets: template(only(all.replicasets)),
  });
  return { full: made((object) => object), metadata: made(({ metadata }) => ({ metadata })) };
}

/** A Deployment whose last revision is rolled out, and a ReplicaSet of it. */
function workloads(recorded: readonly RecordedObject[]): Pick<Parts, 'deployments' | 'replicasets'> {
  const first = (kind: string): KubeJson =>
    structuredClone(recorded.find(({ object }) => object['kind'] === kind)!.object) as unknown as KubeJson;
  const [deployments, replicasets] = [first('Deployment'), first('ReplicaSet')];
  const at = '2026-11-21T06:10:41Z';
  const message = 'ReplicaSet "@setName@" has successfully progressed.';
  const progressing = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message };
  Object.assign(deployments.metadata, { name: '@depName@', uid: '@depUid@', generation: REVISIONS });
  deployments.metadata.annotations = { [REVISION]: '@revision@' };
  deployments['status'] = {
    observedGeneration: REVISIONS,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    conditions: [{ ...progressing, lastUpdateTime: at, lastTransitionTime: at }],
  };
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: '@depName@', uid: '@depUid@', controller: true };
  Object.assign(replicasets.metadata, { name: '@setName@', uid: '@setUid@', ownerReferences: [owner] });
  replicasets.metadata.annotations = { [REVISION]: '@revision@' };
  replicasets.spec['replicas'] = '@replicas@';
  replicasets['status'] = { replicas: '@replicas@', availableReplicas: '@replicas@' };
  return { deployments, replicasets };
}

function uid(kind: string, index: number): string {
  return `${kind.repeat(8)}-0000-4000-8000-${String(index).padStart(12, '0')}`;
}
