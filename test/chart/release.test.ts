import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { helmAt, IMAGE, packageChart, UMBRELLA } from './helm.ts';

let cluster: Cluster;
let chart: string;
let ops: Kube;

beforeAll(async () => {
  [cluster, chart] = await Promise.all([startCluster('chart-release'), packageChart()]);
  ops = await createNamespace(cluster.kubeconfig, 'ops');
});
afterAll(async () => {
  await ops?.removeNamespace();
  await cluster?.stop();
});

describe('a release', () => {
  const install = (release: string, ...args: string[]) =>
    helmAt(
      cluster.kubeconfig,
      'upgrade',
      '--install',
      release,
      chart,
      '-n',
      ops.namespace,
      '--set',
      `bridge.image.repository=${IMAGE},backend.exporter=debug`,
      ...args,
    );
  const get = async (target: string, path: string): Promise<string> =>
    ops.kubectl(['get', target, '-o', `jsonpath={${path}}`]);

  it('lives beside another one in the same namespace, keeps its token over an upgrade and leaves only its volumes', async () => {
    for (const release of ['one', 'two']) expect(await install(release)).toMatchObject({ code: 0 });
    const tokens = async () => [
      await get('secret/one-otlp', '.data.token'),
      await get('secret/two-otlp', '.data.token'),
    ];
    const before = await tokens();
    expect(new Set(before).size).toBe(2);
    // How often each workload was changed, and so rolled.
    const generations = async () =>
      Promise.all(
        ['statefulset/one-bridge', 'statefulset/one-collector', 'deployment/one-kube-state-metrics'].map((target) =>
          get(target, '.metadata.generation').then(Number),
        ),
      );
    expect(await generations()).toEqual([1, 1, 1]);
    const bridge = ['--set', 'bridge.config.log.level=debug'];
    const collector = ['--set', 'collector.config.service.telemetry.logs.level=debug'];
    expect(await install('one', ...bridge)).toMatchObject({ code: 0 });
    expect(await generations()).toEqual([2, 1, 1]);
    expect(await install('one', ...bridge, ...collector)).toMatchObject({ code: 0 });
    expect(await generations()).toEqual([2, 2, 1]);
    expect(await install('one', ...bridge, ...collector, '--set', 'cluster.name=other')).toMatchObject({ code: 0 });
    expect(await generations()).toEqual([3, 3, 1]);
    expect(await tokens()).toEqual(before);
    expect(await helmAt(cluster.kubeconfig, 'rollback', 'one', '1', '-n', ops.namespace)).toMatchObject({ code: 0 });
    expect(await get('configmap/one-bridge', '.data')).not.toContain('debug');

    for (const release of ['one', 'two'])
      expect(await helmAt(cluster.kubeconfig, 'uninstall', release, '-n', ops.namespace)).toMatchObject({ code: 0 });
    const left = async (): Promise<readonly string[]> => {
      const kinds = 'all,configmap,secret,serviceaccount,role,rolebinding,networkpolicy,pvc';
      const names = await ops.kubectl(['get', kinds, '-l', 'app.kubernetes.io/instance in (one, two)', '-o', 'name']);
      return names.split('\n').filter((name) => name !== '' && !/^(pod|controllerrevision|persistentv)/.test(name));
    };
    // What belongs to a Deployment is removed after it.
    await expect.poll(left).toEqual([]);
  });

  it('that never came up is healed by the next upgrade, and a bad upgrade by a rollback', async () => {
    // Without a volume that it can have a pod stays Pending, as it does without an image.
    const never = ['--set', 'bridge.persistence.storageClass=none,collector.persistence.storageClass=none'];
    const tags = (tag: string) => [...never, '--set', `bridge.image.tag=${tag},collector.image.tag=${tag}`];
    const pod = async (name: string): Promise<{ uid: string; image: string }> => {
      const found = await ops.kubectl(['get', `pod/${name}`, '-o', 'json']).catch(() => '{}');
      const { metadata, spec } = JSON.parse(found) as {
        metadata?: { uid: string };
        spec?: { containers: [{ image: string }] };
      };
      return { uid: metadata?.uid ?? '', image: spec?.containers[0].image ?? '' };
    };
    const replaced = (before: Readonly<Record<string, { uid: string }>>, tag: string) =>
      until(`the pods are those of ${tag}`, async () => {
        const now = Object.fromEntries(await Promise.all(PODS.map(async (name) => [name, await pod(name)] as const)));
        const isNew = ([name, { uid, image }]: readonly [string, { uid: string; image: string }]): boolean =>
          uid !== before[name]?.uid && image.endsWith(`:${tag}`);
        return Object.entries(now).every(isNew) && now;
      });
    const PODS = ['ill-bridge-0', 'ill-collector-0'];
    expect(await install('ill', ...tags('wrong'))).toMatchObject({ code: 0 });
    const wrong = await replaced({}, 'wrong');
    expect(await install('ill', ...tags('right'))).toMatchObject({ code: 0 });
    const right = await replaced(wrong, 'right');
    expect(await install('ill', ...tags('worse'))).toMatchObject({ code: 0 });
    const worse = await replaced(right, 'worse');
    expect(await helmAt(cluster.kubeconfig, 'rollback', 'ill', '2', '-n', ops.namespace)).toMatchObject({ code: 0 });
    await replaced(worse, 'right');
    expect(await helmAt(cluster.kubeconfig, 'uninstall', 'ill', '-n', ops.namespace)).toMatchObject({ code: 0 });
  });

  it('has a larger volume after what the README says, and its pod is not stopped for it', async () => {
    const storageClass = `grows-${ops.namespace}`;
    await ops.apply(
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: storageClass },
        provisioner: 'kubernetes.io/no-provisioner',
        allowVolumeExpansion: true,
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: storageClass },
        spec: {
          storageClassName: storageClass,
          capacity: { storage: '100Gi' },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Retain',
          hostPath: { path: '/nowhere' },
        },
      },
    );
    const size = (each: string) => [
      '--set',
      `bridge.persistence.storageClass=${storageClass},bridge.persistence.size=${each}`,
    ];
    expect(await install('lifecycle-bridge', ...size('4Gi'))).toMatchObject({ code: 0 });
    const claim = 'pvc/data-lifecycle-bridge-bridge-0';
    await ops.wait(claim, 'jsonpath={.status.phase}=Bound', 60_000);
    const uid = await get('pod/lifecycle-bridge-bridge-0', '.metadata.uid');
    const refused = await install('lifecycle-bridge', ...size('8Gi'));
    expect(refused.output).toContain('updates to statefulset spec for fields other than');

    const readme = readFileSync(join(UMBRELLA, 'README.md'), 'utf8');
    const block = /<!-- walk:resize -->\n\n```sh\n([^]*?)```/.exec(readme)?.[1] ?? '';
    const typed = block.split('\n').filter((line) => line.startsWith('kubectl '));
    expect(typed).toHaveLength(2);
    const type = async (line = ''): Promise<void> => {
      const [, ...args] = line.replace('-n lifecycle-bridge', `-n ${ops.namespace}`).split(' ');
      await ops.kubectl(args.map((each) => each.replaceAll("'", '')));
    };
    for (const line of typed) await type(line);
    expect(await install('lifecycle-bridge', ...size('8Gi'))).toMatchObject({ code: 0 });
    expect(await get(claim, '.spec.resources.requests.storage')).toBe('8Gi');
    const template = '.spec.volumeClaimTemplates[0].spec.resources.requests.storage';
    expect(await get('statefulset/lifecycle-bridge-bridge', template)).toBe('8Gi');
    await until('the pod belongs to the new StatefulSet', async () => {
      const owner = await get('statefulset/lifecycle-bridge-bridge', '.metadata.uid');
      return (await get('pod/lifecycle-bridge-bridge-0', '.metadata.ownerReferences[0].uid')) === owner;
    });
    expect(await get('pod/lifecycle-bridge-bridge-0', '.metadata.uid')).toBe(uid);

    // Without a volume its pod is another one.
    const without = [...size('8Gi'), '--set', 'bridge.persistence.enabled=false'];
    expect((await install('lifecycle-bridge', ...without)).output).toContain(
      'updates to statefulset spec for fields other',
    );
    await type(typed[1]);
    expect(await install('lifecycle-bridge', ...without)).toMatchObject({ code: 0 });
    await until('the pod has no volume', async () => {
      const pod = await ops.kubectl(['get', 'pod/lifecycle-bridge-bridge-0', '-o', 'json']).catch(() => '');
      return pod.includes('"emptyDir"') && !pod.includes('"persistentVolumeClaim"') && !pod.includes(uid);
    });
    const gone = await helmAt(cluster.kubeconfig, 'uninstall', 'lifecycle-bridge', '-n', ops.namespace);
    expect(gone).toMatchObject({ code: 0 });
    await ops.kubectl(['delete', 'pvc', '-l', 'app.kubernetes.io/instance=lifecycle-bridge']);
    await ops.kubectl(['delete', `pv/${storageClass}`, `storageclass/${storageClass}`]);
  });
});
