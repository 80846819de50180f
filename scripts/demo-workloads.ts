/** Prefix of the annotations by which the simulated kubelet knows how a pod ends; a real one ignores them. */
const TEST = 'lifecycle-bridge.test';

/** Three CronJobs: one succeeds, one fails after a retry, one is stuck on its image. */
export const demoCronJobs = [
  cronJob('report', { run: '3s' }, 'busybox:1.36', 'echo building report; sleep 3; echo 120 rows written'),
  cronJob('sync-stock', { run: '2s', exit: '4' }, 'busybox:1.36', 'echo connecting; sleep 1; exit 4'),
  cronJob('import-legacy', { stuck: 'ImagePullBackOff' }, 'registry.invalid/legacy/import:9', 'true'),
];

function cronJob(name: string, ending: Readonly<Record<string, string>>, image: string, script: string): object {
  const annotations = Object.fromEntries(Object.entries(ending).map(([key, value]) => [`${TEST}/${key}`, value]));
  const containers = [{ name: 'main', image, command: ['sh', '-c', script] }];
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, annotations: { 'k8s.cronitor.io/env': 'demo' } },
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: {
          backoffLimit: 1,
          template: { metadata: { annotations }, spec: { restartPolicy: 'Never', containers } },
        },
      },
    },
  };
}
