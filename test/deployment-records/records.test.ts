import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonSet, deployment, digest, pod, Records, replicaSet, statefulSet } from './world.ts';

let bridge: Records;
beforeEach(() => {
  bridge = new Records();
});
afterEach(() => bridge.engine.close());

const web = deployment('web', ['app'], 2);
const set = replicaSet('web-1', web, ['app'], 2);

describe('a Deployment', () => {
  it('is deployed when its first pod runs, and decommissioned when the last is deleted', () => {
    const pods = [pod('web-1-a', set, { app: 'a' }), pod('web-1-b', set, { app: 'a' })];
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }, { phase: 'Pending' }));
    expect(bridge.lines).toEqual([]);
    bridge.see(...pods);
    expect(bridge.records).toEqual([
      {
        org: 'acme',
        logical_environment: 'production',
        physical_environment: '',
        cluster: 'prod-1',
        deployment_name: 'shop/web/app',
        name: 'acme/app',
        version: '1',
        digest: digest('a'),
        status: 'deployed',
      },
    ]);
    bridge.delete(pods[0]!);
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.delete(web, set);
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.delete(pods[1]!);
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
  });

  it('is the same in whatever order its objects are seen', () => {
    bridge.see(pod('web-1-a', set, { app: 'a' }));
    expect(bridge.lines).toEqual([]);
    bridge.see(set);
    expect(bridge.lines).toEqual([]);
    bridge.see(web);
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
  });

  it('moves to the digest of a rollout, stays while it has no pod at all, and goes back with a rollback', () => {
    const second = replicaSet('web-2', web, ['app'], 2);
    const [old, young] = [pod('web-1-a', set, { app: 'a' }), pod('web-2-a', second, { app: 'b' }, { age: 60 })];
    bridge.see(web, set, old, second, young);
    expect(bridge.lines).toEqual(['shop/web/app b deployed']);
    bridge.delete(old, young);
    expect(bridge.lines).toEqual(['shop/web/app b deployed']);
    bridge.see(pod('web-1-b', set, { app: 'a' }, { age: 120 }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
  });

  it('is decommissioned when it is scaled to zero, and deployed again with its next pod', () => {
    const one = pod('web-1-a', set, { app: 'a' });
    bridge.see(web, set, one);
    bridge.see(deployment('web', ['app'], 0), replicaSet('web-1', web, ['app'], 0));
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.delete(one);
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
    bridge.see(web);
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
    bridge.see(pod('web-1-b', set, { app: 'a' }, { age: 60 }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
  });

  it('that is scaled to zero stays deployed where the configuration says so', () => {
    bridge.restart({ scaledToZero: 'keep' });
    const one = pod('web-1-a', set, { app: 'a' });
    bridge.see(web, set, one);
    bridge.see(deployment('web', ['app'], 0));
    bridge.delete(one);
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.delete(web);
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
  });

  it('that is deleted in the foreground is decommissioned after its last pod', () => {
    const one = pod('web-1-a', set, { app: 'a' });
    bridge.see(web, set, one);
    bridge.see(deployment('web', ['app'], 2, { deletionTimestamp: '2026-01-05T10:05:00Z' }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.delete(one);
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
    bridge.delete(set, web);
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
  });

  it('without a sidecar any more keeps the record of it until its last pod with it is gone', () => {
    const both = deployment('web', ['app', 'proxy'], 1);
    const old = pod('web-1-a', set, { app: 'a', proxy: 'c' });
    bridge.see(both, set, old);
    bridge.see(web, replicaSet('web-2', web, ['app']));
    expect(bridge.lines).toEqual(['shop/web/app a deployed', 'shop/web/proxy c deployed']);
    bridge.see(pod('web-2-a', replicaSet('web-2', web, ['app']), { app: 'b' }, { age: 60 }));
    bridge.delete(old);
    expect(bridge.lines).toEqual(['shop/web/app b deployed', 'shop/web/proxy c decommissioned']);
  });

  it('has records of init containers and native sidecars, and none of a debugger', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a', 'init/migrate': 'b' }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed', 'shop/web/migrate b deployed']);
  });

  it('whose pod was evicted does not run it any more', () => {
    const one = pod('web-1-a', set, { app: 'a' });
    bridge.see(web, set, one);
    bridge.see(deployment('web', ['app'], 0), pod('web-1-a', set, { app: 'a' }, { phase: 'Failed' }));
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
  });

  it('survives a restart, and one that was deleted while the bridge was down', () => {
    const one = pod('web-1-a', set, { app: 'a' });
    bridge.see(web, set, one);
    bridge.restart();
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.delete(web, set, one);
    bridge.restart();
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned']);
  });
});

describe('a digest', () => {
  it('counts when it becomes visible late', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a', late: '' }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    bridge.see(pod('web-1-a', set, { app: 'a', late: 'b' }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed', 'shop/web/late b deployed']);
  });

  it('counts when it changes in place, also in an older pod', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }), pod('web-1-b', set, { app: 'a' }, { age: 10 }));
    bridge.see(pod('web-1-a', set, { app: 'b' }));
    expect(bridge.lines).toEqual(['shop/web/app b deployed']);
  });

  it('has the name and version of the image that runs while the one of a pod is changed in place', () => {
    const versions = (): unknown[] => bridge.records.map(({ name, version, digest: of }) => [name, version, of[7]]);
    const running = { app: 'registry.example/acme/app:1' };
    const images = { app: 'acme/other:2' };
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }, { running }));
    bridge.see(pod('web-1-a', set, { app: 'a' }, { running, images }));
    expect(versions()).toEqual([['acme/app', '1', 'a']]);
    bridge.see(pod('web-1-a', set, { app: 'b' }, { running: images, images }));
    expect(versions()).toEqual([['acme/other', '2', 'b']]);
  });

  it('that another tag has too gets its name and version when it runs by that tag', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }, { running: { app: 'acme/app:1' } }));
    const images = { app: 'acme/app:stable' };
    bridge.see(pod('web-1-a', set, { app: 'a' }, { running: images, images }));
    expect(bridge.records.map(({ version }) => version)).toEqual(['stable']);
  });

  it('is kept while the status of a pod does not have it for a moment', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }));
    bridge.see(pod('web-1-a', set, { app: '' }));
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
  });

  it('that is not one of a registry makes no record, but the one that the spec pins', () => {
    const bare = `docker://${digest('a')}`;
    bridge.see(web, set, pod('web-1-a', set, { app: bare, odd: 'ghcr.io/o/i@sha512:abcd', short: 'a@sha256:abc' }));
    expect(bridge.lines).toEqual([]);
    const problems = bridge.engine.reader.problems({ limit: 10 }).items.flatMap((one) => one.problems);
    expect(problems.map(({ annotation, value }) => [annotation, value])).toEqual([
      ['status.containerStatuses[app].imageID', bare],
      ['status.containerStatuses[odd].imageID', 'ghcr.io/o/i@sha512:abcd'],
      ['status.containerStatuses[short].imageID', 'a@sha256:abc'],
    ]);
    bridge.see(pod('web-1-a', set, { app: bare }, { images: { app: `acme/app:2@${digest('b')}` } }));
    expect(bridge.lines).toEqual(['shop/web/app b deployed']);
  });
});

