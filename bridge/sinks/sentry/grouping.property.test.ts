import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  container,
  cronJobFacts,
  eventFacts,
  jobFacts,
  ownedBy,
  podFacts,
  T0,
  terminated,
} from '../../../test/fixtures/facts.ts';
import type { Facts, PodFacts } from '../../kubernetes/observation.ts';
import { keepEvent, warned } from '../../lifecycle/event.ts';
import { reducePod } from '../../lifecycle/pod.ts';
import { daemonSet, deployment, replicaSet, statefulSet } from '../../lifecycle/testing/rollouts.ts';
import type { Transition } from '../../lifecycle/transition.ts';
import type { PlanContext } from '../sink.ts';
import { sentrySchema } from './config.ts';
import { sentry } from './module.ts';

const settings = sentrySchema.parse({ dsn: 'https://key@o1.ingest.sentry.io/42', crons: { enabled: false } });
const plannerOf = (clusterId: string) =>
  sentry.planner('default', settings, { clusterId, clusterName: 'production', pageUrl: undefined, siblings: 1 });

/** Nearest first: the object, then who owns it, as far as they were seen. */
function contextOf([object, ...owners]: readonly Facts[]): PlanContext {
  return {
    run: undefined,
    memo: undefined,
    object: () => object,
    runObject: () => undefined,
    facts: () => undefined,
    owners: () => owners,
    namespace: () => undefined,
    attempts: () => [],
    attempt: () => undefined,
    logs: () => [],
    events: () => [],
    stickyKey: () => undefined,
  };
}

function group(transition: Transition, chain: readonly Facts[], clusterId = 'c1'): string {
  const planned = plannerOf(clusterId).plan(transition, contextOf(chain));
  if (planned === null || 'drop' in planned) throw new Error(`not reported: ${JSON.stringify(planned)}`);
  const { item } = planned.intents[0]!.payload as { item: { fingerprint: string[] } };
  return JSON.stringify(item.fingerprint);
}

/** The group of the only end of a container that a pod shows. */
function crashGroup(pod: PodFacts, owners: readonly Facts[], clusterId?: string): string {
  const { transitions } = reducePod(undefined, { facts: pod, deleted: false, observedAt: T0 + 60_000 });
  const end = transitions.find(({ kind }) => kind === 'container.terminated');
  return group(end!, [pod, ...owners], clusterId);
}

const SAFE = 'bcdfghjklmnpqrstvwxz2456789';
const safe = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from(SAFE)), minLength: length, maxLength: length });
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });
const ip = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const noise = fc.record({
  hash: safe(10),
  suffix: safe(5),
  uid: fc.uuid(),
  ip,
  digest: hex(64),
  count: fc.integer({ min: 0, max: 5_000 }),
  seconds: fc.integer({ min: 1, max: 300 }),
  instant: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
  restarts: fc.integer({ min: 0, max: 40 }),
  said: fc.string({ maxLength: 80 }),
});
type Noise = typeof noise extends fc.Arbitrary<infer T> ? T : never;

const crashing = ({ restarts, said, seconds }: Noise) =>
  container({
    restartCount: restarts,
    terminated: { ...terminated(3, T0 + seconds * 1_000)!, message: said || undefined },
  });

/** A pod of each kind of owner, and its owners. */
const PODS: Record<string, (noise: Noise) => readonly [PodFacts, ...Facts[]]> = {
  'a Deployment': (n) => {
    const set = replicaSet('a', { uid: `rs-${n.hash}`, name: `web-${n.hash}` });
    const owner = { group: 'apps', kind: 'ReplicaSet', name: set.name, uid: set.uid };
    const labels = { 'pod-template-hash': n.hash };
    return [
      podFacts({ uid: n.uid, name: `web-${n.hash}-${n.suffix}`, owner, labels, containers: [crashing(n)] }),
      set,
      deployment(),
    ];
  },
  'a StatefulSet': (n) => {
    const owner = { group: 'apps', kind: 'StatefulSet', name: 'ledger', uid: statefulSet().uid };
    return [podFacts({ uid: n.uid, name: `ledger-${n.restarts}`, owner, containers: [crashing(n)] }), statefulSet()];
  },
  'a DaemonSet': (n) => {
    const owner = { group: 'apps', kind: 'DaemonSet', name: 'agent', uid: daemonSet().uid };
    return [podFacts({ uid: n.uid, name: `agent-${n.suffix}`, owner, containers: [crashing(n)] }), daemonSet()];
  },
  'a custom owner': (n) => {
    const owner = { group: 'sparkoperator.k8s.io', kind: 'SparkApplication', name: `etl-${n.suffix}`, uid: n.uid };
    return [podFacts({ uid: n.digest, name: `etl-${n.suffix}-driver`, owner, containers: [crashing(n)] })];
  },
  'a node': (n) => {
    const owner = { group: '', kind: 'Node', name: 'node-1', uid: 'n1' };
    return [podFacts({ uid: n.uid, name: 'kube-proxy-node-1', owner, mirror: true, containers: [crashing(n)] })];
  },
  'nobody, with a generated name': (n) => {
    const name = { name: `migrate-${n.suffix}`, generateName: 'migrate-' };
    return [podFacts({ uid: n.uid, ...name, owner: undefined, containers: [crashing(n)] })];
  },
};

