import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../bridge/config/load.ts';
import { followedKinds } from '../../bridge/config/watch.ts';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { groupOf } from '../../bridge/kubernetes/metadata.ts';
import type { Kind } from '../../bridge/kubernetes/observation.ts';
import { fileOf, type Manifest, packageChart, refusal, render, subchart, type Tree } from './helm.ts';

let chart: string;
const work = mkdtempSync(join(tmpdir(), 'chart-watch-'));
beforeAll(async () => {
  chart = await packageChart(withMoreSinks);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Two sinks that the bridge does not have: one of workloads with logs, one that reads what is in no namespace, and Events. */
function withMoreSinks(folder: string): void {
  appendFileSync(join(folder, 'charts/lifecycle-bridge/files/sinks.yaml'), 'rollouts: {}\nnodes: {}\n');
  // Its schema takes destinations of the real ones only.
  rmSync(join(folder, 'charts/lifecycle-bridge/values.schema.json'));
  const kinds = join(folder, 'subcharts/bridge/files/kinds.yaml');
  const more = '  rollouts: [Deployment, ReplicaSet]\n  nodes: [Event, Namespace, Node]\n';
  const text = readFileSync(kinds, 'utf8').replace(/^follow:\n/m, `$&${more}`);
  writeFileSync(kinds, text.replace(/^shipLogs: \[/m, '$&rollouts, '));
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface CollectorConfig {
  readonly receivers: Readonly<Record<string, { readonly objects?: readonly Tree[] }>>;
  readonly service: {
    readonly pipelines: Readonly<Record<string, { readonly receivers: string[]; readonly processors: string[] }>>;
  };
}

const RUNS: readonly Kind[] = ['CronJob', 'Job', 'Pod'];
const plus = (...more: readonly Kind[]): readonly Kind[] => [...RUNS, ...more].toSorted();
const cronitor = { cronitor: { default: { existingSecret: 'cronitor' } } };
const rollouts = { rollouts: { default: {} } };
const nodes = { nodes: { default: {} } };
const WORKLOADS = ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'] as const;
const tenant = { namespaceSelector: { matchLabels: { tenant: 'a' } } };
const github = { existingSecret: 'g', org: 'acme', cluster: 'c', logicalEnvironment: 'production' };
const ofTenant = { github: { default: { ...github, routes: [{ ...tenant, org: 'acme-a' }] } } };
const everything = { watch: Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, true])) };

const SCOPES: readonly Tree[] = [
  { scope: 'namespace' },
  { scope: 'namespaces', namespaces: ['billing', 'shop'] },
  { scope: 'cluster' },
];
const inNamespaces = SCOPES.slice(0, 2);
const everywhere = SCOPES.slice(2);

const TABLE: readonly (readonly [Tree, readonly Tree[], readonly Kind[]])[] = [
  [{}, SCOPES, RUNS],
  [cronitor, SCOPES, RUNS],
  [{ ...cronitor, watch: { Deployment: true } }, SCOPES, plus('Deployment', 'ReplicaSet')],
  [{ watch: { StatefulSet: true } }, SCOPES, plus('ControllerRevision', 'StatefulSet')],
  [{ watch: { ControllerRevision: true, Job: true } }, SCOPES, plus('ControllerRevision')],
  [{ watch: { Event: true } }, SCOPES, plus('Event')],
  [{ watch: { Deployment: false, Node: false, Job: true } }, SCOPES, RUNS],
  [rollouts, SCOPES, plus('Deployment', 'ReplicaSet')],
  [
    { ...cronitor, ...rollouts, watch: { DaemonSet: true } },
    SCOPES,
    plus('ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet'),
  ],
  // What is in no namespace is there for who may read it.
  [nodes, inNamespaces, plus('Event')],
  [nodes, everywhere, plus('Event', 'Namespace', 'Node')],
  [{ watch: { Node: true } }, everywhere, plus('Node')],
  [ofTenant, everywhere, plus(...WORKLOADS, 'Namespace')],
  [everything, everywhere, plus(...WORKLOADS, 'Event', 'Namespace', 'Node')],
];

const resource = (kind: Kind): string => `${KINDS[kind].resource}.${groupOf(KINDS[kind].apiVersion)}`;

/** `resource.group` of every rule of an account that has all these verbs, by the namespace that it holds in. */
function allowed(manifests: readonly Manifest[], workload: string, verbs: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { kind, metadata, ...role } of manifests) {
    if (!/^(Cluster)?Role$/.test(kind) || !metadata.name.endsWith(`:${workload}`)) continue;
    const rules = (role['rules'] as readonly Rule[]).filter(
      (rule) => rule.resourceNames === undefined && verbs.every((verb) => rule.verbs.includes(verb)),
    );
    const names = rules.flatMap(({ apiGroups, resources }) =>
      apiGroups.flatMap((group) => resources.map((name) => `${name}.${group}`)),
    );
    found.set(metadata.namespace ?? kind, names.toSorted());
  }
  return found;
}

