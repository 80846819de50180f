import type { KubeJson } from '../replay/objects.ts';

/** A CronJob whose Job has two pods that fail and one that succeeds, as its watches bring it. Times are seconds after `start`. */
export interface RetriedJob {
  readonly uid: string;
  readonly traceId: string;
  readonly name: string;
  /** Each in the order of the watches. */
  readonly running: readonly KubeJson[];
  readonly ended: readonly KubeJson[];
}

const NAMESPACE = 'shop';
const CRON_JOB_UID = 'c0000000-0000-4000-8000-00000000000b';

/** `number` makes names and UIDs; `start` is a whole second. */
export function retriedJob(number: number, start: number): RetriedJob {
  const id = String(number).padStart(12, '0');
  const [uid, name] = [`7a1fe000-1b2c-4d3e-8f40-${id}`, `report-${number}`];
  const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString().replace('.000Z', 'Z');
  let version = number * 100;
  const metadata = (name: string, uid: string, seconds: number, owner?: object): object => ({
    name,
    uid,
    namespace: NAMESPACE,
    creationTimestamp: at(seconds),
    resourceVersion: String(++version),
    ...(owner !== undefined && { ownerReferences: [{ controller: true, apiVersion: 'batch/v1', ...owner }] }),
  });
  const job = (status: object): KubeJson => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(name, uid, 0, { kind: 'CronJob', name: 'report', uid: CRON_JOB_UID }),
    spec: { parallelism: 1, completions: 1, backoffLimit: 3 },
    status: { startTime: at(1), ...status },
  });
  const pod = (index: number, began: number, exitCode: number): KubeJson => {
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const terminated = { exitCode, reason, startedAt: at(began + 2), finishedAt: at(began + 4) };
    const condition = (type: string, seconds: number): object => ({
      type,
      status: 'True',
      lastTransitionTime: at(seconds),
    });
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: metadata(`${name}-${index}`, podUid(id, index), began, { kind: 'Job', name, uid }),
      spec: { nodeName: 'node-a', restartPolicy: 'Never', containers: [{ name: 'main', image: 'example/report:1.2' }] },
      status: {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        startTime: at(began + 1),
        conditions: [condition('PodScheduled', began + 1)],
        containerStatuses: [{ name: 'main', image: 'example/report:1.2', restartCount: 0, state: { terminated } }],
      },
    };
  };
  const cronJob = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { ...metadata('report', CRON_JOB_UID, -3600) },
    spec: { schedule: '0 0 1 1 *', concurrencyPolicy: 'Allow', suspend: false, jobTemplate: {} },
    status: {},
  };
  const complete = { type: 'Complete', status: 'True', lastTransitionTime: at(25) };
  return {
    uid,
    traceId: uid.replaceAll('-', ''),
    name,
    running: [cronJob, job({ active: 1 }), pod(1, 1, 3), job({ active: 1, failed: 1 })],
    ended: [
      pod(2, 10, 3),
      pod(3, 20, 0),
      job({ completionTime: at(25), succeeded: 1, failed: 2, conditions: [complete] }),
    ],
  };
}

function podUid(id: string, index: number): string {
  return `b00${index}0000-0000-4000-8000-${id}`;
}
