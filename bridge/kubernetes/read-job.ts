import type { KubeObject } from './fields.ts';
import { booleanAt, countAt, messageAt, objectAt, objectsAt, parseTime, textAt, timeAt } from './fields.ts';
import { readMetadata } from './metadata.ts';
import type { Condition, JobFacts } from './observation.ts';

/** Set by the CronJob controller since Kubernetes 1.32; with the CronJob's UTC offset when it has a time zone. */
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Set by `kubectl create job --from=cronjob/…`. */
const INSTANTIATE = 'cronjob.kubernetes.io/instantiate';

/** Facts of a batch/v1 Job. */
export function readJob(object: KubeObject): JobFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object);
  return {
    kind: 'Job',
    ...metadata,
    scheduledAt: parseTime(metadata.annotations[SCHEDULED_AT]),
    manual: metadata.annotations[INSTANTIATE] === 'manual',
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

/** All conditions of a status: rules look them up by type and status "True", never by position. */
export function readConditions(status: KubeObject): Condition[] {
  return objectsAt(status, 'conditions').map((condition) => ({
    type: textAt(condition, 'type') ?? '',
    status: textAt(condition, 'status') ?? '',
    reason: messageAt(condition, 'reason'),
    message: messageAt(condition, 'message'),
    at: timeAt(condition, 'lastTransitionTime'),
  }));
}
