import { z } from 'zod';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Run } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import type { PlanContext } from '../sink.ts';
import type { CronitorPlanConfig } from './config.ts';
import { environment, monitorKey, selected } from './payload.ts';

const reportedSchema = z.object({ key: z.string(), env: z.string().optional(), failed: z.boolean().optional() });

/**
 * What the start of a run used: later telemetry uses it too, whatever the annotations say by then. `failed`: it was reported
 * as failed when it got stuck.
 */
export type Reported = z.infer<typeof reportedSchema>;

/** The memo of a run; undefined when nothing of it was reported. */
export function readReported(memo: Json | undefined): Reported | undefined {
  return reportedSchema.safeParse(memo).data;
}

/** The CronJob that a run belongs to, if any. */
export function cronJobOf({ owners }: Pick<PlanContext, 'owners'>): CronJobFacts | undefined {
  const owner = owners().find(({ kind }) => kind === 'CronJob');
  return owner?.kind === 'CronJob' ? owner : undefined;
}

/** Why a run is not reported. One whose start was reported is closed in any case: it would stay "running". */
export function untakenReason(
  reported: Reported | undefined,
  run: Run,
  cronJob: CronJobFacts,
  config: CronitorPlanConfig,
): 'not_selected' | 'manual_run' | undefined {
  if (reported !== undefined) return undefined;
  if (!selected(cronJob, config)) return 'not_selected';
  return run.manual === true && config.manualRuns === 'ignore' ? 'manual_run' : undefined;
}

/** Monitor and environment of a run's telemetry. */
export function targetOf(
  reported: Reported | undefined,
  cronJob: CronJobFacts,
  stickyKey: () => string | undefined,
  config: CronitorPlanConfig,
): Pick<Reported, 'key' | 'env'> {
  return reported ?? { key: monitorKey(cronJob, stickyKey(), config).key, env: environment(cronJob, config) };
}
