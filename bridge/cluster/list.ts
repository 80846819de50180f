import type { Kind } from '../kubernetes/observation.ts';
import { numberAt, objectAt, objectsAt, textAt } from '../kubernetes/fields.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import type { KubeApi } from './api.ts';

/** CronJobs before Jobs before pods: what owns is known when what is owned arrives. */
export const LISTED: readonly { readonly kind: Kind; readonly apiVersion: string; readonly resource: string }[] = [
  { kind: 'CronJob', apiVersion: 'batch/v1', resource: 'cronjobs' },
  { kind: 'Job', apiVersion: 'batch/v1', resource: 'jobs' },
  { kind: 'Pod', apiVersion: 'v1', resource: 'pods' },
];

export type Listed = (typeof LISTED)[number];
export type Scope = 'cluster' | readonly string[];

export type ListResult =
  | { readonly result: 'complete'; readonly objects: number }
  | { readonly result: 'failed'; readonly status: number | undefined; readonly error: string };

/** Kubernetes' own default page size of client-go. */
const PAGE = 500;
const MAX_RESTARTS = 3;

/**
 * Reads all objects of a kind in scope, page by page; `take` is awaited for each page, so memory is one page. A
 * continue token that expired (410) starts the LIST over. Items of a LIST have no kind and apiVersion: they get them.
 */
export async function listKind(
  api: KubeApi,
  listed: Listed,
  scope: Scope,
  take: (objects: KubeObject[]) => Promise<void>,
  signal: AbortSignal,
): Promise<ListResult> {
  let objects = 0;
  for (const namespace of scope === 'cluster' ? [undefined] : scope) {
    const path = listPath(listed, namespace);
    let token = '';
    for (let restarts = 0; ;) {
      const query = `?limit=${PAGE}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
      const answer = await api.get(path + query, signal);
      if (answer.kind === 'failed') return { result: 'failed', status: undefined, error: answer.error };
      if (answer.status === 410 && restarts++ < MAX_RESTARTS) {
        token = '';
        continue;
      }
      if (answer.status !== 200) return refused(answer.status, answer.body);
      const items = objectsAt(answer.body, 'items');
      objects += items.length;
      await take(items.map((item) => ({ ...item, kind: listed.kind, apiVersion: listed.apiVersion })));
      token = textAt(objectAt(answer.body, 'metadata'), 'continue') ?? '';
      if (token === '') break;
    }
  }
  return { result: 'complete', objects };
}

function listPath({ apiVersion, resource }: Listed, namespace: string | undefined): string {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${base}/${resource}` : `${base}/namespaces/${namespace}/${resource}`;
}

function refused(status: number, body: KubeObject): ListResult {
  const message = textAt(body, 'message') ?? `code ${numberAt(body, 'code') ?? status}`;
  return { result: 'failed', status, error: message };
}
