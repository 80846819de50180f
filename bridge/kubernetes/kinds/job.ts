import { isOwnAnnotation } from '../annotations.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Condition } from '../conditions.ts';
import { CONDITIONS, readConditions } from '../conditions.ts';
import type { KubeObject } from '../fields.ts';
import { booleanAt, countAt, objectAt, parseTime, textAt, timeAt } from '../fields.ts';
import { isOwnedByCronJob, readMetadata, readNamedOwners, scheduledJobName } from '../metadata.ts';
import type { KindSpec } from '../kind-spec.ts';
import type { ObjectFacts, Owner } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import type { ContainerNames } from '../template.ts';
import { CONTAINER_NAMES, readContainerNames } from '../template.ts';

export interface JobFacts extends ObjectFacts, ContainerNames {
  readonly kind: 'Job';
  /** From the CronJob controller's annotation `batch.kubernetes.io/cronjob-scheduled-timestamp`. */
  readonly scheduledAt: Instant | undefined;
  /** Made by hand, as `kubectl create job --from=cronjob/…` and "run now" of many tools do; never by the schedule. */
  readonly manual: boolean;
  /** The ownerReferences of a Job that has neither a controller nor one CronJob among them. */
  readonly namedOwners?: readonly Owner[];
  readonly suspend: boolean;
  readonly startAt: Instant | undefined;
  readonly completionAt: Instant | undefined;
  readonly conditions: readonly Condition[];
  readonly parallelism: number | undefined;
  readonly completions: number | undefined;
  readonly indexed: boolean;
  readonly backoffLimit: number | undefined;
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

const PLAN: FieldsPlan = {
  spec: {
    template: { spec: CONTAINER_NAMES },
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

/**
 * Set by the CronJob controller since Kubernetes 1.28 (up to 1.31 unless its feature gate is off); with the CronJob's UTC
 * offset when it has a time zone.
 */
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Set by `kubectl create job --from=cronjob/…`; in a jobTemplate it gets into every Job, also the scheduled ones. */
const INSTANTIATE = 'cronjob.kubernetes.io/instantiate';
const MINUTE_MS = 60_000;
const YEAR_MS = 366 * 24 * 60 * MINUTE_MS;

function read(object: KubeObject, keeps = isOwnAnnotation): JobFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object, keeps);
  const named = metadata.owner === undefined ? readNamedOwners(object) : [];
  const byHand = namedCronJob(named);
  const scheduledAt = parseTime(metadata.annotations[SCHEDULED_AT]);
  const isInstantiated = metadata.annotations[INSTANTIATE] === 'manual' && !isNamedBySchedule(metadata);
  return {
    kind: 'Job',
    ...metadata,
    owner: metadata.owner ?? byHand,
    ...(byHand === undefined && named.length > 0 && { namedOwners: named }),
    ...readContainerNames(spec),
    scheduledAt,
    manual: scheduledAt === undefined && (isInstantiated || byHand !== undefined),
    suspend: booleanAt(spec, 'suspend'),
    startAt: timeAt(status, 'startTime'),
    completionAt: timeAt(status, 'completionTime'),
    conditions: readConditions(status),
    parallelism: countAt(spec, 'parallelism'),
    completions: countAt(spec, 'completions'),
    indexed: textAt(spec, 'completionMode') === 'Indexed',
    backoffLimit: countAt(spec, 'backoffLimit'),
    active: countAt(status, 'active') ?? 0,
    succeeded: countAt(status, 'succeeded') ?? 0,
    failed: countAt(status, 'failed') ?? 0,
  };
}

/**
 * The CronJob that a Job without controller belongs to: "run now" of k9s, Argo CD and consoles names it as owner without
 * `controller: true`. Of several nobody knows which is meant.
 */
function namedCronJob(named: readonly Owner[]): Owner | undefined {
  const cronJobs = named.filter((owner) => isOwnedByCronJob(owner));
  return cronJobs.length === 1 ? cronJobs[0] : undefined;
}

/**
 * Whether only the schedule can have given this name, for a Kubernetes that does not show the scheduled time: the
 * CronJob's and the minute, which is near the Job's creation (nightly-20260105 is a date that a person wrote).
 */
function isNamedBySchedule({ name, owner, createdAt }: ObjectFacts): boolean {
  if (!isOwnedByCronJob(owner) || createdAt === undefined) return false;
  const at = Number(/-(\d{8,9})$/.exec(name)?.[1]) * MINUTE_MS;
  return name === scheduledJobName(owner.name, at) && at <= createdAt + MINUTE_MS && at > createdAt - YEAR_MS;
}

export const JOB: KindSpec<JobFacts> = {
  apiVersion: 'batch/v1',
  resource: 'jobs',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 4,
  longLived: false,
  audit: 'full',
};
