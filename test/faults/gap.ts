import { readFileSync } from 'node:fs';
import { clusterScript } from '../harness/cluster.ts';
import type { KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import { compact } from './etcd.ts';
import type { Stage, Started } from './stage.ts';

/** How often the Collector's log has something. */
export function logged({ collector }: Stage, text: RegExp): number {
  return (readFileSync(collector.logFile, 'utf8').match(text) ?? []).length;
}

/** The Collector's watches never bring what changes in `meanwhile`: it sleeps through that, and wakes to "410 Gone". */
export async function gap(stage: Stage, meanwhile: () => Promise<Started[]>): Promise<Started[]> {
  const { collector, cluster } = stage;
  const expired = (): number => logged(stage, /received a 410.*"k8sobjects\/(pods|jobs|cronjobs)"/g);
  const before = expired();
  process.kill(collector.pid, 'SIGSTOP');
  let started: Started[];
  try {
    // What is sent to one that sleeps waits in its sockets, unless they are broken.
    await clusterScript(cluster, 'restart', 'apiserver');
    started = await meanwhile();
    await compact(stage);
    await clusterScript(cluster, 'restart', 'apiserver');
  } finally {
    process.kill(collector.pid, 'SIGCONT');
  }
  await until(
    'the watches of pods, Jobs and CronJobs hear that their version is too old',
    () => expired() >= before + 3,
    300_000,
  );
  return started;
}

/** The Job when it has ended. */
export const ended = ({ kube }: Stage, { job }: Started): Promise<KubeObject> =>
  until(
    `${job.metadata.name} has ended`,
    async () => {
      const now = await kube.get(`job/${job.metadata.name}`);
      const conditions = (now.status?.['conditions'] ?? []) as { type: string }[];
      return conditions.some(({ type }) => ['Complete', 'Failed'].includes(type)) && now;
    },
    240_000, // whoever works on it may wait for half a minute before it asks a restarted API server again
  );

/** Start and end as the Job says them, in seconds. */
export function trueTimes({ status }: KubeObject): number[] {
  const conditions = status?.['conditions'] as { type: string; lastTransitionTime: string }[];
  const failed = conditions.find(({ type }) => type === 'Failed');
  const end = failed?.lastTransitionTime ?? (status!['completionTime'] as string);
  return [status!['startTime'] as string, end].map((time) => Date.parse(time) / 1000);
}
