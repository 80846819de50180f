import { expect } from 'vitest';
import type { KubeObject } from '../../harness/kube.ts';
import { until } from '../../harness/kube.ts';
import { cronJob } from '../workloads.ts';
import type { CronitorStage } from './stage.ts';

/** The minute begins 45 to 105 s from now: also on a busy machine every CronJob is made by then. */
const AHEAD_MS = 105_000;

/** CronJobs that fire in the same minute, of which each has one run and one complete reported; returns their Jobs. */
export async function storm(stage: CronitorStage, count: number): Promise<readonly KubeObject[]> {
  const at = new Date(Date.now() + AHEAD_MS);
  const schedule = `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
  const kube = stage.kubes.storm;
  const names = Array.from({ length: count }, (_, number) => `storm-${number}`);
  await kube.apply(...names.map((name) => cronJob({ name, schedule, spec: { timeZone: 'Etc/UTC' } })));
  const everyJob = async (): Promise<readonly KubeObject[] | false> => {
    const jobs = await stage.api.get(`/apis/batch/v1/namespaces/${kube.namespace}/jobs`);
    const { items } = jobs as unknown as { items: readonly KubeObject[] };
    return items.length >= count && items;
  };
  const jobs = await until('every Job', everyJob, AHEAD_MS + 60_000);
  for (const job of jobs) await stage.untilReported(job, 'complete');
  for (const job of jobs) expect(stage.states(job)).toEqual(['run', 'complete']);
  return jobs;
}
