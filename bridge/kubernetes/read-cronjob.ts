import type { KubeObject } from './fields.ts';
import { booleanAt, numberAt, objectAt, objectsAt, textAt, timeAt } from './fields.ts';
import { readMetadata } from './metadata.ts';
import type { CronJobFacts } from './observation.ts';

/** Facts of a batch/v1 CronJob. */
export function readCronJob(object: KubeObject): CronJobFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  return {
    kind: 'CronJob',
    ...readMetadata(object),
    schedule: textAt(spec, 'schedule') ?? '',
    timeZone: textAt(spec, 'timeZone'),
    suspend: booleanAt(spec, 'suspend'),
    concurrencyPolicy: textAt(spec, 'concurrencyPolicy'),
    startingDeadlineSeconds: numberAt(spec, 'startingDeadlineSeconds'),
    lastScheduleAt: timeAt(status, 'lastScheduleTime'),
    lastSuccessfulAt: timeAt(status, 'lastSuccessfulTime'),
    activeUids: objectsAt(status, 'active').flatMap((reference) => textAt(reference, 'uid') ?? []),
  };
}