describe('an owner', () => {
  it('that is a ReplicaSet of its own, or of Argo Rollouts, keeps its record while it wants pods', () => {
    const rollout = { kind: 'Rollout', apiVersion: 'argoproj.io/v1alpha1', metadata: { uid: 'ro', name: 'canary' } };
    const ofRollout = replicaSet('canary-5d9', rollout, ['app'], 3);
    const bare = replicaSet('my-set', undefined, ['app'], 3);
    const pods = [ofRollout, bare].flatMap((one) =>
      ['a', 'b', 'c'].map((end) => pod(`${one.metadata.name}-${end}`, one, { app: 'a' })),
    );
    bridge.see(ofRollout, bare, ...pods);
    expect(bridge.lines).toEqual(['shop/canary/app a deployed', 'shop/my-set/app a deployed']);
    bridge.delete(pods[0]!, pods[3]!);
    expect(bridge.lines).toEqual(['shop/canary/app a deployed', 'shop/my-set/app a deployed']);
    bridge.delete(...pods);
    expect(bridge.lines).toEqual(['shop/canary/app a deployed', 'shop/my-set/app a deployed']);
    bridge.see(replicaSet('canary-5d9', rollout, ['app'], 0));
    bridge.delete(bare);
    expect(bridge.lines).toEqual(['shop/canary/app a decommissioned', 'shop/my-set/app a decommissioned']);
  });

  it('of another API group with the same kind has no records', () => {
    const volcano = { kind: 'Job', apiVersion: 'batch.volcano.sh/v1alpha1', metadata: { uid: 'v', name: 'train' } };
    const clone = { kind: 'StatefulSet', apiVersion: 'apps.kruise.io/v1', metadata: { uid: 'k', name: 'db' } };
    const pods = [
      pod('train-0', volcano, { app: 'a' }),
      pod('db-0', clone, { app: 'a' }),
      pod('bare', undefined, { app: 'a' }),
    ];
    bridge.see(...pods);
    bridge.delete(...pods);
    expect(bridge.lines).toEqual([]);
  });

  it('that is a StatefulSet or DaemonSet is named by itself', () => {
    const [db, agent] = [statefulSet('db', ['pg']), daemonSet('agent', ['agent'], 2)];
    const pods = [
      pod('db-0', db, { pg: 'a' }),
      pod('agent-x', agent, { agent: 'b' }),
      pod('agent-y', agent, { agent: 'b' }),
    ];
    bridge.see(db, agent, ...pods);
    bridge.delete(...pods);
    expect(bridge.lines).toEqual(['shop/agent/agent b deployed', 'shop/db/pg a deployed']);
    bridge.delete(db, agent);
    expect(bridge.lines).toEqual(['shop/agent/agent b decommissioned', 'shop/db/pg a decommissioned']);
  });
});
