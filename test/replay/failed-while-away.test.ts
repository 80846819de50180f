import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeApi } from '../../bridge/cluster/fake-api.ts';
import { until } from '../harness/kube.ts';
import { Bench } from './bench.ts';
import type { KubeJson } from './objects.ts';
import { cronJob, job, jobUid } from './objects.ts';

const fake = new FakeApi();
let bench: Bench;
beforeEach(() => fake.start());
afterEach(async () => {
  await bench.close();
  await fake.stop();
});

/** The Job of CronJob 1, failed, and its pod. */
function failed(): { readonly job: KubeJson; readonly pod: KubeJson } {
  const running = job(1, 1, 'running');
  const at = (running['status'] as { startTime: string }).startTime;
  const reason = { reason: 'BackoffLimitExceeded', message: 'too often' };
  const conditions = [{ type: 'Failed', status: 'True', lastTransitionTime: at, ...reason }];
  const terminated = { exitCode: 3, finishedAt: at, reason: 'Error' };
  const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', controller: true, name: 'job-1', uid: jobUid(1) }];
  const uid = 'b0000000-0000-4000-8000-000000000001';
  return {
    job: { ...running, status: { startTime: at, failed: 1, conditions } },
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...(running['metadata'] as object), name: 'job-1-abcde', uid, ownerReferences },
      spec: { nodeName: 'node-1', restartPolicy: 'Never' },
      status: {
        phase: 'Failed',
        startTime: at,
        containerStatuses: [{ name: 'main', image: 'busybox', restartCount: 0, state: { terminated } }],
      },
    },
  };
}

it('a run that failed while nobody watched is reported with its exit code: its pod is listed before it', async () => {
  const objects = failed();
  Object.assign(fake.objects, { cronjobs: [cronJob(1)], jobs: [objects.job], pods: [objects.pod] });
  bench = await Bench.start({ kubeconfig: fake.kubeconfig });
  await until('both pings', () => bench.vendors.cronitor.pings.length >= 2);
  expect(bench.vendors.cronitor.pings.map(({ query }) => query)).toMatchObject([
    { state: 'run', series: jobUid(1), host: 'node-1' },
    { state: 'fail', status_code: '3', message: expect.stringContaining('main exited with 3') as string },
  ]);
});
