/** What a test wants of a CronJob. */
export interface Work {
  readonly name: string;
  /** For busybox's shell. */
  readonly script: string;
  /** Without one it fires only when it is run by hand. */
  readonly schedule?: string;
  readonly memory?: string;
  readonly job?: object;
}

/** A CronJob that a namespace with the Pod Security Standard "restricted" takes. */
export function cronJob({ name, script, schedule = '0 0 1 1 *', memory = '64Mi', job = {} }: Work): object {
  const container = {
    name: 'main',
    image: 'localhost/busybox:1',
    command: ['sh', '-c', script],
    resources: { requests: { cpu: '10m', memory: '8Mi' }, limits: { memory } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const pod = {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: {
      schedule,
      successfulJobsHistoryLimit: 100,
      failedJobsHistoryLimit: 100,
      jobTemplate: { spec: { backoffLimit: 0, ...job, template: { spec: pod } } },
    },
  };
}

export const SUCCEEDS: Work = { name: 'succeeds', script: 'echo all is well' };
export const FAILS: Work = { name: 'fails', script: 'echo the shop is out of stock >&2; exit 3' };
/** tail keeps the last lines, and there is no end of a line in zeros. */
export const EATS_MEMORY: Work = { name: 'eats-memory', script: 'exec tail /dev/zero', memory: '16Mi' };
