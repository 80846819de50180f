import type { Vendor, VendorAnswer, VendorRequest } from './vendor.ts';
import { json, table } from './vendor.ts';

export interface SimulatedPod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    resourceVersion: string;
    annotations: Record<string, string>;
    deletionTimestamp?: string;
    readonly [field: string]: unknown;
  };
  status: { phase: string; startTime?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** A write that was accepted. */
export interface SimulatedWrite {
  readonly pod: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly by: string;
}

const POD = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/;
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const PATCHES = new Set(['application/merge-patch+json', 'application/strategic-merge-patch+json']);
const NAME = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** The part of the Kubernetes API that concerns one pod: GET and PATCH with their preconditions, and access reviews. */
export class Kubernetes implements Vendor {
  readonly pods = new Map<string, SimulatedPod>();
  readonly writes: SimulatedWrite[] = [];
  /** Namespaces in which the account may not do it, by verb. */
  readonly denied = { get: new Set<string>(), patch: new Set<string>() };
  /** Hears of every change, as a watch does. */
  onChange: (pod: SimulatedPod, type: 'ADDED' | 'MODIFIED' | 'DELETED') => void = () => undefined;
  /** Called between the reading of a PATCH and its precondition. */
  beforePatch: (pod: SimulatedPod) => void = () => undefined;
  private readonly token: string;
  private version = 1000;

  constructor(token: string) {
    this.token = token;
  }

  handle(request: VendorRequest): VendorAnswer | undefined {
    const { method, url, headers, body } = request;
    const found = POD.exec(url.pathname);
    if (found === null && url.pathname !== REVIEWS) return undefined;
    if (headers.authorization !== `Bearer ${this.token}`) return status(401, 'Unauthorized', 'Unauthorized');
    if (found === null) return this.review(JSON.parse(body) as Review);
    const [, namespace = '', name = ''] = found.map(decodeURIComponent);
    const verb = method === 'GET' ? 'get' : method === 'PATCH' ? 'patch' : undefined;
    if (verb === undefined) return status(405, 'MethodNotAllowed', `${method} is not simulated`);
    if (this.isDenied(verb, namespace)) return denial(verb, namespace, name);
    const pod = this.pods.get(`${namespace}/${name}`);
    if (pod === undefined) return status(404, 'NotFound', `pods "${name}" not found`);
    return verb === 'get' ? json(200, pod) : this.patch(pod, request);
  }

  private patch(pod: SimulatedPod, { headers, body, url }: VendorRequest): VendorAnswer {
    if (!PATCHES.has(headers['content-type'] ?? '')) return status(415, 'UnsupportedMediaType', 'not a merge patch');
    this.beforePatch(pod);
    if (!this.pods.has(keyOf(pod))) return status(404, 'NotFound', `pods "${pod.metadata.name}" not found`);
    const { metadata = {} } = JSON.parse(body) as { metadata?: Partial<SimulatedPod['metadata']> };
    const { uid, resourceVersion, annotations = {} } = metadata;
    if (uid !== undefined && uid !== pod.metadata.uid) return status(409, 'Conflict', 'Precondition failed: UID');
    if (resourceVersion !== undefined && resourceVersion !== pod.metadata.resourceVersion)
      return status(409, 'Conflict', 'the object has been modified');
    const wrong = Object.keys(annotations).find((name) => !NAME.test(name));
    if (wrong !== undefined) return status(422, 'Invalid', `metadata.annotations: Invalid value: "${wrong}"`);
    this.writes.push({ pod: keyOf(pod), annotations, by: url.searchParams.get('fieldManager') ?? 'unknown' });
    this.change(pod, (it) => Object.assign(it.metadata.annotations, annotations));
    return json(200, pod);
  }

  private review({ spec: { resourceAttributes: asked } }: Review): VendorAnswer {
    const denied = this.denied[asked.verb];
    const allowed = asked.namespace === undefined ? denied.size === 0 : !this.isDenied(asked.verb, asked.namespace);
    return json(201, { kind: 'SelfSubjectAccessReview', status: { allowed } });
  }

  private isDenied(verb: 'get' | 'patch', namespace: string): boolean {
    return this.denied[verb].has(namespace) || this.denied[verb].has('*');
  }

  /** A new pod; its UID is that of its number. */
  create(name: string, annotations: Record<string, string> = {}, more: object = {}): SimulatedPod {
    const [namespace = '', short = ''] = name.split('/');
    const number = ++this.version;
    const uid = `44444444-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const creationTimestamp = '2026-01-05T10:00:00Z';
    const metadata = {
      namespace,
      name: short,
      uid,
      resourceVersion: String(number),
      creationTimestamp,
      annotations: { ...annotations },
    };
    const pod: SimulatedPod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {},
      status: { phase: 'Pending' },
      ...structuredClone(more),
    };
    this.pods.set(name, pod);
    this.onChange(structuredClone(pod), 'ADDED');
    return pod;
  }

  /** Changes a pod as a client does that asks for no precondition. */
  change(pod: SimulatedPod, how: (pod: SimulatedPod) => void): void {
    how(pod);
    pod.metadata.resourceVersion = String(++this.version);
    this.onChange(structuredClone(pod), 'MODIFIED');
  }

  remove(pod: SimulatedPod): void {
    this.pods.delete(keyOf(pod));
    pod.metadata.resourceVersion = String(++this.version);
    this.onChange(structuredClone(pod), 'DELETED');
  }

  state(): object {
    return { pods: Object.fromEntries(this.pods), writes: this.writes };
  }

  html(): string {
    const rows = this.writes.map(({ pod, annotations, by }) => [pod, JSON.stringify(annotations), by]);
    return `<h2>Kubernetes</h2>${table(['pod', 'annotations', 'by'], rows)}`;
  }

  clear(): void {
    this.writes.length = 0;
  }
}

interface Review {
  readonly spec: {
    readonly resourceAttributes: { readonly verb: 'get' | 'patch'; readonly namespace?: string };
  };
}

function keyOf({ metadata }: SimulatedPod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function denial(verb: string, namespace: string, name: string): VendorAnswer {
  const who = 'User "system:serviceaccount:bridge:lb-bridge"';
  const what = `cannot ${verb} resource "pods" in API group "" in the namespace "${namespace}"`;
  return status(403, 'Forbidden', `pods "${name}" is forbidden: ${who} ${what}`);
}

function status(code: number, reason: string, message: string): VendorAnswer {
  return json(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code });
}
