import { sha1Hex, sha256Hex } from '../../../bridge/lib/ids.ts';
import type { KubeObject } from './objects.ts';
import { ownedBy, timestamp } from './objects.ts';

/** Objects of workloads, as their controllers write them. */

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** What a person writes into a workload. */
export interface Template {
  readonly image: string;
  /** Its pods never come up. */
  readonly bad: boolean;
  readonly restartedAt?: string;
}

export const REVISION = 'deployment.kubernetes.io/revision';
export const FORMER = 'deployment.kubernetes.io/revision-history';
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

export interface Named {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly at: number;
}

export function templateOf({ image, restartedAt }: Template): object {
  return {
    metadata: {
      labels: { 'org.opencontainers.image.revision': sha1Hex(image) },
      ...(restartedAt !== undefined && { annotations: { 'kubectl.kubernetes.io/restartedAt': restartedAt } }),
    },
    spec: { containers: [{ name: 'main', image }] },
  };
}

export function workloadOf(
  kind: WorkloadKind,
  { at, ...named }: Named,
  replicas: number,
  template: Template,
): KubeObject {
  const annotations = {
    'github.lifecycle-bridge.io/repository': 'shop',
    ...(kind === 'DaemonSet' && { [TEMPLATE_GENERATION]: '1' }),
  };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { ...named, creationTimestamp: timestamp(at), generation: 1, annotations },
    spec: {
      ...(kind !== 'DaemonSet' && { replicas }),
      ...(kind === 'Deployment' && { progressDeadlineSeconds: 300 }),
      template: templateOf(template),
    },
    status: {},
  };
}

/** The ReplicaSet or ControllerRevision of a template, with its number. */
export function childOf(
  workload: KubeObject,
  { at, ...named }: Named,
  template: Template,
  revision: number,
): KubeObject {
  const hash = named.name.slice(workload.metadata.name.length + 1);
  const metadata = { ...named, creationTimestamp: timestamp(at), ownerReferences: [ownedBy(workload)] };
  if (workload.kind === 'Deployment')
    return {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { ...metadata, labels: { 'pod-template-hash': hash }, annotations: { [REVISION]: String(revision) } },
      spec: { replicas: 0, template: templateOf(template) },
      status: { replicas: 0 },
    };
  const generation = workload.metadata.annotations?.[TEMPLATE_GENERATION];
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      ...metadata,
      labels: { 'controller-revision-hash': hash },
      annotations: generation === undefined ? {} : { [TEMPLATE_GENERATION]: generation },
    },
    spec: {},
    status: {},
    revision,
    data: { spec: { template: templateOf(template) } },
  };
}

/** A pod of a workload: its owner and its label say of which revision. */
export function podOf(
  workload: KubeObject,
  child: KubeObject,
  { at, ...named }: Named,
  { image }: Template,
): KubeObject {
  const hash =
    child.metadata.labels?.['pod-template-hash'] ?? child.metadata.labels?.['controller-revision-hash'] ?? '';
  const labels =
    workload.kind === 'Deployment'
      ? { 'pod-template-hash': hash }
      : { 'controller-revision-hash': workload.kind === 'StatefulSet' ? child.metadata.name : hash };
  const owner = workload.kind === 'Deployment' ? child : workload;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...named, creationTimestamp: timestamp(at), labels, ownerReferences: [ownedBy(owner)] },
    spec: { restartPolicy: 'Always', nodeName: 'node-1', containers: [{ name: 'main', image }] },
    status: {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp(at) }],
    },
  };
}

/** Of an image with its tag. */
export const digestOf = (image: string): string => `sha256:${sha256Hex(image)}`;

const container = (image: string, state: object, ready: boolean): object => {
  const imageID = ready ? `${image.split(':')[0]}@${digestOf(image)}` : '';
  return { name: 'main', image, imageID, restartCount: 0, ready, started: ready, state };
};

export function upStatus(image: string, at: number): object {
  const startedAt = timestamp(at);
  return {
    phase: 'Running',
    startTime: startedAt,
    containerStatuses: [container(image, { running: { startedAt } }, true)],
  };
}

export function waitingStatus(image: string, at: number): object {
  const waiting = { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` };
  return { phase: 'Pending', startTime: timestamp(at), containerStatuses: [container(image, { waiting }, false)] };
}
