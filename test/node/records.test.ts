import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { packageChart } from '../chart/helm.ts';
import { imageArchives } from '../harness/full-cluster.ts';
import { type Kube, type KubeObject, until } from '../harness/kube.ts';
import type { KeptRecord } from '../vendors/github-records.ts';
import { type Registry, startRegistry } from './registry.ts';
import type { Release } from './release.ts';
import { setStage, type Stage } from './stage.ts';

const HOST = 'registry.test';
const COMMITS = ['a', 'b'].map((letter) => letter.repeat(40)) as [string, string];

let stage: Stage;
let kube: Kube;
let release: Release;
let registry: Registry;
/** Digests by REPOSITORY:TAG. */
const digests = new Map<string, string>();
/** The first timestamp that was seen of each pod. */
const stamps = new Map<string, string>();

describe.skipIf(inject('node')?.cluster === undefined)(
  'records at GitHub and timestamps of pods (needs a node of its own, and so root)',
  () => {
    beforeAll(async () => {
      stage = await setStage('records');
      ({ kube } = stage);
      const archive = (await imageArchives()).find((path) => path.includes('/busybox-'))!;
      registry = await startRegistry(HOST, { ...stage.node, cluster: stage.node.cluster!, archive });
      for (const image of ['app:1', 'app:2', 'app:3', 'proxy:1', 'db:1', 'agent:1', 'task:1'])
        digests.set(image, registry.push(`acme/${image.split(':')[0]}`, image.split(':')[1]!));
      await kube.kubectl(['create', 'secret', 'generic', 'github', `--from-literal=credential=${stage.vendors.key}`]);
      release = stage.release('lb');
      const github = {
        existingSecret: 'github',
        apiUrl: await inCluster(stage.vendors.url),
        org: 'acme',
        cluster: 'node',
        logicalEnvironment: 'test',
        deployments: { repositories: ['*'] },
        // Without what the release itself runs.
        labelSelector: { matchExpressions: [{ key: 'app.kubernetes.io/managed-by', operator: 'DoesNotExist' }] },
      };
      const values = stage.values({ github: { default: github }, kubernetes: { default: {} } });
      await release.apply(await packageChart(), values);
    });
    afterAll(async () => {
      await stage?.close();
      await registry?.close();
    });

    it('follow what runs on the node: a start, a rollout, a rollback over a restart of the bridge', async () => {
      await kube.apply(
        workload('Deployment', 'web', ['app', 'proxy']),
        workload('StatefulSet', 'db', ['db']),
        workload('DaemonSet', 'agent', ['agent']),
        workload('Deployment', 'api', ['app'], 1),
        cronJob('nightly', 'task'),
        plainPod(),
      );
      await kube.runCronJob('nightly', 'nightly-1');
      await has('web/app', 'app:1 deployed');
      for (const [name, image] of [
        ['web/proxy', 'proxy:1'],
        ['db/db', 'db:1'],
        ['agent/agent', 'agent:1'],
        ['api/app', 'app:1'],
        ['nightly/task', 'task:1'],
      ])
        await has(name!, `${image} deployed`);
      await stamped();
      await rollOut('app:2', COMMITS[1]);
      await has('web/app', 'app:2 deployed');
      await kube.kubectl(['rollout', 'status', 'deployment/web']);
      await kube.kubectl(['delete', 'pod', 'lb-bridge-0', '--wait=false']);
      await rollOut('app:1', COMMITS[0]);
      await has('web/app', 'app:1 deployed');
      await kube.kubectl(['rollout', 'status', 'deployment/web']);
      await kube.wait('pod/lb-bridge-0', 'condition=Ready', 120_000);
      expect(sent('web/app')).toEqual(['app:1 deployed', 'app:2 deployed', 'app:1 deployed']);
    });

    it('follow it to zero and back, and when the image of running pods is changed', async () => {
      await kube.kubectl(['scale', 'deployment/web', '--replicas=0']);
      await has('web/app', 'app:1 decommissioned');
      await kube.kubectl(['scale', 'deployment/web', '--replicas=2']);
      await has('web/app', 'app:1 deployed');
      await kube.kubectl(['rollout', 'status', 'deployment/web']);
      for (const { metadata } of await podsOf('web'))
        await kube.kubectl(['set', 'image', `pod/${metadata.name}`, `app=${HOST}/acme/app:3`]);
      await has('web/app', 'app:3 deployed');
      await until('both pods run it', async () =>
        (await podsOf('web')).every((pod) => imageOf(pod, 'app') === 'app:3'),
      );
      await stamped();
      expect(sent('web/app').slice(3)).toEqual(['app:1 decommissioned', 'app:1 deployed', 'app:3 deployed']);
    });

    it('end after the last pod of what is deleted: in the foreground, and while the bridge is down', async () => {
      await kube.delete('deployment/api', '--cascade=foreground');
      await has('api/app', 'app:1 decommissioned');
      await kube.kubectl(['annotate', 'pod/plain', 'addtime=']);
      await stamped('plain');
      await release.settled();
      await kube.kubectl(['scale', 'statefulset/lb-bridge', '--replicas=0']);
      await kube.wait('pod/lb-bridge-0', 'delete', 60_000);
      await kube.delete('deployment/web');
      await until('no pod of it is left', async () => (await podsOf('web')).length === 0);
      await kube.kubectl(['scale', 'statefulset/lb-bridge', '--replicas=1']);
      await has('web/app', 'app:3 decommissioned');
      await has('web/proxy', 'proxy:1 decommissioned');
      await stamped();
      expect([sent('api/app'), sent('web/app').length]).toEqual([['app:1 deployed', 'app:1 decommissioned'], 7]);
    });

    it('are exactly these at the end, each change sent once', async () => {
      await release.settled();
      const { artifacts, violations, releases } = stage.vendors.github;
      expect([...artifacts.records.values()].toSorted(byName)).toEqual(
        [
          record('agent/agent', 'agent:1', 'deployed'),
          record('api/app', 'app:1', 'decommissioned'),
          record('db/db', 'db:1', 'deployed'),
          record('nightly/task', 'task:1', 'deployed'),
          record('web/app', 'app:3', 'decommissioned'),
          record('web/proxy', 'proxy:1', 'decommissioned'),
        ].toSorted(byName),
      );
      const names = ['agent/agent', 'api/app', 'db/db', 'nightly/task', 'web/app', 'web/proxy'];
      expect(Object.fromEntries(names.map((name) => [name, sent(name)]))).toEqual({
        'agent/agent': ['agent:1 deployed'],
        'api/app': ['app:1 deployed', 'app:1 decommissioned'],
        'db/db': ['db:1 deployed'],
        'nightly/task': ['task:1 deployed'],
        'web/app': [
          'app:1 deployed',
          'app:2 deployed',
          'app:1 deployed',
          'app:1 decommissioned',
          'app:1 deployed',
          'app:3 deployed',
          'app:3 decommissioned',
        ],
        'web/proxy': ['proxy:1 deployed', 'proxy:1 decommissioned', 'proxy:1 deployed', 'proxy:1 decommissioned'],
      });
      expect(releases.deployments.map(({ ref, statuses }) => [ref, ...statuses.map(({ state }) => state)])).toEqual([
        [COMMITS[0], 'in_progress', 'success', 'inactive'],
        [COMMITS[1], 'in_progress', 'success', 'inactive'],
        [COMMITS[0], 'in_progress', 'success', 'inactive'],
      ]);
      expect(violations).toEqual([]);
    });

    /** The bridge speaks to GitHub by https, and by http only inside of the cluster: a Service leads to this machine. */
    async function inCluster(url: string): Promise<string> {
      const { port } = new URL(url);
      const ports = [{ name: 'http', port: Number(port) }];
      await kube.apply(
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'github' }, spec: { ports } },
        {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name: 'github', labels: { 'kubernetes.io/service-name': 'github' } },
          addressType: 'IPv4',
          ports,
          endpoints: [{ addresses: [stage.node.hostIp] }],
        },
      );
      return `http://github.${kube.namespace}.svc.cluster.local:${port}`;
    }

    const byName = (a: KeptRecord, b: KeptRecord): number => a.deployment_name.localeCompare(b.deployment_name);
    const full = (name: string): string => `${kube.namespace}/${name}`;
    const imageBy = (digest: string): string => [...digests].find(([, one]) => one === digest)?.[0] ?? digest;

    function record(name: string, image: string, status: string): KeptRecord {
      const [repository, version] = image.split(':') as [string, string];
      const where = { org: 'acme', logical_environment: 'test', physical_environment: '', cluster: 'node' };
      const what = { name: `${HOST}/acme/${repository}`, version, digest: digests.get(image)!, status };
      const named = name.startsWith('web/') && { github_repository: 'shop' };
      return { ...where, deployment_name: full(name), ...what, ...named };
    }

    /** What GitHub was sent of a container, in order. */
    const sent = (name: string): string[] =>
      stage.vendors.github.artifacts.history
        .filter(({ deployment_name }) => deployment_name === full(name))
        .map(({ digest, status }) => `${imageBy(digest)} ${status}`);

    /** Fails with what GitHub has when the time is over. */
    async function has(name: string, line: string): Promise<void> {
      await until(`${name} is ${line}`, () => sent(name).at(-1) === line, 90_000).catch(() => {});
      expect({ [name]: sent(name).at(-1) }).toEqual({ [name]: line });
    }

    const podsOf = async (app: string): Promise<readonly KubeObject[]> =>
      (JSON.parse(await kube.kubectl(['get', 'pods', '-l', `app=${app}`, '-o', 'json'])) as { items: KubeObject[] })
        .items;

    function imageOf({ status }: KubeObject, container: string): string | undefined {
      const statuses = (status?.['containerStatuses'] ?? []) as readonly { name: string; imageID: string }[];
      const id = statuses.find(({ name }) => name === container)?.imageID;
      return id === undefined ? undefined : imageBy(id.replace(/^.*@/, ''));
    }

    /** Every pod that asks for it has its timestamp, and no pod has another one than before. */
    async function stamped(...more: readonly string[]): Promise<void> {
      const annotations = ({ metadata }: KubeObject) =>
        (metadata as { readonly annotations?: Readonly<Record<string, string>> }).annotations ?? {};
      const asking = async () =>
        (await kube.list('pods')).filter(
          (pod) => 'addtime' in annotations(pod) && !('deletionTimestamp' in pod.metadata),
        );
      const all = await until('every pod that asks has its timestamp', async () => {
        const pods = await asking();
        return pods.length > 0 && pods.every((pod) => 'timestamp' in annotations(pod)) && pods;
      });
      expect(all.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining([...more]));
      for (const pod of all) {
        const stamp = annotations(pod)['timestamp']!;
        expect(stamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(stamp).toBe(stamps.get(pod.metadata.uid) ?? stamp);
        stamps.set(pod.metadata.uid, stamp);
      }
    }

    /** A rollout of another image, made of another commit. */
    async function rollOut(image: string, commit: string): Promise<void> {
      const labels = { 'org.opencontainers.image.revision': commit };
      const containers = [{ name: 'app', image: `${HOST}/acme/${image}` }];
      const patch = { spec: { template: { metadata: { labels }, spec: { containers } } } };
      await kube.kubectl(['patch', 'deployment/web', '-p', JSON.stringify(patch)]);
    }
  },
);

