import { container, podFacts, T0, terminated } from '../../../test/fixtures/facts.ts';
import type { ContainerFacts, PodFacts } from '../../kubernetes/observation.ts';

/** So many seconds after the start of a test. */
export const at = (seconds: number): number => T0 + seconds * 1_000;

/** A pod without owner. */
export const bare = (name: string, changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({
    name,
    owner: undefined,
    restartPolicy: 'Always',
    phase: 'Running',
    startAt: at(1),
    nodeName: 'node-1',
    ...changes,
  });

/** A container in a crash loop. */
export const crashed = (name: string, restarts: number, code = 127, reason = 'Error'): ContainerFacts =>
  container({
    name,
    restartCount: restarts,
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off 10s restarting failed container=${name} pod=x_shop(uid)`,
    },
    lastTerminated: terminated(code, at(10 + restarts * 20), reason),
  });

/** What an Event is about. */
export const about = (kind: string, name: string, uid: string, group = '', fieldPath?: string) => ({
  group,
  kind,
  namespace: 'shop',
  name,
  uid,
  fieldPath,
});
