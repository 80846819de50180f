import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { type FullCluster, imageArchives, startFullCluster } from '../harness/full-cluster.ts';

const NAME = `box-${process.pid}`;
const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lifecycle-bridge/clusters', NAME);

describe.skipIf(process.getuid?.() !== 0)('the full cluster (needs root)', () => {
  const before = machine();
  let cluster: FullCluster;
  let kube: Kube;
  let imageId: string | undefined;
  beforeAll(async () => {
    const archive = (await imageArchives()).find((path) => path.includes('/busybox-'))!;
    cluster = await startFullCluster(NAME);
    [imageId] = await cluster.load(archive);
    kube = await createNamespace(cluster.kubeconfig, 'box');
    await kube.kubectl(['label', 'namespace', kube.namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await kube.apply(claim, box);
    await kube.wait('pod/box', 'condition=Ready', 60_000);
  });
  afterAll(async () => {
    if (existsSync(folder)) await cluster.down();
  });
  const inBox = (...command: readonly string[]): Promise<string> => kube.kubectl(['exec', 'box', '--', ...command]);
  const started = async (): Promise<string> => {
    const { containerStatuses } = (await kube.get('pod/box')).status as {
      containerStatuses: [{ state: { running?: { startedAt: string } } }];
    };
    return containerStatuses[0].state.running?.startedAt ?? '';
  };

  it('runs a pod of the Pod Security level "restricted" from a loaded image, whose imageID names its digest', async () => {
    const { status } = await kube.get('pod/box');
    expect(status).toMatchObject({ containerStatuses: [{ restartCount: 0, imageID: imageId }] });
    expect(imageId).toMatch(/^localhost\/busybox@sha256:[0-9a-f]{64}$/);
  });

  it('answers names of services in pods, and says at once that others do not exist', async () => {
    const look = (): Promise<string | undefined> =>
      inBox('nslookup', 'kubernetes.default.svc.cluster.local').catch(() => undefined);
    // The way to the DNS server is made by kube-proxy, for which nobody has waited.
    expect(await until('the name is known', look)).toContain('Address: 10.95.0.1');
    expect(await inBox('sh', '-c', 'nslookup example.com || true')).toContain('NXDOMAIN');
  });

  it('shows this machine to pods at its host address', async () => {
    const server = createServer((_, answer) => answer.end('heard')).listen(0, cluster.hostIp);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await inBox('wget', '-qO-', `http://${cluster.hostIp}:${port}/`)).toBe('heard');
    server.close();
  });

  it('binds a claim to a volume that belongs to the fsGroup of the pod', async () => {
    await kube.wait('pvc/data', 'jsonpath={.status.phase}=Bound');
    expect(await inBox('stat', '-c', '%g %A', '/data')).toBe('65532 drwxrwsr-x\n');
  });

  it.each(['kubelet', 'containerd', 'apiserver'])(
    'keeps containers when %s restarts, and starts new ones',
    async (each) => {
      const at = await started();
      await cluster.restart(each);
      await kube.apply(job(`after-${each}`));
      await kube.wait(`job/after-${each}`, 'condition=Complete', 200_000);
      expect(await started()).toBe(at);
    },
  );

  it('leaves a component that was killed away until it is started', async () => {
    await cluster.script('kill', 'kubelet');
    const down = { stdout: expect.stringContaining('kubelet does not run') as string };
    await expect(cluster.script('status')).rejects.toMatchObject(down);
    await cluster.script('start', 'kubelet');
    expect(await cluster.script('status')).toContain('kubelet runs');
  });

  it('boots again with its volumes, images and objects', async () => {
    // A kubelet that was just restarted may not know its pods yet.
    const write = (): Promise<string> => inBox('sh', '-c', 'echo kept >/data/file');
    await until('the pod takes commands', () =>
      write().then(
        () => true,
        () => false,
      ),
    );
    const at = await started();
    await cluster.reboot();
    await until('the container runs again', async () => ![at, ''].includes(await started()));
    const read = (): Promise<string | undefined> => inBox('cat', '/data/file').catch(() => undefined);
    expect(await until('the pod takes commands again', read)).toBe('kept\n');
  });

  it('runs beside another one', async () => {
    const other = await startFullCluster(`${NAME}-b`);
    try {
      expect(other.hostIp).not.toBe(cluster.hostIp);
    } finally {
      await other.down();
    }
    expect(await started()).not.toBe('');
  });

  it('leaves no process, mount, interface, cgroup, setting or file when it is taken down', async () => {
    const link = `lb${cluster.hostIp.split('.')[1]}`;
    const processes = processesOf(NAME);
    expect(processes.length).toBeGreaterThan(10);
    expect(machine().interfaces).toContain(link);
    await cluster.down();
    const left = () => [...processesOf(NAME), ...processes.filter((pid) => existsSync(`/proc/${pid}`))];
    // The last of them wait for the first process of the machine to take note of their end.
    await until('every process has ended', () => left().length === 0);
    expect(globSync(`/sys/fs/cgroup/{,*/}lb-${NAME}`)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    const after = machine();
    expect(after.interfaces).not.toContain(link);
    expect({ ...after, interfaces: [] }).toEqual({ ...before, interfaces: [] });
  });
});

const SETTINGS = [
  'net/ipv4/ip_forward',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
];
const FOLDERS = ['/', '/etc', '/opt', '/run', '/usr/lib', '/usr/libexec', '/var', '/var/cache', '/var/lib', '/var/log'];

/** What a cluster could leave on this machine, apart from what other instances have there. */
function machine() {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return {
    interfaces: readdirSync('/sys/class/net'),
    mounts: mounts.filter((line) => !/ \/tmp\//.test(line)),
    settings: SETTINGS.map((path) => readFileSync(join('/proc/sys', path), 'utf8')),
    files: FOLDERS.filter(existsSync).flatMap((path) => readdirSync(path).map((file) => join(path, file))),
    rules: execFileSync('iptables-save', { encoding: 'utf8', env: { PATH: '/usr/sbin:/sbin' } }).replaceAll(
      /^#.*$/gm,
      '',
    ),
  };
}

/** Pids of all that runs in the cgroups of a cluster, containers included, or names its folder. */
function processesOf(name: string): readonly string[] {
  const ours = (pid: string): boolean => {
    try {
      const [cgroup, command] = ['cgroup', 'cmdline'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
      return cgroup!.includes(`/lb-${name}/`) || command!.includes(`/clusters/${name}/`);
    } catch {
      return false; // it has ended
    }
  };
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && ours(entry));
}

const restricted = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
const user = { runAsUser: 65532, runAsGroup: 65532, runAsNonRoot: true, fsGroup: 65532 };
const securityContext = { ...user, seccompProfile: { type: 'RuntimeDefault' } };
const image = 'localhost/busybox:1';

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

const box = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'box' },
  spec: {
    securityContext,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'box',
        image,
        command: ['sleep', '100000'],
        securityContext: restricted,
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  },
};

function job(name: string): object {
  const containers = [{ name: 'run', image, command: ['true'], securityContext: restricted }];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { restartPolicy: 'Never', securityContext, containers } } },
  };
}
