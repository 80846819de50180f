import type { Random } from '../random.ts';
import { uuid, whole } from '../random.ts';
import type { Condition, KubeObject } from './objects.ts';
import { ownedBy, timestamp } from './objects.ts';

/** Pods of Jobs, as their kubelets report them. */

export function podOf(job: KubeObject, random: Random, at: number): KubeObject {
  const { name, namespace } = job.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${whole(random, 10_000, 99_999)}`,
      namespace,
      uid: uuid(random),
      creationTimestamp: timestamp(at),
      labels: { 'batch.kubernetes.io/job-name': name },
      ownerReferences: [ownedBy(job)],
      finalizers: ['batch.kubernetes.io/job-tracking'],
    },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'shop/report:7' }] },
    status: { phase: 'Pending' },
  };
}

export const podCondition = (type: string, at: number): Condition => ({
  type,
  status: 'True',
  lastTransitionTime: timestamp(at),
});

const container = (state: object, ready: boolean): object => ({
  name: 'main',
  image: 'shop/report:7',
  imageID: `shop/report@sha256:${'07'.repeat(32)}`,
  restartCount: 0,
  ready,
  started: ready,
  state,
});

export function running(at: number): object {
  const startedAt = timestamp(at);
  return { phase: 'Running', startTime: startedAt, containerStatuses: [container({ running: { startedAt } }, true)] };
}

export function terminated(from: number, at: number, exitCode: number): object {
  const state = {
    terminated: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: timestamp(from),
      finishedAt: timestamp(at),
      containerID: `containerd://${from}-${at}`,
    },
  };
  return { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [container(state, false)] };
}
