import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMetadataList } from '../../test/kube-protobuf.ts';
import type { KubeApi } from './api.ts';
import { kubeApi } from './api.ts';
import { KUBE_PROTOBUF } from './kube-protobuf.ts';

export interface FakeObject {
  readonly metadata: {
    readonly uid: string;
    readonly name: string;
    readonly namespace: string;
    resourceVersion: string;
  };
  readonly [field: string]: unknown;
}

interface Created {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly [field: string]: unknown;
}

type Answer =
  | {
      readonly status: number;
      readonly body?: object | string;
      readonly protobuf?: Buffer;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | 'reset';

/**
 * A real HTTP server that answers as the Kubernetes API does: LISTs in pages, metadata only if asked, watches, GETs by
 * name, POSTs, DELETEs.
 */
export class FakeApi {
  /** Objects by resource, e.g. jobs, in the order of a LIST. */
  readonly objects: Record<string, FakeObject[]> = { cronjobs: [], jobs: [], pods: [], events: [], namespaces: [] };
  version = 1000;
  readonly requests: { readonly path: string; readonly metadata: boolean }[] = [];
  /** Objects that were created, by the path of their resource and their name. */
  readonly created = new Map<string, Created>();
  /** Watches that are open, oldest first. */
  readonly watches = new Set<{ readonly path: string; readonly response: ServerResponse }>();
  /** Paths that were deleted. */
  readonly deleted: string[] = [];
  /** May answer in the server's place. */
  intercept: (path: string, metadata: boolean) => Answer | undefined = () => undefined;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #folder = mkdtempSync(join(tmpdir(), 'fake-api-'));

  get kubeconfig(): string {
    return join(this.#folder, 'kubeconfig');
  }

  async start(): Promise<KubeApi> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    const access = { server: `http://127.0.0.1:${port}`, headers: {} };
    writeFileSync(this.kubeconfig, JSON.stringify(kubeConfig(access.server)));
    return kubeApi(access, () => Promise.resolve(access));
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    rmSync(this.#folder, { recursive: true });
  }

  /** Writes to every open watch of a resource. */
  emit(resource: string, ...events: readonly object[]): void {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    for (const { path, response } of this.watches) if (path.includes(`/${resource}?`)) response.write(text);
  }

  /** How many requests had this in their path. */
  count(part: string): number {
    return this.requests.filter(({ path }) => path.includes(part)).length;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const metadata = request.headers.accept?.includes('as=PartialObjectMetadataList') === true;
    this.requests.push({ path, metadata });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const create = (): Answer => this.#create(path, JSON.parse(Buffer.concat(chunks).toString()) as Created);
      const serve = (): Answer | undefined => {
        if (request.method === 'POST') return create();
        if (request.method === 'DELETE') return this.#delete(path);
        return path.includes('watch=1') ? this.#watch(path, response) : this.#serve(path, metadata);
      };
      const answer = this.intercept(path, metadata) ?? serve();
      if (answer !== undefined) this.#send(request, response, answer);
    });
  }

  #send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (answer === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const { status, body = {}, protobuf, headers = {} } = answer;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (protobuf !== undefined) response.writeHead(status, { 'content-type': KUBE_PROTOBUF }).end(protobuf);
    else if (typeof body === 'string') response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  /** Stays open; what is emitted goes there. */
  #watch(path: string, response: ServerResponse): undefined {
    const watch = { path, response };
    this.watches.add(watch);
    response.on('close', () => this.watches.delete(watch));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  }

  #delete(path: string): Answer {
    this.deleted.push(path);
    return { status: 200, body: { kind: 'Status', status: 'Success' } };
  }

  #create(path: string, object: Created): Answer {
    const key = `${path}/${object.metadata.name}`;
    if (this.created.has(key)) return { status: 409, body: { reason: 'AlreadyExists', message: 'already exists' } };
    this.created.set(key, object);
    return { status: 201, body: object };
  }

  #serve(path: string, metadata: boolean): Answer {
    const url = new URL(path, 'http://localhost');
    const [, namespace, resource = '', name] =
      /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const all = (this.objects[resource] ?? []).filter((object) => {
      return namespace === undefined || object.metadata.namespace === namespace;
    });
    if (name !== undefined) {
      const body = all.find((object) => object.metadata.name === name);
      return body === undefined ? { status: 404, body: { message: 'not found' } } : { status: 200, body };
    }
    const limit = Number(url.searchParams.get('limit') ?? all.length);
    const from = Number(url.searchParams.get('continue') ?? 0);
    const next = from + limit < all.length ? String(from + limit) : undefined;
    const page = all.slice(from, from + limit);
    const list = { resourceVersion: String(this.version), ...(next !== undefined && { continue: next }) };
    if (metadata) return { status: 200, protobuf: encodeMetadataList(list, page) };
    const items = page.map((object) => ({ ...object, kind: undefined, apiVersion: undefined }));
    return { status: 200, body: { kind: 'List', metadata: list, items } };
  }
}

function kubeConfig(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    users: [{ name: 'fake', user: { token: 'a-token' } }],
    'current-context': 'fake',
  };
}

/** A Job as the API has it. */
export function apiJob(name: string, resourceVersion: string, fields: object = {}): FakeObject {
  const metadata = { uid: `uid-${name}`, name, namespace: 'shop', resourceVersion };
  return {
    kind: 'Job',
    apiVersion: 'batch/v1',
    metadata,
    spec: { parallelism: 1 },
    status: { startTime: '2026-01-05T10:00:00Z' },
    ...fields,
  };
}
