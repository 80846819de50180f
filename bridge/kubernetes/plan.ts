import { isReadAnnotation } from './metadata.ts';

/**
 * What the readers of this room read of an object: the decoder makes only that. Of a list, the same of each item.
 * `scalar`: text, number or boolean. A function: the scalars of a map whose keys it keeps.
 */
export type Plan = 'scalar' | ((key: string) => boolean) | FieldsPlan;

interface FieldsPlan {
  readonly [field: string]: Plan;
}

const METADATA: FieldsPlan = {
  uid: 'scalar',
  namespace: 'scalar',
  name: 'scalar',
  resourceVersion: 'scalar',
  creationTimestamp: 'scalar',
  deletionTimestamp: 'scalar',
  deletionGracePeriodSeconds: 'scalar',
  labels: () => true,
  annotations: isReadAnnotation,
  ownerReferences: { controller: 'scalar', uid: 'scalar', apiVersion: 'scalar', kind: 'scalar', name: 'scalar' },
};

const CONDITIONS: FieldsPlan = {
  type: 'scalar',
  status: 'scalar',
  reason: 'scalar',
  message: 'scalar',
  lastTransitionTime: 'scalar',
};

const TERMINATED: FieldsPlan = {
  containerID: 'scalar',
  exitCode: 'scalar',
  signal: 'scalar',
  reason: 'scalar',
  message: 'scalar',
  startedAt: 'scalar',
  finishedAt: 'scalar',
};

const CONTAINER_STATUSES: FieldsPlan = {
  name: 'scalar',
  image: 'scalar',
  restartCount: 'scalar',
  state: { waiting: { reason: 'scalar', message: 'scalar' }, running: { startedAt: 'scalar' }, terminated: TERMINATED },
  lastState: { terminated: TERMINATED },
};

const CRON_JOB: FieldsPlan = {
  spec: {
    schedule: 'scalar',
    timeZone: 'scalar',
    suspend: 'scalar',
    concurrencyPolicy: 'scalar',
    startingDeadlineSeconds: 'scalar',
  },
  status: { lastScheduleTime: 'scalar', lastSuccessfulTime: 'scalar', active: { uid: 'scalar', name: 'scalar' } },
};

const JOB: FieldsPlan = {
  spec: {
    suspend: 'scalar',
    parallelism: 'scalar',
    completions: 'scalar',
    completionMode: 'scalar',
    backoffLimit: 'scalar',
  },
  status: {
    startTime: 'scalar',
    completionTime: 'scalar',
    conditions: CONDITIONS,
    active: 'scalar',
    succeeded: 'scalar',
    failed: 'scalar',
  },
};

const POD: FieldsPlan = {
  spec: { nodeName: 'scalar', restartPolicy: 'scalar', initContainers: { name: 'scalar', restartPolicy: 'scalar' } },
  status: {
    phase: 'scalar',
    reason: 'scalar',
    message: 'scalar',
    startTime: 'scalar',
    conditions: CONDITIONS,
    initContainerStatuses: CONTAINER_STATUSES,
    containerStatuses: CONTAINER_STATUSES,
    ephemeralContainerStatuses: CONTAINER_STATUSES,
  },
};

/** What `readRecord` and `readObject` need to recognise any object, and all that is read of one that is not followed. */
export const IDENTITY: Plan = {
  apiVersion: 'scalar',
  kind: 'scalar',
  metadata: { uid: 'scalar', name: 'scalar', resourceVersion: 'scalar' },
};

/** By `apiVersion/kind`: one line for each kind that is followed. */
export const PLANS: ReadonlyMap<string, Plan> = new Map(
  Object.entries({
    'batch/v1/CronJob': followed(CRON_JOB),
    'batch/v1/Job': followed(JOB),
    'v1/Pod': followed(POD),
  }),
);

function followed(plan: FieldsPlan): Plan {
  return { ...plan, apiVersion: 'scalar', kind: 'scalar', metadata: METADATA };
}
