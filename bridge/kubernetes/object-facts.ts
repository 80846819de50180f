import type { Instant } from '../lib/clock.ts';

/** What every object has. */
export interface ObjectFacts {
  readonly uid: string;
  /** Empty of what is in no namespace. */
  readonly namespace: string;
  readonly name: string;
  /** Of an object without a controller: what its name was made of by adding five characters. */
  readonly generateName?: string;
  readonly resourceVersion: string;
  readonly createdAt: Instant | undefined;
  /** When its deletion was asked for; once a pod's grace period is over, when that was. */
  readonly deletionAt: Instant | undefined;
  /** The controller ownerReference, if any; of a Job without one, the only CronJob that it names. */
  readonly owner: Owner | undefined;
  /** Every ownerReference in its order, where there are others than the controller; the first 10. */
  readonly owners?: readonly Owner[];
  readonly labels: Readonly<Record<string, string>>;
  /** Only annotations that the bridge reads (see metadata.ts): others may hold credentials. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Owner {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}
