import { readFileSync } from 'node:fs';
import { objectAt, textAt } from '../kubernetes/fields.ts';
import type { Identity } from '../policy/identity.ts';
import { UserError } from '../lib/errors.ts';
import type { KubeApi } from './api.ts';

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The bridge's own namespace; undefined when it runs outside a cluster. */
export function ownNamespace(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env['POD_NAMESPACE']) return env['POD_NAMESPACE'];
  try {
    return readFileSync(NAMESPACE_FILE, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What distinguishes this cluster from others; `complete` unless the API could not be asked. */
export async function readIdentity(
  api: KubeApi,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly identity: Identity; readonly complete: boolean }> {
  const kubeSystem = await namespaceUid(api, 'kube-system', signal);
  const own = namespace === undefined ? {} : await namespaceUid(api, namespace, signal);
  const identity = {
    ...(kubeSystem.uid !== undefined && { kubeSystemUid: kubeSystem.uid }),
    ...(own.uid !== undefined && { namespaceUid: own.uid }),
    ...(api.caHash !== undefined && { caHash: api.caHash }),
  };
  return { identity, complete: kubeSystem.failed !== true && own.failed !== true };
}

/** What a person can do when the store belongs to another cluster, e.g. to one that was built again under this name. */
export function otherCluster(server: string, storePath: string): UserError {
  return new UserError(
    `the store at ${storePath} belongs to another cluster than the one at ${server}: neither the UID of kube-system, nor that of the bridge's namespace, nor the CA is the same`,
    'If the cluster was rebuilt, move the store file away and start again: nothing from before the start is reported. Otherwise correct cluster.kubeconfig or store.path.',
  );
}

async function namespaceUid(
  api: KubeApi,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly uid?: string; readonly failed?: true }> {
  const answer = await api.get(`/api/v1/namespaces/${name}`, signal);
  if (answer.kind === 'failed' || answer.status >= 500 || answer.status === 429) return { failed: true };
  const uid = answer.status === 200 ? textAt(objectAt(answer.body, 'metadata'), 'uid') : undefined;
  return uid === undefined ? {} : { uid };
}
