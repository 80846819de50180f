import { isOwnAnnotation } from '../annotations.ts';
import type { Instant } from '../../lib/clock.ts';
import type { KubeObject } from '../fields.ts';
import { booleanAt, objectAt, objectsAt, secondsAt, textAt, timeAt } from '../fields.ts';
import { readMetadata, scheduledJobName } from '../metadata.ts';
import type { KindSpec } from '../kind-spec.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import type { ContainerNames } from '../template.ts';
import { CONTAINER_NAMES, readContainerNames } from '../template.ts';

export interface CronJobFacts extends ObjectFacts, ContainerNames {
  readonly kind: 'CronJob';
  readonly schedule: string;
  readonly timeZone: string | undefined;
  readonly suspend: boolean;
  readonly concurrencyPolicy: string | undefined;
  readonly startingDeadlineSeconds: number | undefined;
  readonly lastScheduleAt: Instant | undefined;
  readonly lastSuccessfulAt: Instant | undefined;
  readonly activeUids: readonly string[];
  /** UID of the Job of `lastScheduleAt`, while `status.active` has it. */
  readonly lastJobUid?: string | undefined;
}

const PLAN: FieldsPlan = {
  spec: {
    jobTemplate: { spec: { template: { spec: CONTAINER_NAMES } } },
    schedule: 'scalar',
    timeZone: 'scalar',
    suspend: 'scalar',
    concurrencyPolicy: 'scalar',
    startingDeadlineSeconds: 'scalar',
  },
  status: { lastScheduleTime: 'scalar', lastSuccessfulTime: 'scalar', active: { uid: 'scalar', name: 'scalar' } },
};

function read(object: KubeObject, keeps = isOwnAnnotation): CronJobFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object, keeps);
  const lastScheduleAt = timeAt(status, 'lastScheduleTime');
  const active = objectsAt(status, 'active');
  const lastJob = lastScheduleAt === undefined ? undefined : scheduledJobName(metadata.name, lastScheduleAt);
  const last = active.find((reference) => textAt(reference, 'name') === lastJob);
  return {
    kind: 'CronJob',
    ...metadata,
    ...readContainerNames(objectAt(objectAt(spec, 'jobTemplate'), 'spec')),
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

export const CRON_JOB: KindSpec<CronJobFacts> = {
  apiVersion: 'batch/v1',
  resource: 'cronjobs',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 3,
  longLived: true,
  audit: 'full',
};
