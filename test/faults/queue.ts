import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import type { Stage } from './stage.ts';

/** Changes of each object before the queue is looked at. */
const ROUNDS = 20;

/** How many requests wait in the Collector's queue on disk, by its own metrics. */
export function queueSize({ collector }: Stage): Promise<number> {
  return readMetric(collector.metricsUrl, 'otelcol_exporter_queue_size');
}

/**
 * Changes the objects at `paths` so often that at least `count` more records lie in the queue of a Collector whose
 * bridge is away. What was changed before of the same kind is in the queue then, too.
 */
export async function fillQueue(stage: Stage, paths: readonly string[], count: number): Promise<void> {
  let size = await queueSize(stage);
  const end = size + count;
  while (size < end) {
    await Promise.all(paths.map((path) => change(stage, path)));
    // A watch that falls far behind breaks, and what it missed it never sends.
    const arrived = size + paths.length * ROUNDS;
    size = await until('the queue grows', async () => {
      const now = await queueSize(stage);
      return now >= arrived && now;
    });
  }
}

/** One after the other: two changes at once are a conflict, which the API server sorts out at length. */
async function change({ api }: Stage, path: string): Promise<void> {
  for (let n = 0; n < ROUNDS; n++) {
    await api.patch(path, { metadata: { annotations: { change: `${Date.now()}-${n}` } } });
  }
}
