import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fileOf, type Manifest, one, OLD_COLLECTOR, packageChart, refusal, render, type Tree } from './helm.ts';
import { podsOf } from './pods.ts';
import { validateOnNewer } from './programs.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

const podLogs = (given: Tree = {}, more: Tree = {}): Tree => ({
  backend: { exporter: 'otlp', endpoint: 'otel:4317', podLogs: { enabled: true, ...given } },
  ...more,
});
const SHOPS = { scope: 'namespaces', namespaces: ['shop', 'billing'] };
const tails = (given: Tree): Tree => ({ opentelemetry: { backend: { podLogs: true, ...given } } });

interface Config {
  readonly receivers: {
    readonly 'filelog/pods': {
      readonly include: string[];
      readonly exclude: string[];
      readonly poll_interval?: string;
    };
  };
  readonly processors: Readonly<Record<string, { readonly filter?: Tree; readonly wait_for_metadata?: boolean }>>;
  readonly exporters: Readonly<Record<string, { readonly sending_queue?: Tree; readonly retry_on_failure?: Tree }>>;
  readonly service: { readonly pipelines: Readonly<Record<string, { readonly processors: string[] }>> };
}
const configOf = (manifests: readonly Manifest[]): Config =>
  parse(fileOf(manifests, 'lb-pod-logs', 'collector.yaml')) as Config;
const FOLDER = '${env:POD_LOGS_DIR:-/var/log/pods}';
const ofPodLogs = (manifests: readonly Manifest[]): readonly Manifest[] =>
  manifests.filter(({ metadata }) => metadata.name.includes('pod-logs'));

