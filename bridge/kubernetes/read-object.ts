import type { KubeObject } from './fields.ts';
import { textAt } from './fields.ts';
import type { Facts } from './observation.ts';
import { readCronJob } from './read-cronjob.ts';
import { readJob } from './read-job.ts';
import { readPod } from './read-pod.ts';

/** Facts of an object of a kind that the bridge follows; undefined for any other (valid) Kubernetes object. */
export function readObject(object: KubeObject): Facts | undefined {
  const kind = `${textAt(object, 'apiVersion') ?? ''}/${textAt(object, 'kind') ?? ''}`;
  switch (kind) {
    case 'batch/v1/CronJob':
      return readCronJob(object);
    case 'batch/v1/Job':
      return readJob(object);
    case 'v1/Pod':
      return readPod(object);
    default:
      return undefined;
  }
}
