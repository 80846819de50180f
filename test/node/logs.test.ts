import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { KubeApi } from '../../bridge/cluster/api.ts';
import { connectKube } from '../../bridge/cluster/api.ts';
import type { LogAnswer } from '../../bridge/cluster/read-log.ts';
import { readLog } from '../../bridge/cluster/read-log.ts';
import type { WantedLog } from '../../bridge/store/logs.ts';
import { accountKubeconfig } from '../chart/account.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';

const LIMITS = { maxBytes: 4096, maxLines: 200 };
const { signal } = new AbortController();

const node = inject('node');

describe.skipIf(node === undefined)('logs of a real node (needs root)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-logs-'));
  let kube: Kube;
  let api: KubeApi;
  beforeAll(async () => {
    kube = await createNamespace(node!.kubeconfig, 'logs');
    api = await connectKube(node!.kubeconfig);
    await kube.apply(pod('failing', 'Never', { main: LONG, second: 'echo from the second; exit 0', silent: 'exit 0' }));
    await kube.apply(pod('again', 'OnFailure', { main: TWICE }));
    await until('both containers did what they do', async () => (await isOver()) && (await isBack()), 120_000);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await kube?.removeNamespace();
  });

  const statusOf = async (name: string): Promise<ContainerStatus[]> =>
    ((await kube.get(`pod/${name}`)).status as { containerStatuses?: ContainerStatus[] }).containerStatuses ?? [];
  const isOver = async (): Promise<boolean> => {
    const all = await statusOf('failing');
    return all.length === 3 && all.every(({ state }) => state.terminated !== undefined);
  };
  const isBack = async (): Promise<boolean> => {
    const [main] = await statusOf('again');
    return main?.restartCount === 1 && main.state.running !== undefined;
  };

  async function read(name: string, changes: Partial<WantedLog> = {}, from: KubeApi = api): Promise<LogAnswer> {
    const podUid = (await kube.get(`pod/${name}`)).metadata.uid;
    return readLog(from, { ...WANTED, namespace: kube.namespace, podName: name, podUid, ...changes }, LIMITS, signal);
  }
  const text = (answer: LogAnswer): string => (answer.outcome === 'kept' ? gunzipSync(answer.text).toString() : '');

  it('are the end of each container of a pod with several, redacted', async () => {
    const answer = await read('failing');
    expect(answer).toMatchObject({ outcome: 'kept', cut: false });
    expect(text(answer).split('\n').at(0)).toBe('line 2802');
    expect(text(answer)).toMatch(/\nline 3000\npassword=\[redacted\]\n$/);
    expect(text(await read('failing', { container: 'second' }))).toBe('from the second\n');
    expect(await read('failing', { container: 'silent' })).toEqual({ outcome: 'log_empty' });
  });

  it('are those of the instance that ended, also when the next one runs', async () => {
    expect(text(await read('again', { restarts: true, instance: 0 }))).toBe('first\n');
    const second = async (): Promise<string> => text(await read('again', { restarts: true, instance: 1 }));
    await expect.poll(second).toBe('second\n');
  });

  it('are unavailable, in the words of the API, for a container that is none and for a pod that is gone', async () => {
    const none = {
      outcome: 'log_unavailable',
      detail: expect.stringContaining('container nobody is not valid') as string,
    };
    expect(await read('failing', { container: 'nobody' })).toEqual(none);
    const podUid = (await kube.get('pod/failing')).metadata.uid;
    await kube.kubectl(['delete', 'pod', 'failing', '--grace-period=0', '--force']);
    const wanted = { ...WANTED, namespace: kube.namespace, podName: 'failing', podUid };
    expect(await readLog(api, wanted, LIMITS, signal)).toEqual({
      outcome: 'log_unavailable',
      detail: 'pods "failing" not found',
    });
  });

  it('are forbidden without the permission for pods/log', async () => {
    await kube.kubectl(['create', 'serviceaccount', 'nobody']);
    const nobody = await connectKube(await accountKubeconfig(kube, node!.kubeconfig, 'nobody', folder));
    const detail = expect.stringContaining('cannot get resource "pods/log"') as string;
    expect(await read('again', {}, nobody)).toEqual({ outcome: 'log_forbidden', detail });
    expect(await read('again', { restarts: true }, nobody)).toEqual({ outcome: 'log_forbidden', detail });
  });
});

interface ContainerStatus {
  readonly restartCount: number;
  readonly state: { readonly running?: object; readonly terminated?: object };
}

const WANTED: WantedLog = {
  id: 1,
  runUid: 'run',
  namespace: '',
  podUid: '',
  podName: '',
  container: 'main',
  instance: 0,
  exitCode: 0,
  endedAt: 0,
  restarts: false,
  wantedAt: 0,
  attempts: 0,
};

const LONG = 'for i in $(seq 1 3000); do echo line $i; done; echo password=hunter2; exit 3';
const TWICE = 'if [ -f /data/ran ]; then echo second; sleep 3600; else touch /data/ran; echo first; exit 1; fi';

function pod(name: string, restartPolicy: string, commands: Readonly<Record<string, string>>): object {
  const securityContext = { runAsUser: 65532, runAsNonRoot: true };
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const containers = Object.entries(commands).map(([name, command]) => {
    return { name, image: 'localhost/busybox:1', command: ['sh', '-c', command], volumeMounts };
  });
  const spec = { restartPolicy, securityContext, terminationGracePeriodSeconds: 0, containers };
  const volumes = [{ name: 'data', emptyDir: {} }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { ...spec, volumes } };
}