describe('backend.podLogs', () => {
  it('is off, and nothing of it is there', async () => {
    expect(ofPodLogs(await render(chart, { backend: { exporter: 'otlp', endpoint: 'otel:4317' } }))).toEqual([]);
  });

  it('takes of the node the logs of its pods, to read, and a folder for its places and its queue', async () => {
    const pod = podsOf(await render(chart, podLogs())).find(({ owner }) => owner === 'DaemonSet/lb-pod-logs')!;
    expect(pod.spec.volumes?.filter((volume) => 'hostPath' in volume)).toEqual([
      { name: 'logs', hostPath: { path: '/var/log/pods' } },
      { name: 'state', hostPath: { path: '/var/lib/lifecycle-bridge/ops-lb', type: 'DirectoryOrCreate' } },
    ]);
    expect(pod.spec.containers[0]?.['volumeMounts']).toContainEqual({
      name: 'logs',
      mountPath: '/var/log/pods',
      readOnly: true,
    });
    expect(['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => key in pod.spec)).toEqual([]);
    expect(pod.spec['tolerations']).toEqual([{ operator: 'Exists' }]);
  });

  it('is scraped by the Collector and reached by nobody else', async () => {
    const { spec } = one(await render(chart, podLogs()), 'NetworkPolicy', 'lb-pod-logs');
    expect((spec as { ingress: Tree[] }).ingress).toEqual([
      {
        from: [
          {
            podSelector: { matchLabels: { 'app.kubernetes.io/name': 'collector', 'app.kubernetes.io/instance': 'lb' } },
          },
        ],
        ports: [{ port: 'metrics', protocol: 'TCP' }],
      },
    ]);
  });

  it('sends to the backend with its headers and authority, from a queue on disk that is never given up', async () => {
    const values = podLogs();
    const backend = {
      ...(values['backend'] as Tree),
      headers: { authorization: { existingSecret: 'backend', key: 'token' } },
      caBundle: { existingConfigMap: 'ca' },
    };
    const manifests = await render(chart, { backend }, { args: OLD_COLLECTOR });
    expect(configOf(manifests).exporters).toEqual({
      'otlp/pods': {
        endpoint: 'otel:4317',
        tls: { ca_file: '/etc/otelcol/backend-ca/ca.crt' },
        headers: { authorization: '${env:BACKEND_AUTHORIZATION}${env:NOTHING:-}' },
        retry_on_failure: { enabled: true, initial_interval: '1s', max_interval: '30s', max_elapsed_time: '0s' },
        sending_queue: { enabled: true, storage: 'file_storage', queue_size: 5000 },
      },
    });
    const { spec } = podsOf(manifests).find(({ owner }) => owner === 'DaemonSet/lb-pod-logs')!;
    expect(spec.containers[0]?.env).toContainEqual({
      name: 'BACKEND_AUTHORIZATION',
      valueFrom: { secretKeyRef: { name: 'backend', key: 'token' } },
    });
    expect(JSON.stringify(spec.volumes)).toContain('"name":"backend-ca"');
  });
});

describe('what is read', () => {
  const rolesOf = (manifests: readonly Manifest[]) =>
    ofPodLogs(manifests)
      .filter(({ kind }) => kind.endsWith('Role'))
      .map(({ kind, metadata, ...role }) => [kind, metadata.namespace, JSON.stringify(role['rules'])]);
  const RULES = '[{"apiGroups":[""],"resources":["pods"],"verbs":["list","watch"]}]';

  it('are the logs of every namespace with scope: cluster, by a ClusterRole', async () => {
    const manifests = await render(chart, podLogs({}, { scope: 'cluster' }));
    expect(configOf(manifests).receivers['filelog/pods'].include).toEqual([
      `${FOLDER}/*/*/*.log`,
      `${FOLDER}/*/*/*.log.????????-??????`,
    ]);
    expect(rolesOf(manifests)).toEqual([['ClusterRole', undefined, RULES]]);
  });

  it.each([
    [podLogs(), ['ops']],
    [podLogs({}, SHOPS), ['billing', 'shop']],
    [podLogs({ excludeNamespaces: ['billing'] }, SHOPS), ['shop']],
    [podLogs({ namespaces: ['shop'] }, { scope: 'cluster' }), ['shop']],
  ] as const)('with %j are those of the pods in %j, by a Role in each', async (values, namespaces) => {
    const manifests = await render(chart, values);
    const { receivers, processors, service } = configOf(manifests);
    expect(receivers['filelog/pods'].include).toEqual(
      namespaces.flatMap((name) => ['', '.????????-??????'].map((end) => `${FOLDER}/${name}_*/*/*.log${end}`)),
    );
    expect(rolesOf(manifests)).toEqual(namespaces.map((name) => ['Role', name, RULES]));
    const asked = Object.keys(processors).filter((name) => name.startsWith('k8sattributes/'));
    expect(asked).toEqual(namespaces.map((name) => `k8sattributes/${name}`));
    for (const name of namespaces)
      expect(processors[`k8sattributes/${name}`]?.filter).toEqual({ node_from_env_var: 'NODE_NAME', namespace: name });
    expect(service.pipelines['logs/pods']?.processors.filter((name) => name.startsWith('k8sattributes'))).toEqual(
      asked,
    );
  });

  it('are never its own logs, nor those of the bridge, its Collector and excluded namespaces', async () => {
    const manifests = await render(chart, podLogs({ excludeNamespaces: ['kube-system'] }, { scope: 'cluster' }));
    expect(configOf(manifests).receivers['filelog/pods'].exclude).toEqual(
      ['ops_lb-bridge-0_*', 'ops_lb-collector-0_*', 'ops_lb-pod-logs-*_*', 'kube-system_*'].map(
        (pod) => `${FOLDER}/${pod}/*/*`,
      ),
    );
  });
});

describe('a newer Collector', () => {
  const argsOf = (manifests: readonly Manifest[]): readonly string[] =>
    podsOf(manifests).find(({ owner }) => owner === 'DaemonSet/lb-pod-logs')?.spec.containers[0]?.args ?? [];

  it('takes the configuration, but for what is missing here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pod-logs-newer-'));
    try {
      const manifests = await render(chart, podLogs(), { args: ['--set', 'collector.image.tag=0.140.1'] });
      expect(await validateOnNewer(manifests, folder, 'lb-pod-logs')).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('waits for the pods of its node, sends batches, and loses nothing that it has read by a kill', async () => {
    const manifests = await render(chart, podLogs());
    const { processors, exporters } = configOf(manifests);
    expect(processors['k8sattributes/ops']?.wait_for_metadata).toBe(true);
    expect(exporters['otlp/pods']?.sending_queue).toHaveProperty('batch');
    expect(argsOf(manifests)).toContain('--feature-gates=stanza.synchronousLogEmitter');
  });

  it.each(['0.111.0', 'latest'])('is not expected of the tag %s', async (tag) => {
    const manifests = await render(chart, podLogs(), { args: ['--set', `collector.image.tag=${tag}`] });
    const { receivers, processors, exporters } = configOf(manifests);
    expect(processors['k8sattributes/ops']).not.toHaveProperty('wait_for_metadata');
    expect(receivers['filelog/pods'].poll_interval).toBe('1s');
    expect(exporters['otlp/pods']?.sending_queue).not.toHaveProperty('batch');
    expect(argsOf(manifests)).toHaveLength(1);
  });
});

describe('a contradiction', () => {
  const twice = 'would both send the logs of';
  it.each([
    [{ backend: { podLogs: { enabled: true } } }, 'needs a backend that takes logs, but backend.exporter is none'],
    [podLogs({}, { collector: { enabled: false } }), 'needs the Collector of this chart: set collector.enabled'],
    [podLogs({ namespaces: ['other'] }), 'backend.podLogs: the namespace other is not in scope (ops)'],
    [podLogs({ excludeNamespaces: ['ops'] }), 'backend.podLogs.excludeNamespaces leaves nothing of ops'],
    [podLogs({ namespaces: ['Shop'] }), "at '/backend/podLogs/namespaces/0': 'Shop' does not match"],
    [podLogs({}, tails({})), `backend.podLogs.enabled and opentelemetry.backend.podLogs ${twice} the namespace ops`],
    [podLogs({}, { scope: 'cluster', ...tails({}) }), `${twice} every namespace`],
    [podLogs({}, { scope: 'cluster', ...tails({ namespaces: ['shop'] }) }), `${twice} the namespace shop`],
    [podLogs({ namespaces: ['shop'] }, { scope: 'cluster', ...tails({}) }), `${twice} the namespace shop`],
    [
      podLogs({}, { collector: { podLogs: { resources: { limits: { memory: '1e9' } } } } }),
      'collector.podLogs.resources.limits.memory is 1e9: write it in Mi or Gi',
    ],
  ])('%j is refused with what to do', async (values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });

  it.each([
    podLogs({}, { opentelemetry: { elsewhere: { endpoint: 'http://other:4317', podLogs: true } } }),
    podLogs({ excludeNamespaces: ['shop'] }, { scope: 'cluster', ...tails({ namespaces: ['shop'] }) }),
    podLogs({ namespaces: ['shop'] }, { scope: 'cluster', ...tails({ excludeNamespaces: ['shop'] }) }),
    podLogs({ namespaces: ['shop'] }, { ...SHOPS, ...tails({ namespaces: ['billing'] }) }),
    podLogs({}, tails({ podLogs: false })),
  ])('%j is none', async (values) => {
    expect(ofPodLogs(await render(chart, values)).length).toBeGreaterThan(0);
  });
});
