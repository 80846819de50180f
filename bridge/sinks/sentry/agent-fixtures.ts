import { container, podFacts, terminated } from '../../../test/fixtures/facts.ts';
import type { Facts, PodFacts } from '../../kubernetes/observation.ts';
import { deployment, replicaSet } from '../../lifecycle/testing/rollouts.ts';
import { at } from './issue-fixtures.ts';

export const web = { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' };
export const pod = (changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({ name: 'p', owner: undefined, phase: 'Running', startAt: at(1), nodeName: 'node-1', ...changes });
export const failed = (name: string, code: number, reason?: string) =>
  container({ name, terminated: { ...terminated(code, at(9), reason)!, message: undefined } });
export const about = (kind: string, name: string, uid: string | undefined, namespace = 'shop', group = '') => ({
  group,
  kind,
  namespace,
  name,
  uid,
  fieldPath: undefined,
});
export const OF_POD = about('Pod', 'p', podFacts().uid);
export const WEB: Facts[] = [deployment({ name: 'd', createdAt: at(-9_000) }), replicaSet('a')];
