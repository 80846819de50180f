import { z } from 'zod';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Run } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import type { PlanContext } from '../sink.ts';
import type { CronitorPlanConfig } from './config.ts';
import { environment, monitorKey, selected } from './payload.ts';

const toldSchema = z.object({ key: z.string(), env: z.string().optional(), failed: z.boolean().optional() });

/**
 * What the start of a run used: later telemetry uses it too, whatever the annotations say by then. `failed`: it was told
 * as failed when it got stuck.
 */
export type Told = z.infer<typeof toldSchema>;

/** The memo of a run; undefined when nothing of it was told. */
export function readTold(memo: Json | undefined): Told | undefined {
  return toldSchema.safeParse(memo).data;
}

/** The CronJob that a run belongs to, if any. */
export function cronJobOf({ owners }: Pick<PlanContext, 'owners'>): CronJobFacts | undefined {
  const owner = owners().find(({ kind }) => kind === 'CronJob');
  return owner?.kind === 'CronJob' ? owner : undefined;
}

/** Why a run is not told. One whose start was told is closed whatever is wanted by then: it would stay "running". */
export function untakenReason(
  told: Told | undefined,
  run: Run,
  cronJob: CronJobFacts,
  config: CronitorPlanConfig,
): 'not_selected' | 'manual_run' | undefined {
  if (told !== undefined) return undefined;
  if (!selected(cronJob, config)) return 'not_selected';
  return run.manual === true && config.manualRuns === 'ignore' ? 'manual_run' : undefined;
}

/** Monitor and environment of a run's telemetry. */
export function targetOf(
  told: Told | undefined,
  cronJob: CronJobFacts,
  stickyKey: () => string | undefined,
  config: CronitorPlanConfig,
): Pick<Told, 'key' | 'env'> {
  return told ?? { key: monitorKey(cronJob, stickyKey(), config).key, env: environment(cronJob, config) };
}
