import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../lib/errors.ts';

/** How to reach a Kubernetes API: TLS and authorization of its requests. */
export interface KubeAccess {
  readonly server: string;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  /** `user:password`. */
  readonly auth?: string | undefined;
  readonly proxyUrl?: string | undefined;
  /** How long an answer may take; default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the process answers. */
export type KubeAccessAnswer = { readonly access: KubeAccess | 'none' } | { readonly error: string };

const NEXT =
  'Set cluster.kubeconfig or KUBECONFIG to a readable kubeconfig file, or cluster.list: false to run without.';

const PROGRAM = fileURLToPath(new URL('./kube-access-process.ts', import.meta.url));
const TIMEOUT_MS = 60_000;

/**
 * The access that `kubeconfig`, KUBECONFIG, ~/.kube/config or the pod's service account gives, as
 * @kubernetes/client-node reads them, credential plugins included. Rejects with a UserError when there is none of them,
 * or one without a cluster. In a process of half a second: the library's KubeConfig loads every model of the API, and
 * those 80 MB are given back only with a process, not with a thread.
 */
export async function readKubeAccess(kubeconfig: string | undefined): Promise<KubeAccess> {
  const answer = await ask(kubeconfig === undefined ? [] : [kubeconfig]);
  if ('error' in answer) {
    throw new UserError(`the Kubernetes configuration cannot be read: ${answer.error.split('\n')[0]}`, NEXT);
  }
  if (answer.access === 'none') {
    throw new UserError('there is no Kubernetes configuration: no kubeconfig and no service account of a pod', NEXT);
  }
  return answer.access;
}

function ask(args: readonly string[]): Promise<KubeAccessAnswer> {
  return new Promise((resolve) => {
    const child = fork(PROGRAM, args, { execArgv: [], timeout: TIMEOUT_MS });
    child.once('message', (answer) => resolve(answer as KubeAccessAnswer));
    child.once('error', (error) => resolve({ error: error.message }));
    child.once('exit', (code, signal) => resolve({ error: `the process that reads it ended (${signal ?? code})` }));
  });
}
