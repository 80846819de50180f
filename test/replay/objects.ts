import { encodeLogs, watchBody } from '../otlp-client.ts';

/** Objects as the Kubernetes API shows them, made up: their numbers make UIDs, names and versions. */
export type KubeJson = Readonly<Record<string, unknown>>;

const NAMESPACE = 'shop';
/** Whole seconds, as Kubernetes keeps them. */
const START = Math.floor(Date.now() / 1000) * 1000 - 60_000;

const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');
const uid = (kind: string, number: number): string => `${kind}-0000-4000-8000-${String(number).padStart(12, '0')}`;

export const cronJobUid = (number: number): string => uid('c0000000', number);
export const jobUid = (number: number): string => uid('a0000000', number);

export function cronJob(number: number, schedule = '*/5 * * * *'): KubeJson {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { ...metadata(`cron-${number}`, cronJobUid(number)), resourceVersion: '100' },
    spec: { schedule, concurrencyPolicy: 'Allow', suspend: false, jobTemplate: {} },
    status: {},
  };
}

/** The Job `number` of a CronJob: started, and a second later complete. */
export function job(number: number, owner: number, phase: 'running' | 'complete'): KubeJson {
  const complete = { type: 'Complete', status: 'True', lastTransitionTime: iso(START + 1000) };
  const controller = { apiVersion: 'batch/v1', kind: 'CronJob', controller: true };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata(`job-${number}`, jobUid(number)),
      resourceVersion: phase === 'running' ? `${1000 + 2 * number}` : `${1001 + 2 * number}`,
      ownerReferences: [{ ...controller, name: `cron-${owner}`, uid: cronJobUid(owner) }],
    },
    spec: { parallelism: 1, completions: 1 },
    status:
      phase === 'running'
        ? { startTime: iso(START), active: 1 }
        : { startTime: iso(START), completionTime: iso(START + 1000), succeeded: 1, conditions: [complete] },
  };
}

/** The pod of the Job `number`, made and started at the time `began`, with what else is in its status and its spec. */
export function podOfJob(number: number, began: string, status: KubeJson, spec: KubeJson = {}): KubeJson {
  const name = `job-${number}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata(`${name}-abcde`, uid('b0000000', number)),
      resourceVersion: `${3000 + number}`,
      creationTimestamp: began,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', controller: true, name, uid: jobUid(number) }],
    },
    spec: { nodeName: 'node-1', restartPolicy: 'Never', ...spec },
    status: { startTime: began, ...status },
  };
}

export function configMap(number: number): KubeJson {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata(`map-${number}`, uid('d0000000', number)), resourceVersion: '7' },
  };
}

function metadata(name: string, uid: string): KubeJson {
  return { name, uid, namespace: NAMESPACE, creationTimestamp: iso(START) };
}

/** One export with one record per object, as a watch brings them. */
export function exported(...objects: readonly KubeJson[]): Buffer {
  return encodeLogs(objects.map((object) => ({ body: watchBody('MODIFIED', object), observedAt: Date.now() })));
}
