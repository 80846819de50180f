import type { DeploymentFacts } from '../../kubernetes/kinds/deployment.ts';
import type { Rollouts } from './rollouts.ts';
import { at, deployment, progress, replicaSet } from './rollouts.ts';

/** A Deployment whose first revision was up before it was seen. */
export const OLD = deployment({ conditions: [progress('NewReplicaSetAvailable', 'web-a', -9)] });

export const second = (changes: Partial<DeploymentFacts> = {}): DeploymentFacts =>
  deployment({ generation: 2, observedGeneration: 2, revision: 2, updated: 1, replicas: 4, ...changes });
/** The second revision was made, and its first pod. */
export function begin(rollouts: Rollouts): string[] {
  const child = replicaSet('b', { revision: 2, createdAt: at(10), replicas: 1, available: 0 });
  const conditions = [progress('ReplicaSetUpdated', 'web-b', 11)];
  return [...rollouts.see(10, child), ...rollouts.see(11, second({ conditions }))];
}
export const available = [progress('NewReplicaSetAvailable', 'web-b', 20)];
export const deadline = progress('ProgressDeadlineExceeded', 'web-b', 30, {
  status: 'False',
  message: 'ReplicaSet "web-b" has timed out progressing.',
});