/** The namespaces of a scope as Roles are in them; of a cluster, the one ClusterRole. */
function places({ scope, namespaces }: Tree): readonly string[] {
  if (scope === 'cluster') return ['ClusterRole'];
  return (namespaces as readonly string[] | undefined) ?? ['ops'];
}

describe.each(
  TABLE.flatMap(([values, scopes, kinds]) => scopes.map((scope) => ({ values: { ...values, ...scope }, kinds }))),
)('with $values', ({ values, kinds }) => {
  let manifests: readonly Manifest[];
  beforeAll(async () => {
    manifests = await render(chart, values);
  });
  const wanted = kinds.map(resource).toSorted();
  const everyPlace = (resources: readonly string[]) => new Map(places(values).map((place) => [place, resources]));

  it('the Collector watches what is followed, each on its way through the redaction, and may read no more', () => {
    const config = parse(fileOf(manifests, 'lb-collector', 'collector.yaml')) as CollectorConfig;
    const objects = Object.values(config.receivers).flatMap((receiver) => receiver.objects ?? []);
    const watched = objects.map(({ name, group, mode }) => `${String(name)}.${String(group)} ${String(mode)}`);
    expect(watched.toSorted()).toEqual(wanted.map((each) => `${each} watch`));
    for (const { name, namespaces } of objects) {
      const isNamespaced = Object.values(KINDS).find((kind) => kind.resource === name)?.namespaced;
      expect(namespaces).toBe(isNamespaced ? '${env:WATCH_NAMESPACES:-[]}' : undefined);
    }
    const pipelines = Object.values(config.service.pipelines);
    expect(pipelines.flatMap(({ receivers }) => receivers).toSorted()).toEqual(
      Object.keys(config.receivers).toSorted(),
    );
    for (const { processors } of pipelines) expect(processors).toEqual(['transform/redact', 'transform/cluster']);
    expect(allowed(manifests, 'collector', ['list', 'watch'])).toEqual(everyPlace(wanted));
    expect(allowed(manifests, 'collector', [])).toEqual(everyPlace(wanted));
  });

  it('the bridge may read it, and is given what to watch', () => {
    const audited = kinds.filter((kind) => KINDS[kind].audit === 'full').map(resource);
    const events = kinds.filter((kind) => KINDS[kind].audit === 'none').map(resource);
    expect(allowed(manifests, 'bridge', ['list'])).toEqual(everyPlace([...audited, ...events].toSorted()));
    const logs = 'cronitor' in values || 'rollouts' in values ? ['pods/log.'] : [];
    expect(allowed(manifests, 'bridge', ['get', 'list', 'watch'])).toEqual(everyPlace(audited.toSorted()));
    expect(allowed(manifests, 'bridge', [])).toEqual(
      everyPlace([...audited, ...logs, ...events, 'events.events.k8s.io'].toSorted()),
    );
    const config = parse(fileOf(manifests, 'lb-bridge', 'bridge.yaml')) as Tree;
    expect(config['watch']).toEqual(values['watch']);
    expect(config['nodes']).toEqual(values['nodes']);
  });

  it('only all of the cluster needs a ClusterRole', () => {
    const clusterWide = manifests.filter(({ kind }) => kind.startsWith('ClusterRole'));
    expect(clusterWide.length > 0).toBe(values['scope'] === 'cluster');
  });
});

const ofRealSinks = TABLE.filter(([values]) => !('rollouts' in values || 'nodes' in values));
it.each(ofRealSinks.flatMap(([values, scopes]) => scopes.map((scope) => ({ ...values, ...scope }))))(
  'with %j the chart and the bridge follow the same',
  async (values) => {
    const manifests = await render(chart, values);
    const file = join(work, 'bridge.yaml');
    writeFileSync(file, fileOf(manifests, 'lb-bridge', 'bridge.yaml'));
    const resources = followedKinds(loadConfig({ file, env: {} })).map(resource);
    expect(allowed(manifests, 'collector', []).get(places(values)[0]!)).toEqual(resources.toSorted());
  },
);

