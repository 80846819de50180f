import { keeping } from '../../bridge/kubernetes/annotations.ts';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import type { Facts, FollowedKind, Observation } from '../../bridge/kubernetes/observation.ts';
import { TestEngine } from '../../bridge/ingest/test-engine.ts';
import { github } from '../../bridge/sinks/github/module.ts';
import { githubSchema } from '../../bridge/sinks/github/config.ts';
import { READS } from '../../bridge/sinks/github/plan.ts';
import type { DeploymentRecord } from '../../bridge/sinks/github/record.ts';
import { readRecord } from '../../bridge/sinks/github/record.ts';
import type { Planner } from '../../bridge/sinks/sink.ts';
import { T0 } from '../fixtures/facts.ts';

export const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

/** A planner of the sink as the configuration makes it. */
export function planner(settings: object = {}): Planner {
  const given = { org: 'acme', credential: 't', cluster: 'prod-1', logicalEnvironment: 'production', ...settings };
  const world = { clusterId: 'c', clusterName: 'prod', pageUrl: undefined, siblings: 1 };
  return github.planner('default', githubSchema.parse(given), world);
}

/** An object as the API has it. */
export interface Thing {
  readonly kind: FollowedKind;
  readonly apiVersion: string;
  readonly metadata: { readonly uid: string; readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

const keeps = keeping(READS.annotations);
let version = 1_000;

/** The bridge, and what it hears of a cluster. */
export class Records {
  readonly engine: TestEngine;
  #now = T0 + 60_000;

  constructor(settings: object = {}) {
    this.engine = new TestEngine({ planners: [planner(settings)], engine: { kinds: ['Namespace', ...READS.kinds] } });
    this.engine.restart();
  }

  /** The stream brings these objects, each with a newer version. */
  see(...things: readonly Thing[]): void {
    this.#take(things.map((thing) => factsOf(thing)));
  }

  delete(...things: readonly Thing[]): void {
    this.#take(
      things.map((thing) => factsOf(thing)),
      { deleted: true },
    );
  }

  /** Facts as they are, in the order of their versions or not. */
  take(facts: readonly Facts[], more: Partial<Observation> = {}): void {
    this.#take(facts, more);
  }

  /** Every kind is listed, until nothing is missing any more. */
  audit(live: readonly Facts[]): void {
    const { audit } = this.engine;
    const kinds = READS.kinds as ReadonlySet<FollowedKind>;
    for (const kind of [...kinds, ...kinds, ...kinds]) {
      this.#now += 300_000;
      const objects = live.filter((facts) => facts.kind === kind);
      audit.auditBegin({ kind }, this.#now);
      const listed = objects.map(({ uid, resourceVersion }) => ({ uid, version: resourceVersion }));
      const { differing } = audit.auditPage(String(version++), listed, this.#now);
      this.#take(
        objects.filter(({ uid }) => differing.includes(uid)),
        { listed: true },
      );
      for (let after: number | undefined = 0; after !== undefined;) after = audit.auditScan(after).next;
      audit.auditEnd(this.#now);
    }
  }

  restart(settings?: object): void {
    this.engine.restart(settings && [planner(settings)], this.#now);
  }

  /** `name digest status`, by name. */
  get lines(): string[] {
    return this.records
      .map(({ deployment_name: name, digest, status }) => `${name} ${digest.slice(7, 8)} ${status}`)
      .toSorted();
  }

  get records(): DeploymentRecord[] {
    const { items } = this.engine.reader.desired({ limit: 1_000 });
    return items.map(({ wanted }) => readRecord(wanted)!);
  }

  #take(facts: readonly Facts[], more: Partial<Observation> = {}): void {
    this.#now += 1_000;
    this.engine.take(
      facts.map((one) => ({ facts: one, deleted: false, observedAt: this.#now, ...more })),
      this.#now,
    );
  }
}

export function factsOf(thing: Thing): Facts {
  const object = { ...thing, metadata: { ...thing.metadata, resourceVersion: String(version++) } };
  return KINDS[thing.kind].read(object, keeps);
}

const APIS: { readonly [K in FollowedKind]?: string } = {
  CronJob: 'batch/v1',
  Job: 'batch/v1',
  Pod: 'v1',
  Namespace: 'v1',
};

/** `changes`: of the metadata, and of spec and status. */
function thing(kind: FollowedKind, name: string, owner: Owned | undefined, meta: object, rest: object): Thing {
  return {
    apiVersion: APIS[kind] ?? 'apps/v1',
    kind,
    metadata: {
      uid: `${kind}/${name}`,
      namespace: 'shop',
      name,
      creationTimestamp: new Date(T0).toISOString(),
      ...(owner && { ownerReferences: [referenceTo(owner)] }),
      ...meta,
    },
    ...rest,
  };
}

type Owned = {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly uid: string; readonly name: string };
};

const referenceTo = ({ kind, apiVersion, metadata: { uid, name } }: Owned): object => ({
  kind,
  apiVersion,
  uid,
  name,
  controller: true,
});

export const template = (containers: readonly string[], init: readonly string[] = []): object => ({
  spec: {
    containers: containers.map((name) => ({ name, image: `acme/${name}:1` })),
    initContainers: init.map((name) => ({ name })),
  },
});

const scaled =
  (kind: FollowedKind) =>
  (name: string, containers: readonly string[], replicas = 1, meta: object = {}): Thing =>
    thing(
      kind,
      name,
      undefined,
      { generation: 1, ...meta },
      { spec: { replicas, template: template(containers) }, status: { observedGeneration: 1 } },
    );

export const deployment = scaled('Deployment');
export const statefulSet = scaled('StatefulSet');

export const daemonSet = (name: string, containers: readonly string[], nodes = 1, meta: object = {}): Thing =>
  thing(
    'DaemonSet',
    name,
    undefined,
    { generation: 1, ...meta },
    {
      spec: { template: template(containers) },
      status: { observedGeneration: 1, desiredNumberScheduled: nodes },
    },
  );

export const replicaSet = (
  name: string,
  owner: Owned | undefined,
  containers: readonly string[],
  replicas = 1,
  meta: object = {},
): Thing => thing('ReplicaSet', name, owner, meta, { spec: { replicas, template: template(containers) } });

export const namespace = (name: string, labels: Readonly<Record<string, string>>): Thing =>
  thing('Namespace', name, undefined, { namespace: undefined, labels }, {});

export const job = (name: string, containers: readonly string[], owner?: Owned, meta: object = {}): Thing =>
  thing('Job', name, owner, meta, { spec: { template: template(containers) } });

export const cronJob = (name: string, containers: readonly string[], meta: object = {}): Thing =>
  thing('CronJob', name, undefined, meta, {
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: template(containers) } } },
  });

/** Containers by name: the letter of the digest, or the whole imageID. `init/NAME` is an init container. */
export type Runs = Readonly<Record<string, string>>;

export interface PodMore {
  readonly phase?: string;
  readonly age?: number;
  readonly meta?: object;
  readonly images?: Readonly<Record<string, string>>;
  /** Images that the status names, by container. */
  readonly running?: Readonly<Record<string, string>>;
}

/** A pod that runs, `age` seconds younger than T0. */
export function pod(
  name: string,
  owner: Owned | undefined,
  runs: Runs,
  { phase = 'Running', age = 0, meta = {}, images = {}, running = {} }: PodMore = {},
): Thing {
  const names = Object.keys(runs);
  const short = (key: string): string => key.replace('init/', '');
  const ofType = (init: boolean) => names.filter((key) => key.startsWith('init/') === init);
  const specs = (init: boolean) =>
    ofType(init).map((key) => ({ name: short(key), image: images[short(key)] ?? `acme/${short(key)}:1` }));
  const statuses = (init: boolean) =>
    ofType(init).map((key) => ({
      name: short(key),
      image: running[short(key)] ?? 'x',
      imageID: imageId(runs[key]!),
      restartCount: 0,
    }));
  const created = { creationTimestamp: new Date(T0 + age * 1_000).toISOString() };
  return thing(
    'Pod',
    name,
    owner,
    { ...created, ...meta },
    {
      spec: { containers: specs(false), initContainers: specs(true) },
      status: { phase, containerStatuses: statuses(false), initContainerStatuses: statuses(true) },
    },
  );
}

const imageId = (text: string): string => (text.length === 1 ? `registry.example/app@${digest(text)}` : text);
