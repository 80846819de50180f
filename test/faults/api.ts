import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import { readKubeAccess } from '../../bridge/cluster/kube-access.ts';
import type { KubeObject } from '../harness/kube.ts';
import { again, unlessThere } from '../harness/kube.ts';

/** The Kubernetes API without a process for each request, which is what kubectl costs. */
export interface Api {
  /** Rejects with what the API server said when it refuses. */
  get(path: string): Promise<KubeObject>;
  post(path: string, object: object): Promise<KubeObject>;
  /** A JSON merge patch. */
  patch(path: string, patch: object): Promise<KubeObject>;
  /** Deletes in the background, as kubectl does. */
  delete(path: string): Promise<void>;
  close(): Promise<void>;
}

export async function openApi(kubeconfig: string): Promise<Api> {
  const { server, ca, cert, key, headers: own } = await readKubeAccess(kubeconfig);
  const connect = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const pool = new Pool(server, { connections: 16, connect });
  const send = async (method: Dispatcher.HttpMethod, path: string, type = '', object?: object): Promise<KubeObject> => {
    const headers = { ...own, ...(type && { 'content-type': type }) };
    const body = object && JSON.stringify(object);
    const answer = await pool.request({ method, path, headers, ...(body && { body }) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text) as KubeObject;
  };
  return {
    get: (path) => send('GET', path),
    post: (path, object) => send('POST', path, 'application/json', object),
    patch: (path, patch) => send('PATCH', path, 'application/merge-patch+json', patch),
    delete: async (path) => void (await send('DELETE', `${path}?propagationPolicy=Background`)),
    close: () => pool.close(),
  };
}

/** Starts a run of a CronJob at once, as `kubectl create job --from` does; returns the Job. */
export async function runCronJob(api: Api, namespace: string, cronJob: string, jobName: string): Promise<KubeObject> {
  const batch = `/apis/batch/v1/namespaces/${namespace}`;
  const { apiVersion, kind, metadata, spec } = await api.get(`${batch}/cronjobs/${cronJob}`);
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
  const annotations = { 'cronjob.kubernetes.io/instantiate': 'manual' };
  const create = (name: string): Promise<KubeObject> =>
    api.post(`${batch}/jobs`, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, annotations, ownerReferences: [owner] },
      spec: (spec!['jobTemplate'] as { spec: object }).spec,
    });
  return create(jobName).catch(unlessThere(() => create(again(jobName))));
}