describe('watch', () => {
  it.each([
    [
      { watch: { Deploymnet: true } },
      'watch.Deploymnet: true; there is no such kind; allowed: ControllerRevision, CronJob, DaemonSet, Deployment, Event, Job, Namespace, Node, Pod, ReplicaSet, StatefulSet',
    ],
    [{ watch: { deployments: false } }, 'watch.deployments: false; there is no such kind; allowed: Cont'],
    [{ watch: { Job: false } }, 'watch.Job: false; allowed: true, because it is followed always'],
    [
      { ...rollouts, watch: { ReplicaSet: false } },
      'watch.ReplicaSet: false; allowed: true, because it is followed for rollouts',
    ],
    [{ ...nodes, watch: { Node: false } }, 'watch.Node: false; allowed: true, because it is followed for nodes'],
    [
      { watch: { Deployment: true, ReplicaSet: false } },
      'watch.ReplicaSet: false; allowed: true, because it is followed for Deployment',
    ],
    [ofTenant, 'github.default has a namespaceSelector, which needs scope: cluster'],
    [{ ...ofTenant, scope: 'cluster', watch: { Namespace: false } }, 'it is followed for github.default'],
    [{ watch: { Node: true } }, 'watch.Node: true; a Node is in no namespace: it needs scope: cluster'],
    [
      { scope: 'namespaces', namespaces: ['shop'], watch: { Namespace: true } },
      'watch.Namespace: true; a Namespace is',
    ],
  ])('%j is refused with what is allowed', async (values: Tree, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });

  it('is a mapping of booleans', async () => {
    const real = await packageChart();
    const of = (watch: unknown) => refusal(real, { watch });
    expect(await of({ Deployment: 'yes' })).toContain("at '/watch/Deployment': got string, want boolean");
    expect(await of({ Deploymnet: true })).toContain('watch.Deploymnet: true; there is no such kind; allowed: Contr');
  });

  it('taken away by null is nothing more than what is needed', async () => {
    const manifests = await render(chart, { watch: null });
    expect(allowed(manifests, 'collector', []).get('ops')).toEqual(RUNS.map(resource).toSorted());
  });
});

describe('what the Collector may read', () => {
  const jobs = { shop: { selector: { app: 'shop' }, port: 80 }, kubelet: { enabled: true } };

  it('is the pods and nodes that it scrapes too, also without the bridge', async () => {
    const values = { scope: 'cluster', backend: { exporter: 'debug' }, bridge: { enabled: false } };
    const without = await render(chart, values);
    expect(allowed(without, 'collector', [])).toEqual(new Map([['ClusterRole', []]]));
    const scraping = await render(chart, { ...values, metrics: { scrape: { jobs } } });
    expect(allowed(scraping, 'collector', ['list', 'watch']).get('ClusterRole')).toEqual(['nodes.', 'pods.']);
    expect(allowed(scraping, 'collector', ['get']).get('ClusterRole')).toEqual(['nodes/metrics.']);
  });

  it('is what a receiver of the user watches', async () => {
    const objects = [{ name: 'leases', group: 'coordination.k8s.io', mode: 'watch' }];
    const collector = { config: { receivers: { 'k8sobjects/own': { objects } } } };
    const found = allowed(await render(chart, { collector }), 'collector', ['list', 'watch']).get('ops');
    expect(found).toEqual(['leases.coordination.k8s.io', ...RUNS.map(resource)].toSorted());
  });
});

describe('a part alone', () => {
  const rulesOf = (manifests: readonly Manifest[]) => allowed(renamed(manifests), 'part', ['list', 'watch']).get('ops');
  /** Alone a Role has the name of its part. */
  const renamed = (manifests: readonly Manifest[]): Manifest[] =>
    manifests.map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, name: ':part' } }));

  it('is a bridge that may read what its own configuration follows', async () => {
    const bridge = subchart('bridge');
    expect(rulesOf(await render(bridge, {}))).toEqual(RUNS.map(resource).toSorted());
    const values = { config: { cronitor: { default: { apiKeyFile: '/key' } }, watch: { Deployment: true } } };
    expect(rulesOf(await render(bridge, values))).toEqual(plus('Deployment', 'ReplicaSet').map(resource).toSorted());
    expect(await refusal(bridge, { config: { watch: { Node: true } } })).toContain('it needs scope: cluster');
    expect(await refusal(bridge, { config: { watch: { Nod: true } } })).toContain(
      'there is no such kind; allowed: Contr',
    );
  });

  it('is a Collector that may read what its configuration watches', async () => {
    const collector = subchart('collector');
    expect(rulesOf(await render(collector, {}))).toEqual(['jobs.batch']);
    const objects = [{ name: 'pods' }, { name: 'events', group: 'events.k8s.io' }];
    const config = { receivers: { k8sobjects: { objects }, otlp: null } };
    expect(rulesOf(await render(collector, { config }))).toEqual(['events.events.k8s.io', 'pods.']);
    expect(rulesOf(await render(collector, { config: { receivers: { otlp: {} } } }))).toEqual([]);
  });
});
