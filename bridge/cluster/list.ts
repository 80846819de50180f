import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import { intAt, messageAt, objectAt, objectsAt, textAt } from '../kubernetes/fields.ts';
import { isSegment } from '../lib/url-path.ts';
import type { Instant } from '../lib/clock.ts';
import type { KubeApi } from './api.ts';
import { KUBE_PROTOBUF } from './kube-protobuf.ts';

/** A kind as its LIST and its watch are asked for. */
export interface Listed {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly resource: string;
}

export function listed(kind: Kind): Listed {
  const { apiVersion, resource } = KINDS[kind];
  return { kind, apiVersion, resource };
}

/** What the audit LISTs of the kinds that are followed, in their order. */
export function listedOf(kinds: readonly Kind[]): Listed[] {
  return kinds.filter((kind) => KINDS[kind].audit === 'full').map(listed);
}

export type Scope = 'cluster' | readonly string[];

export interface ListFailure {
  readonly result: 'failed';
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  readonly error: string;
}

export interface ListPage {
  /** resourceVersion of the LIST, the same on all its pages. */
  readonly version: string;
  /** When the API answered, by its own clock: what is missing up to then did not happen, whatever ours says. */
  readonly at: Instant | undefined;
  readonly objects: readonly KubeObject[];
  /** What the objects are, in short; undefined when the API cannot say it cheaply. */
  readonly digest: string | undefined;
  /** Only metadata, because it was asked for and the API can do it. */
  readonly metadataOnly: boolean;
  /** Reads this page again as full objects. */
  readonly readFull: () => Promise<readonly KubeObject[] | ListFailure>;
}

interface Complete {
  readonly result: 'complete';
  readonly objects: number;
  readonly version: string;
}

/** Kubernetes' own default page size of client-go. */
const PAGE = 500;
/** Of full objects, which take several times the memory. */
const FULL_PAGE = 100;
const FULL = 'application/json';
const AS_METADATA = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
export const METADATA = `${KUBE_PROTOBUF};${AS_METADATA},application/json;${AS_METADATA},${FULL}`;
const NOT_ACCEPTABLE = 406;

/** Where a resource is, e.g. /apis/batch/v1/namespaces/shop/jobs. */
export function resourcePath({ apiVersion, resource }: Omit<Listed, 'kind'>, namespace: string | undefined): string {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined
    ? `${base}/${resource}`
    : `${base}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

/**
 * Reads all objects of a kind page by page; `take` is awaited for each page, so memory is one page. It is complete only
 * if all pages came under one resourceVersion; `expired` when the API could not hold that, and it is to start over.
 */
export async function listKind(
  api: KubeApi,
  listed: Listed,
  options: { readonly namespace: string | undefined; readonly metadata: boolean; readonly signal: AbortSignal },
  take: (page: ListPage) => Promise<ListFailure | undefined>,
): Promise<Complete | { readonly result: 'expired' } | ListFailure> {
  let objects = 0;
  let version: string | undefined;
  for (let token = ''; ;) {
    const path = pagePath(listed, options.namespace, token, options.metadata ? PAGE : FULL_PAGE);
    const page = await readPage(api, listed, path, options.metadata, options.signal);
    if ('result' in page) return page.status === 410 ? { result: 'expired' } : page;
    version ??= page.version;
    if (page.version !== version) return { result: 'expired' };
    objects += page.objects.length;
    const failure = await take({ ...page, readFull: () => readFull(api, listed, path, options.signal) });
    if (failure !== undefined) return failure.status === 410 ? { result: 'expired' } : failure;
    token = page.next;
    if (token === '') return { result: 'complete', objects, version };
  }
}

/**
 * The resourceVersion of a LIST whose pages have these digests, without a look at any object; undefined at the first page
 * that has another one, and when the API cannot answer, or not all at one resourceVersion.
 */
export async function sameList(
  api: KubeApi,
  listed: Listed,
  namespace: string | undefined,
  digests: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  let version: string | undefined;
  let token = '';
  for (const [at, digest] of digests.entries()) {
    const answer = await api.get(pagePath(listed, namespace, token, PAGE), signal, METADATA);
    if (answer.kind === 'failed' || answer.status !== 200 || answer.digest?.() !== digest) return undefined;
    const list = objectAt(answer.body, 'metadata');
    const ofPage = textAt(list, 'resourceVersion');
    token = continueToken(list);
    const isLast = at === digests.length - 1;
    if (ofPage === undefined || (version ?? ofPage) !== ofPage || isLast !== (token === '')) return undefined;
    version = ofPage;
  }
  return version;
}

/** One object by name; undefined when it is not there any more. Any other answer is a failure. */
export async function readOne(
  api: KubeApi,
  listed: Listed,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<KubeObject | ListFailure | undefined> {
  const { namespaced } = KINDS[listed.kind];
  // A forged record may bear any name: no API has such an object.
  if ((namespaced && !isSegment(namespace)) || !isSegment(name)) return undefined;
  const answer = await api.get(
    `${resourcePath(listed, namespaced ? namespace : undefined)}/${encodeURIComponent(name)}`,
    signal,
  );
  if (answer.kind === 'failed') return { result: 'failed', status: undefined, error: answer.error };
  if (answer.status === 404) return undefined;
  return answer.status === 200 ? answer.body : refused(answer.status, answer.body);
}

function pagePath(listed: Listed, namespace: string | undefined, token: string, limit: number): string {
  const from = token === '' ? '' : `&continue=${encodeURIComponent(token)}`;
  return `${resourcePath(listed, namespace)}?limit=${limit}${from}`;
}

interface RawPage {
  readonly version: string;
  readonly at: Instant | undefined;
  readonly objects: readonly KubeObject[];
  readonly digest: string | undefined;
  readonly metadataOnly: boolean;
  readonly next: string;
}

/** One page. An API that cannot reduce to metadata answers with full objects, or with 406 and is asked for these. */
async function readPage(
  api: KubeApi,
  listed: Listed,
  path: string,
  metadata: boolean,
  signal: AbortSignal,
): Promise<RawPage | ListFailure> {
  let answer = await api.get(path, signal, metadata ? METADATA : FULL);
  if (metadata && answer.kind === 'answer' && answer.status === NOT_ACCEPTABLE) answer = await api.get(path, signal);
  if (answer.kind === 'failed') return { result: 'failed', status: undefined, error: answer.error };
  if (answer.status !== 200) return refused(answer.status, answer.body);
  const list = objectAt(answer.body, 'metadata');
  const version = textAt(list, 'resourceVersion');
  if (version === undefined) return { result: 'failed', status: 200, error: 'the answer is not a LIST' };
  const metadataOnly = textAt(answer.body, 'kind') === 'PartialObjectMetadataList';
  // Items of a LIST have no kind and apiVersion: they get them.
  const { kind, apiVersion } = listed;
  const objects = objectsAt(answer.body, 'items').map((item) => ({ ...item, kind, apiVersion }));
  const { at, digest } = answer;
  return { version, at, objects, digest: digest?.(), metadataOnly, next: continueToken(list) };
}

/** A token may be longer than any text that is kept of an object. */
function continueToken(list: KubeObject): string {
  const token = list['continue'];
  return typeof token === 'string' ? token : '';
}

async function readFull(
  api: KubeApi,
  listed: Listed,
  path: string,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | ListFailure> {
  const page = await readPage(api, listed, path, false, signal);
  return 'result' in page ? page : page.objects;
}

function refused(status: number, body: KubeObject): ListFailure {
  const message = messageAt(body, 'message') ?? `code ${intAt(body, 'code') ?? status}`;
  return { result: 'failed', status, error: message };
}
