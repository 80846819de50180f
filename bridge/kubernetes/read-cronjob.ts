import type { KubeObject } from './fields.ts';
import { booleanAt, objectAt, objectsAt, secondsAt, textAt, timeAt } from './fields.ts';
import { readMetadata, scheduledJobName } from './metadata.ts';
import type { CronJobFacts } from './observation.ts';

/** Facts of a batch/v1 CronJob. */
export function readCronJob(object: KubeObject): CronJobFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object);
  const lastScheduleAt = timeAt(status, 'lastScheduleTime');
  const active = objectsAt(status, 'active');
  const lastJob = lastScheduleAt === undefined ? undefined : scheduledJobName(metadata.name, lastScheduleAt);
  const last = active.find((reference) => textAt(reference, 'name') === lastJob);
  return {
    kind: 'CronJob',
    ...metadata,
    schedule: textAt(spec, 'schedule') ?? '',
    timeZone: textAt(spec, 'timeZone'),
    suspend: booleanAt(spec, 'suspend'),
    concurrencyPolicy: textAt(spec, 'concurrencyPolicy'),
    startingDeadlineSeconds: secondsAt(spec, 'startingDeadlineSeconds'),
    lastScheduleAt,
    lastSuccessfulAt: timeAt(status, 'lastSuccessfulTime'),
    activeUids: active.flatMap((reference) => textAt(reference, 'uid') ?? []),
    lastJobUid: last && textAt(last, 'uid'),
  };
}
