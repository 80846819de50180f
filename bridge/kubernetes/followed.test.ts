import { describe, expect, it } from 'vitest';
import { ALWAYS, withNeeded } from './followed.ts';
import { KINDS } from './kinds.ts';
import type { Kind } from './observation.ts';

describe('the kinds that are followed', () => {
  it('are CronJobs, Pods and Jobs when nothing more is needed', () => {
    expect(withNeeded([])).toEqual(ALWAYS);
  });

  it.each([
    ['Deployment', ['CronJob', 'Deployment', 'ReplicaSet', 'Pod', 'Job']],
    ['StatefulSet', ['CronJob', 'StatefulSet', 'ControllerRevision', 'Pod', 'Job']],
    ['DaemonSet', ['CronJob', 'DaemonSet', 'ControllerRevision', 'Pod', 'Job']],
    ['Namespace', ['Namespace', 'CronJob', 'Pod', 'Job']],
  ] as const)('with a %s come those that it is judged with', (kind, followed) => {
    expect(withNeeded([kind])).toEqual(followed);
  });

  it('can be all that there are, each once', () => {
    const all = Object.keys(KINDS) as Kind[];
    expect(withNeeded([...all, ...all]).toSorted()).toEqual(all.toSorted());
  });
});