describe('the failure of a container', () => {
  it.each(Object.entries(PODS))('in pods of %s is one issue, whatever they are called and say', (_what, podOf) => {
    fc.assert(
      fc.property(noise, noise, (a, b) => {
        const [[pod, ...owners], [other, ...others]] = [podOf(a), podOf(b)];
        expect(crashGroup(other, others)).toBe(crashGroup(pod, owners));
      }),
      { numRuns: 60 },
    );
  });

  it('is the same issue when the owners were never seen', () => {
    fc.assert(
      fc.property(noise, noise, fc.constantFrom(...Object.values(PODS)), (a, b, podOf) => {
        const [[pod, ...owners], [other]] = [podOf(a), podOf(b)];
        expect(crashGroup(other, [])).toBe(crashGroup(pod, owners));
      }),
      { numRuns: 60 },
    );
  });

  it('is another issue in another workload, container, namespace or cluster, and with another exit code', () => {
    const [n] = fc.sample(noise, 1);
    const groups = Object.values(PODS).map((podOf) => crashGroup(podOf(n!)[0], podOf(n!).slice(1)));
    const pod = PODS['a StatefulSet']!(n!)[0];
    groups.push(crashGroup({ ...pod, namespace: 'other' }, [statefulSet()]), crashGroup(pod, [statefulSet()], 'c2'));
    for (const changes of [
      { name: 'side' },
      { terminated: terminated(4, T0) },
      { terminated: terminated(3, T0, 'StartError') },
    ]) {
      groups.push(
        crashGroup({ ...pod, containers: [container({ terminated: terminated(3, T0), ...changes })] }, [statefulSet()]),
      );
    }
    expect(new Set(groups).size).toBe(groups.length);
  });

  it('in the Jobs of a CronJob is one issue', () => {
    fc.assert(
      fc.property(noise, (n) => {
        const cron = cronJobFacts();
        const job = jobFacts({ uid: n.uid, name: `report-${29_000_000 + n.count}`, owner: ownedBy(cron) });
        const owner = { group: 'batch', kind: 'Job', name: job.name, uid: job.uid };
        const pod = podFacts({ uid: n.digest, name: `${job.name}-${n.suffix}`, owner, containers: [crashing(n)] });
        const { item } = (planAttempt(pod, job, cron).payload ?? {}) as { item?: { fingerprint: string[] } };
        expect(item?.fingerprint).toEqual(['c1', 'shop', 'CronJob', 'report', 'crash', 'main', 'exit code 3']);
      }),
      { numRuns: 30 },
    );
  });
});

function planAttempt(pod: PodFacts, ...owners: readonly Facts[]): { readonly payload?: unknown } {
  const { transitions } = reducePod(undefined, { facts: pod, deleted: false, observedAt: T0 + 60_000 });
  const end = transitions.find(({ kind }) => kind === 'container.terminated')!;
  const planned = plannerOf('c1').plan(end, contextOf([pod, ...owners]));
  return planned !== null && 'intents' in planned ? planned.intents[0]! : {};
}

/** What Kubernetes writes, with what is different each time. */
const MESSAGES: Record<string, (noise: Noise, pod: PodFacts) => string> = {
  Unhealthy: ({ ip, said }) => `Readiness probe failed: Get "http://${ip}:8080/ready": dial tcp: ${said}`,
  FailedCreatePodSandBox: ({ digest, uid, ip }, { name }) =>
    `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "${digest}": pod ${name}_shop(${uid}): no route to ${ip}`,
  FailedMount: ({ seconds, suffix }) =>
    `Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data kube-api-access-${suffix}]: timed out after ${seconds}s`,
  FailedKillPod: ({ digest, seconds, count }) =>
    `error killing pod: failed to stop container "${digest}": context deadline exceeded after ${seconds}.${count}s, attempt ${count}`,
  NetworkNotReady: ({ instant }) => `network is not ready at ${instant.toISOString()}: cni plugin not initialized`,
  DNSConfigForming: ({ ip, count }) =>
    `Nameserver limits were exceeded, ${count} omitted: ${ip}, the applied line is: ${ip}`,
  FailedToRetrieveImagePullSecret: ({ uid }) => `Unable to retrieve some image pull secrets (regcred) of ${uid}`,
};

function warningGroup(reason: string, n: Noise): string {
  const [pod, ...owners] = PODS['a Deployment']!(n);
  const message = MESSAGES[reason]!(n, pod);
  const regarding = { ...eventFacts().regarding, name: pod.name, uid: pod.uid };
  const event = eventFacts({ uid: n.uid, reason, message, regarding, count: n.restarts + 1 });
  return group(warned(keepEvent(event, T0), undefined), [pod, ...owners]);
}

describe('a Warning', () => {
  it.each(Object.keys(MESSAGES))('with the reason %s is one issue, whatever is different in its message', (reason) => {
    fc.assert(
      fc.property(noise, noise, (a, b) => {
        expect(warningGroup(reason, b)).toBe(warningGroup(reason, a));
      }),
      { numRuns: 60 },
    );
  });

  it('that says something else is another issue', () => {
    const [n] = fc.sample(noise, 1);
    const groups = Object.keys(MESSAGES).map((reason) => warningGroup(reason, n!));
    expect(new Set(groups).size).toBe(groups.length);
  });
});
