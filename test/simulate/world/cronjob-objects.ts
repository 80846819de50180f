import type { Behaviour } from './job-controller.ts';
import type { KubeObject } from './objects.ts';
import { conditionsOf } from './objects.ts';

export type Policy = 'Allow' | 'Forbid' | 'Replace';

/** A CronJob as the plan of a world has it. */
export interface CronJobPlan {
  readonly name: string;
  readonly namespace: string;
  /** Minutes between two runs, which divide a day, and the minute of the first. */
  readonly every: number;
  readonly offset: number;
  readonly policy: Policy;
  readonly behaviour: Behaviour;
  /** What of ended Jobs is kept. */
  readonly history: number;
  readonly ttlSeconds?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The schedule as a person writes it. */
export function scheduleOf({ every, offset }: Pick<CronJobPlan, 'every' | 'offset'>): string {
  if (every < 60) return `${offset % every}-59/${every} * * * *`;
  if (every === 60) return `${offset % 60} * * * *`;
  return every === 1440
    ? `${offset % 60} ${Math.floor(offset / 60) % 24} * * *`
    : `${offset % 60} ${Math.floor(offset / 60) % (every / 60)}-23/${every / 60} * * *`;
}

export function endOf(job: KubeObject): string {
  return conditionsOf(job).at(-1)?.lastTransitionTime ?? '';
}

/** Of its Jobs. */
export const POD_TEMPLATE = { spec: { containers: [{ name: 'main', image: 'shop/report:7' }] } };

export function specOf(plan: CronJobPlan): KubeObject['spec'] {
  return {
    schedule: scheduleOf(plan),
    concurrencyPolicy: plan.policy,
    suspend: false,
    successfulJobsHistoryLimit: plan.history,
    failedJobsHistoryLimit: plan.history,
    jobTemplate: { spec: { backoffLimit: plan.behaviour.backoffLimit, template: POD_TEMPLATE } },
  };
}