const annotations = { addtime: 'true' };

/** Of a Deployment that names its repository each rollout is a GitHub Deployment. */
function workload(kind: string, name: string, repositories: readonly string[], replicas = 2): object {
  const labels = { app: name, 'org.opencontainers.image.revision': COMMITS[0] };
  const template = { metadata: { labels, annotations }, spec: podSpec(repositories, ['sleep', '100000']) };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, ...(name === 'web' && { annotations: { 'github.lifecycle-bridge.io/repository': 'shop' } }) },
    spec: {
      selector: { matchLabels: { app: name } },
      ...(kind !== 'DaemonSet' && { replicas }),
      ...(kind === 'StatefulSet' && { serviceName: name, replicas: 1 }),
      template,
    },
  };
}

function cronJob(name: string, repository: string): object {
  const template = { spec: { restartPolicy: 'Never', ...podSpec([repository], ['true']) } };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } },
  };
}

/** Without an owner, so without a record. */
const plainPod = (): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'plain' },
  spec: podSpec(['app'], ['sleep', '100000']),
});

function podSpec(repositories: readonly string[], command: readonly string[]): object {
  const container = {
    command,
    resources: { requests: { cpu: '10m', memory: '8Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  return {
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
    containers: repositories.map((name) => ({ ...container, name, image: `${HOST}/acme/${name}:1` })),
  };
}
