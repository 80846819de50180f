import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { permissions } from './account.ts';
import { cases, type Manifest, packageChart, render, type Tree, UMBRELLA } from './helm.ts';
import { podsOf } from './pods.ts';

let cluster: Cluster;
let chart: string;
let ops: Kube;
let shop: Kube;

beforeAll(async () => {
  [cluster, chart] = await Promise.all([startCluster('chart'), packageChart()]);
  ops = await createNamespace(cluster.kubeconfig, 'ops');
  shop = await createNamespace(cluster.kubeconfig, 'shop');
});
afterAll(async () => {
  await ops?.removeNamespace();
  await shop?.removeNamespace();
  await cluster?.stop();
});

const ACCOUNTS = ['lb-bridge', 'lb-collector', 'lb-kube-state-metrics', 'lb-pod-logs'];
const isAccess = ({ kind }: Manifest): boolean => kind.includes('Role') || kind === 'ServiceAccount';
const HEADING = `# Permissions

What each service account may do in a namespace that it watches, by the scope of the release, as the API server answers
(SelfSubjectRulesReview); what every account may is left out. In all other namespaces it may do nothing, but in that of
the release the bridge may delete the Collector's pod (restartCollector) and, with a backend, read its log. pods/log of all pods
is there only while a destination takes logs: a Cronitor account without shipLogs: false. patch on pods is there only while pods
get timestamps (kubernetes). "every kind" is with watch.KIND: true for each. lb-pod-logs is there only with backend.podLogs.
"kubelets and Services" is with metrics.scrape.jobs.kubelet and a job with role: endpointslice.
Written by the tests; the release is "lb".
`;

describe('permissions', () => {
  const backend = { exporter: 'debug', traces: false, podLogs: { enabled: true } }; // kinds of traces are in the column of all
  const services = { role: 'endpointslice', selector: { app: 'shop' }, port: 'metrics' };
  const kubelets = { metrics: { scrape: { jobs: { kubelet: { enabled: true }, shop: services } } } };
  const cronitor = { default: { existingSecret: 'cronitor' } };
  const everything = { watch: Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, true])) };
  const scopes: readonly (readonly [string, () => Tree, () => Kube])[] = [
    ['namespace', () => ({ scope: 'namespace' }), () => ops],
    ['namespaces', () => ({ scope: 'namespaces', namespaces: [shop.namespace] }), () => shop],
    ['cluster', () => ({ scope: 'cluster' }), () => shop],
    ['cluster, kubelets and Services', () => ({ scope: 'cluster', ...kubelets }), () => shop],
    ['cluster, timestamps of pods', () => ({ scope: 'cluster', kubernetes: { default: {} } }), () => shop],
    ['cluster, every kind', () => ({ scope: 'cluster', ...everything }), () => shop],
  ];
  const inRelease = () => [
    `namespaces (only ${ops.namespace}): get`,
    'pods (only lb-collector-0): delete',
    'pods/log (only lb-collector-0): get',
  ];

  it('of each account are those of the committed table, whatever the scope', async () => {
    const everybody = new Set(await permissions(ops, '', ops.namespace));
    const ask = (account: string, { namespace }: Kube): Promise<readonly string[]> =>
      settled(async () =>
        (await permissions(ops, account, namespace)).filter((rule) => !everybody.has(rule)).toSorted(),
      );
    const found = new Map(ACCOUNTS.map((account) => [account, new Map<string, string[]>()]));
    for (const [scope, values, watched] of scopes) {
      const access = (await render(chart, { backend, cronitor, ...values() }, { namespace: ops.namespace })).filter(
        isAccess,
      );
      await onEach('apply', access);
      for (const account of ACCOUNTS) {
        for (const rule of await ask(account, watched())) append(found.get(account)!, rule, scope);
        if (scope.startsWith('cluster')) continue;
        const elsewhere = await ask(account, watched() === ops ? shop : ops);
        expect(elsewhere).toEqual(scope === 'namespaces' && account === 'lb-bridge' ? inRelease() : []);
      }
      await onEach('delete', access);
    }
    const table = [...found].map(([account, rules]) => `\n## ${account}\n\n${rows(rules)}`).join('');
    const text = `${HEADING}${table}`.replaceAll(ops.namespace, 'RELEASE-NAMESPACE');
    await expect(text).toMatchFileSnapshot(join(UMBRELLA, 'PERMISSIONS.md'));
  });

  /** The answer that is given twice: the API server learns of a role a moment after it was made. */
  function settled(ask: () => Promise<readonly string[]>): Promise<readonly string[]> {
    let last = '';
    return until('the rules are settled', async () => {
      const rules = await ask();
      const same = last === JSON.stringify(rules);
      last = JSON.stringify(rules);
      return same && rules;
    });
  }

  function append(rules: Map<string, string[]>, rule: string, scope: string): void {
    rules.set(rule, [...(rules.get(rule) ?? []), scope]);
  }

  function rows(rules: ReadonlyMap<string, readonly string[]>): string {
    const names = scopes.map(([scope]) => scope);
    const lines = [...rules]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([rule, given]) => {
        const marks = names.map((scope) => (given.includes(scope) ? 'yes' : '–')).join(' | ');
        return `| ${rule.replace(/: (?=[a-z ]+$)/, ' | ')} | ${marks} |`;
      });
    return `| Resource | Verbs | ${names.join(' | ')} |\n|${'---|'.repeat(names.length + 2)}\n${lines.join('\n')}\n`;
  }
});

