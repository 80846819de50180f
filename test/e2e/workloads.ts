const TEST = 'lifecycle-bridge.test';

export interface Workload {
  readonly name: string;
  readonly schedule?: string;
  readonly job?: object;
  /** How the simulated kubelet ends each pod: `run` (a duration), `exit`, `reason`, `stuck`. */
  readonly pod?: Readonly<Record<string, string>>;
  /** Its Jobs stay after their end, however many. */
  readonly keep?: boolean;
  /** Annotations of k8s.cronitor.io, by their short names. */
  readonly cronitor?: Readonly<Record<string, string>>;
  /** More of the CronJob's spec. */
  readonly spec?: object;
}

const annotated = (prefix: string, values: Readonly<Record<string, string>>): object => ({
  annotations: Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}/${key}`, value])),
});

/** A CronJob that fires only when it is run by hand, unless it has a schedule. A real kubelet runs the script instead. */
export function cronJob(workload: Workload): object {
  const { name, schedule = '0 0 1 1 *', job = {}, pod = {}, keep = false, cronitor = {}, spec = {} } = workload;
  const seconds = Number.parseFloat(pod['run'] ?? '1s');
  const command = ['sh', '-c', `sleep ${seconds}; exit ${pod['exit'] ?? 0}`];
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, ...annotated('k8s.cronitor.io', cronitor) },
    spec: {
      schedule,
      ...spec,
      ...(keep && { successfulJobsHistoryLimit: 10_000, failedJobsHistoryLimit: 10_000 }),
      jobTemplate: {
        spec: {
          ...job,
          template: {
            metadata: annotated(TEST, pod),
            spec: {
              restartPolicy: 'Never',
              terminationGracePeriodSeconds: 0,
              containers: [{ name: 'main', image: 'busybox:1.36', command }],
            },
          },
        },
      },
    },
  };
}
