import { until } from '../harness/kube.ts';
import { COLLECTOR, permit, untilMay } from './accounts.ts';
import { gap, logged } from './gap.ts';
import type { Stage, Started } from './stage.ts';
import { runs } from './stage.ts';

/** As their resources are called. */
export const KINDS: readonly string[] = ['pods', 'jobs', 'cronjobs'];
const WITHOUT_LIST = Object.fromEntries(Object.keys(COLLECTOR).map((resource) => [resource, ['get', 'watch']]));

/**
 * Ends every watch of the Collector for good, as a refusal does with client-go 0.32 or later: none is asked for again. Its
 * permissions are whole afterwards. Returns the runs that it never brings.
 */
export async function endAllWatches(stage: Stage): Promise<Started[]> {
  const { kube } = stage;
  await permit(kube, 'collector', WITHOUT_LIST);
  await untilMay(kube, 'collector', 'list', 'jobs.batch', false);
  const inside = await gap(stage, () => runs(stage, 'gap', 3));
  const isOver = (kind: string): boolean =>
    logged(stage, new RegExp(`could not retrieve a resourceVersion.*\\b${kind}\\b`, 'g')) > 0;
  await until('the watches of pods, Jobs and CronJobs ended', () => KINDS.every(isOver), 120_000);
  await permit(kube, 'collector', COLLECTOR);
  await untilMay(kube, 'collector', 'list', 'jobs.batch', true);
  return inside;
}