/** kubectl takes objects of its own namespace and of none. */
async function onEach(verb: string, manifests: readonly Manifest[]): Promise<void> {
  for (const kube of [ops, shop]) {
    const items = manifests.filter(({ metadata }) => (metadata.namespace ?? ops.namespace) === kube.namespace);
    if (items.length > 0) await kube.kubectl([verb, '-f', '-'], { input: list(items) });
  }
}

const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

describe.each(cases().map(({ name, values }) => [name, values] as const))('%s', (_, values) => {
  it('is accepted by the API server, its pods in a namespace that enforces the Pod Security Standard "restricted", but for those that read logs of nodes', async () => {
    const manifests = await render(chart, values, { namespace: ops.namespace });
    const pods = podsOf(manifests).map(({ labels, annotations, spec, owner }, index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${index}`, namespace: ops.namespace, labels, annotations: { ...annotations, owner } },
      // What a StatefulSet adds, and what is not there without an install.
      spec: {
        ...spec,
        serviceAccountName: 'default',
        priorityClassName: undefined,
        volumes: [...(spec.volumes ?? []), ...claimed(spec)],
      },
    }));
    const here = manifests.filter(({ metadata }) => (metadata.namespace ?? ops.namespace) === ops.namespace);
    const readsNode = ({ metadata }: (typeof pods)[number]): boolean =>
      metadata.annotations.owner.endsWith('-pod-logs');
    const allowed = [
      ['restricted', here],
      ['restricted', pods.filter((pod) => !readsNode(pod))],
      ['privileged', pods.filter(readsNode)],
    ] as const;
    for (const [level, items] of allowed) {
      if (items.length === 0) continue;
      const enforced = `pod-security.kubernetes.io/enforce=${level}`;
      await ops.kubectl(['label', 'namespace', ops.namespace, enforced, '--overwrite']);
      const said = await ops.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: list(items) });
      expect(said.trim().split('\n')).toHaveLength(items.length);
      expect(said).not.toContain('Warning');
    }
  });
});

/** Volumes that come from claims, as what they are to a pod. */
function claimed(spec: Tree): readonly Tree[] {
  const there = new Set(((spec['volumes'] as readonly { name: string }[] | undefined) ?? []).map(({ name }) => name));
  return ['data', 'queue'].filter((name) => !there.has(name)).map((name) => ({ name, emptyDir: {} }));
}

it('a pod that runs as root is refused there', async () => {
  const enforced = 'pod-security.kubernetes.io/enforce=restricted';
  await ops.kubectl(['label', 'namespace', ops.namespace, enforced, '--overwrite']);
  const root = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'root' },
    spec: { containers: [{ name: 'c', image: 'c:1' }] },
  };
  await expect(ops.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: list([root]) })).rejects.toThrow(
    'violates PodSecurity "restricted:latest"',
  );
});
