import { recordedObjects } from '../fixtures/recorded.ts';

export type Resource = 'cronjobs' | 'jobs' | 'pods';

/** Of 100 objects 5 are CronJobs, 35 their Jobs, 35 the pods of these and 25 pods of workloads. */
const SHARE = { cronjobs: 0.05, jobs: 0.35, pods: 0.6 };
const NAMES = { cronjobs: 'report', jobs: 'report-29920695', pods: 'report-29920695-wx28j' };
const KINDS = { cronjobs: 'CronJob', jobs: 'Job', pods: 'Pod' };
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
  const [cronJobs, jobs] = [count('cronjobs'), count('jobs')];
  const values = (resource: Resource, index: number, round: number): Record<string, string> => {
    const job = resource === 'jobs' ? index : index % jobs;
    const cronJob = resource === 'cronjobs' ? index : job % cronJobs;
    const changed = round > 0 && index % 100 === 0;
    return {
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

async function readTemplates(): Promise<{ full: Templates; metadata: Templates }> {
  const recorded = await recordedObjects();
  const last = (resource: Resource): KubeJson => {
    const named = recorded.filter(({ object, deleted }) => {
      const { metadata } = object as unknown as KubeJson;
      return !deleted && object['kind'] === KINDS[resource] && metadata.name === NAMES[resource];
    });
    return structuredClone(named.at(-1)!.object) as unknown as KubeJson;
  };
  const [cronjobs, jobs, pods] = [last('cronjobs'), last('jobs'), last('pods')];
  // Rarely: nothing is to be missed while the bench runs.
  cronjobs.spec['schedule'] = '0 0 1 1 *';
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: uid('d', 0), controller: true };
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
    return named.split('@');
  };
  const all = { cronjobs, jobs, pods, workloadPods };
  const made = (only: (object: KubeJson) => { metadata: KubeJson['metadata'] }): Templates => ({
    cronjobs: template(only(all.cronjobs)),
    jobs: template(only(all.jobs)),
    pods: template(only(all.pods)),
    workloadPods: template(only(all.workloadPods)),
  });
  return { full: made((object) => object), metadata: made(({ metadata }) => ({ metadata })) };
}

function uid(kind: string, index: number): string {
  return `${kind.repeat(8)}-0000-4000-8000-${String(index).padStart(12, '0')}`;
}
