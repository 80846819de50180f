import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clusterScript } from '../harness/cluster.ts';
import { openNamespace } from '../harness/kube.ts';
import type { Stage } from './stage.ts';

async function call(stage: Stage, path: string, body: object): Promise<unknown> {
  const ports = readFileSync(join(dirname(stage.kubeconfig), 'ports'), 'utf8');
  const port = /^etcd=(\d+)$/m.exec(ports)?.[1];
  const answer = await fetch(`http://127.0.0.1:${port}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Forgets all versions but the newest, as etcd does every five minutes in a real cluster. */
export async function compact(stage: Stage): Promise<void> {
  const { header } = (await call(stage, 'kv/range', { key: btoa('\0') })) as { header: { revision: string } };
  await call(stage, 'kv/compaction', { revision: header.revision, physical: true });
}

const dataDir = (stage: Stage): string => join(dirname(stage.kubeconfig), 'etcd');
const copyDir = (stage: Stage): string => join(stage.dataDir, 'etcd-snapshot');

/** Keeps a copy of all that etcd has; it is away meanwhile. */
export async function snapshot(stage: Stage): Promise<void> {
  await clusterScript(stage.cluster, 'kill', 'etcd');
  rmSync(copyDir(stage), { recursive: true, force: true });
  cpSync(dataDir(stage), copyDir(stage), { recursive: true });
  await clusterScript(stage.cluster, 'start', 'etcd');
  // One that runs on would look for etcd again after up to two minutes.
  await clusterScript(stage.cluster, 'restart', 'apiserver');
}

/** In the order of their start. */
const COMPONENTS = ['etcd', 'apiserver', 'controller-manager', 'scheduler', 'kwok'];

/**
 * The cluster as it was at the snapshot. As the manual of etcd asks, all that talk to it or keep what it said start again;
 * they end before, so that none of them writes into the restored cluster what it remembers of the lost one.
 */
export async function restore(stage: Stage): Promise<void> {
  for (const component of COMPONENTS.toReversed()) await clusterScript(stage.cluster, 'kill', component);
  rmSync(dataDir(stage), { recursive: true });
  cpSync(copyDir(stage), dataDir(stage), { recursive: true });
  for (const component of COMPONENTS) await clusterScript(stage.cluster, 'start', component);
  await untilKwokPlays(stage);
}

const NODES = ['fake1', 'fake2', 'fake3', 'fake4', 'fake5'];

/**
 * kwok takes a node up to 40 s after the one before has ended, and was seen to leave one out for good: then it is
 * started again.
 */
async function untilKwokPlays(stage: Stage, tries = 3): Promise<void> {
  const kube = await openNamespace(stage.kubeconfig, 'default');
  const canaries = NODES.map((nodeName) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `canary-${nodeName}` },
    spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'busybox:1.36' }] },
  }));
  await kube.apply(...canaries);
  const names = canaries.map(({ metadata }) => `pod/${metadata.name}`);
  const playing = (name: string) => kube.wait(name, 'jsonpath={.status.phase}=Running', 90_000);
  const isPlayed = await Promise.all(names.map(playing)).then(
    () => true,
    () => false,
  );
  await kube.kubectl(['delete', ...names, '--force', '--wait=false']);
  if (isPlayed) return;
  if (tries === 1) throw new Error('kwok does not play the pods of every node');
  await clusterScript(stage.cluster, 'restart', 'kwok');
  await untilKwokPlays(stage, tries - 1);
}
