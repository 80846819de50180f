import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KUBE_PROTOBUF } from '../../bridge/cluster/kube-protobuf.ts';
import { encodeMetadataList } from '../kube-protobuf.ts';
import { LiveJobs } from './scale-live.ts';
import type { Population, Resource } from './scale-objects.ts';
import { makePopulation } from './scale-objects.ts';

/** What the server gets to know: how many objects its cluster has, and which round it is; its counts begin again. */
export interface ApiState {
  readonly objects: number;
  readonly round: number;
}
/** Jobs that come to be; without `watch` nobody may watch them. */
export interface ApiLive {
  readonly perSecond: number;
  readonly watch: boolean;
}
export interface ApiCounts {
  readonly requests: number;
  readonly megabytes: number;
}

/**
 * A Kubernetes API of as many objects as wanted, in a process of its own: LISTs in pages under one resourceVersion, full
 * or metadata only, GETs by name. It keeps no object: each is made when it is read, but for the Jobs that come to be while
 * it runs, which can be watched.
 */
const PATH = /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/(.+))?$/;
/** How Kubernetes' protobuf begins. */
const K8S = Buffer.from('k8s');
const NONE: Population = { count: () => 0, json: () => '' };
let population = NONE;
let round = 0;
let [requests, bytes] = [0, 0];
const live = new LiveJobs();
let mayWatch = false;

function isResource(text: string): text is Resource {
  return ['cronjobs', 'jobs', 'pods', 'deployments', 'replicasets'].includes(text);
}

/** Something is written all the time in a cluster, if only leases. */
function now(): number {
  return 9_000_000 + round + Math.round(process.uptime());
}

function list(resource: Resource, url: URL, metadata: boolean): Buffer {
  const still = population.count(resource);
  const jobs = resource === 'jobs' ? live.json : [];
  const total = still + jobs.length;
  const [from = 0, version = now()] = (url.searchParams.get('continue')?.split('-') ?? []).map(Number);
  const to = Math.min(total, from + Number(url.searchParams.get('limit') ?? total));
  const items = Array.from({ length: to - from }, (_, at) => {
    return jobs[from + at - still] ?? population.json(resource, from + at, { metadata, round });
  });
  const head = {
    resourceVersion: String(jobs.length > 0 ? live.version : version),
    ...(to < total && { continue: `${to}-${version}` }),
  };
  if (!metadata) return Buffer.from(`{"kind":"List","metadata":${JSON.stringify(head)},"items":[${items.join(',')}]}`);
  const parsed = items.map((item) => JSON.parse(item) as Parameters<typeof encodeMetadataList>[1][number]);
  return encodeMetadataList(head, parsed);
}

function body(url: URL, accept: string): string | Buffer | undefined {
  const [, resource = '', name] = PATH.exec(url.pathname) ?? [];
  if (resource === 'namespaces') return JSON.stringify({ metadata: { name, uid: 'the-cluster' } });
  if (!isResource(resource)) return '{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}';
  if (name === undefined) return list(resource, url, accept.includes('as=PartialObjectMetadataList'));
  if (resource === 'jobs' && name.startsWith('live-')) return live.named(name);
  const index = Number(/-(\d+)$/.exec(name)?.[1] ?? NaN);
  return index < population.count(resource) ? population.json(resource, index, { metadata: false, round }) : undefined;
}

function answer(response: ServerResponse, found: string | Buffer | undefined): void {
  const buffer = Buffer.from(found ?? '{"message":"not found"}');
  requests++;
  bytes += buffer.length;
  const type = buffer.subarray(0, 3).equals(K8S) ? KUBE_PROTOBUF : 'application/json';
  const headers = { 'content-type': type, 'content-length': buffer.length };
  response.writeHead(found === undefined ? 404 : 200, headers).end(buffer);
}

async function set(state: ApiState): Promise<void> {
  population = await makePopulation(state.objects);
  round = state.round;
  [requests, bytes] = [0, 0];
  process.send?.('set');
}

function watch(url: URL, response: ServerResponse): void {
  requests++;
  const { searchParams: query } = url;
  // As an audit asks whether anything changed: a bookmark two seconds before the end shows that nothing did.
  if (query.get('timeoutSeconds') === '4') quietWatch(response);
  else if (!mayWatch) response.writeHead(403).end('{"message":"no watch"}');
  else
    live.watch(response, Number(query.get('resourceVersion')), Number(query.get('timeoutSeconds')), (count) => {
      bytes += count;
    });
}

function quietWatch(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  const bookmark = () => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(now()) } } });
  setTimeout(() => response.write(`${JSON.stringify(bookmark())}\n`), 2000);
  setTimeout(() => response.end(), 4000);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://api');
  if (url.searchParams.has('watch')) return watch(url, response);
  answer(response, body(url, request.headers.accept ?? ''));
});
function change({ perSecond, watch }: ApiLive): void {
  mayWatch = watch;
  const jobs = population.count('jobs');
  live.begin((number) => population.json('jobs', number % jobs, { metadata: false, round }), perSecond);
  process.send?.('changing');
}

process.on('message', (message: ApiState | ApiLive | 'counts') => {
  if (message === 'counts') process.send?.({ requests, megabytes: bytes / 1e6 } satisfies ApiCounts);
  else if ('perSecond' in message) change(message);
  else void set(message);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// The end of the bench is the end of this process.
process.once('disconnect', () => process.exit());
