import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { tool } from './cluster.ts';

/** A Kubernetes object as JSON: tests look into it, so its fields are open. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** kubectl in one namespace. Every call rejects with what kubectl said, or when 60 s (or `timeoutMs`) are over. */
export interface Kube {
  readonly namespace: string;
  kubectl(args: readonly string[], options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<string>;
  /** Creates or changes objects. */
  apply(...objects: readonly object[]): Promise<void>;
  /** Deletes without waiting for the end of it: `delete('job/backup')`; more arguments go to kubectl. */
  delete(target: string, ...args: readonly string[]): Promise<void>;
  /** Starts a run of a CronJob at once; returns its Job as it was made. */
  runCronJob(cronJob: string, jobName: string): Promise<KubeObject>;
  get(target: string): Promise<KubeObject>;
  list(kinds: string): Promise<readonly KubeObject[]>;
  /** Waits for `condition=Complete`, `delete`, `jsonpath=…`, as `kubectl wait --for` does; but for `delete` also for an object that is not there yet. */
  wait(target: string, condition: string, timeoutMs?: number): Promise<void>;
  /** Deletes the namespace without waiting for the end of it. */
  removeNamespace(): Promise<void>;
}

/** A new namespace `PREFIX-random` whose default service account is there, so that pods can be made at once. */
export async function createNamespace(kubeconfig: string, prefix: string): Promise<Kube> {
  const kube = kubeIn(await tool('kubectl'), kubeconfig, `${prefix}-${randomBytes(4).toString('hex')}`);
  await kube.kubectl(['create', 'namespace', kube.namespace]);
  await kube.wait('serviceaccount/default', 'create');
  return kube;
}

/** kubectl in a namespace that exists. */
export async function openNamespace(kubeconfig: string, namespace: string): Promise<Kube> {
  return kubeIn(await tool('kubectl'), kubeconfig, namespace);
}

function kubeIn(program: string, kubeconfig: string, namespace: string): Kube {
  const kubectl: Kube['kubectl'] = (args, { input = '', timeoutMs = 60_000 } = {}) =>
    execute(program, [`--kubeconfig=${kubeconfig}`, `--namespace=${namespace}`, ...args], input, timeoutMs);
  return {
    namespace,
    kubectl,
    apply: async (...objects) => {
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      await kubectl(['apply', '-f', '-'], { input });
    },
    delete: async (target, ...args) => {
      await kubectl(['delete', target, '--wait=false', ...args]);
    },
    runCronJob: async (cronJob, jobName) => {
      const create = (name: string) => kubectl(['create', 'job', `--from=cronjob/${cronJob}`, name, '-o', 'json']);
      return JSON.parse(await create(jobName).catch(unlessThere(() => create(again(jobName))))) as KubeObject;
    },
    get: async (target) => JSON.parse(await kubectl(['get', target, '-o', 'json'])) as KubeObject,
    list: async (kinds) => {
      const list = JSON.parse(await kubectl(['get', kinds, '-o', 'json'])) as { items: KubeObject[] };
      return list.items;
    },
    wait: async (target, condition, timeoutMs = 30_000) => {
      const first = condition === 'delete' ? [] : ['--for=create'];
      const args = ['wait', target, ...first, `--for=${condition}`, `--timeout=${timeoutMs / 1000}s`];
      await kubectl(args, { timeoutMs: timeoutMs + 5000 });
    },
    removeNamespace: async () => {
      await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
    },
  };
}

function execute(program: string, args: readonly string[], input: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`kubectl ${args.slice(1).join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
    // It may have ended without a look at its input: its exit code says whether that is wrong.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** A test that is tried again starts its runs again: those of the first try are still there under their names. */
export const again = (name: string): string => `${name}-again`;
export const unlessThere =
  <T>(otherwise: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (String(error).includes('AlreadyExists') || String(error).includes('already exists')) return otherwise();
    throw error;
  };

/** Asks again until `check` gives something, and returns that; rejects with `what` when `timeoutMs` are over. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 120_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await pause(50);
  }
}
