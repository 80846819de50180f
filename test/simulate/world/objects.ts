/** Objects as the Kubernetes API has them, as far as anybody here reads them. Never changed in place. */

export type Resource = 'cronjobs' | 'jobs' | 'pods' | 'events' | WorkloadResource | RevisionResource;
export type WorkloadResource = 'deployments' | 'statefulsets' | 'daemonsets';
export type RevisionResource = 'replicasets' | 'controllerrevisions';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: true;
  readonly blockOwnerDeletion: true;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

export interface Fields {
  readonly [field: string]: unknown;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: Fields;
  readonly status: Fields;
  /** Of a ControllerRevision. */
  readonly revision?: number;
  readonly data?: Fields;
  /** Of an Event. */
  readonly type?: 'Normal' | 'Warning';
  readonly reason?: string;
  readonly note?: string;
  readonly regarding?: Fields;
  readonly deprecatedSource?: Fields;
  readonly reportingController?: string;
  readonly deprecatedFirstTimestamp?: string;
  readonly deprecatedLastTimestamp?: string;
  readonly deprecatedCount?: number;
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  CronJob: 'cronjobs',
  Job: 'jobs',
  Pod: 'pods',
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  ReplicaSet: 'replicasets',
  ControllerRevision: 'controllerrevisions',
  Event: 'events',
};

/** Every resource that there can be objects of. */
export const ALL_RESOURCES: readonly Resource[] = Object.values(RESOURCES);

export function resourceOf({ kind }: { readonly kind: string }): Resource {
  return RESOURCES[kind]!;
}

/** Whole seconds, as the API writes times. */
export function timestamp(at: number): string {
  return new Date(Math.floor(at / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

export function ownedBy({ apiVersion, kind, metadata: { name, uid } }: KubeObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export function ownerUid({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.[0]?.uid;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly lastTransitionTime: string;
  readonly lastProbeTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export function conditionsOf({ status }: KubeObject): readonly Condition[] {
  return (status['conditions'] as readonly Condition[] | undefined) ?? [];
}

export function hasCondition(object: KubeObject, ...types: readonly string[]): boolean {
  return conditionsOf(object).some(({ type, status }) => types.includes(type) && status === 'True');
}

export const hasEnded = (job: KubeObject): boolean => hasCondition(job, 'Complete', 'Failed');
export const isBeingDeleted = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
