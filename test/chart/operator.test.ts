import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Manifest, packageChart, refusal, render, type Tree } from './helm.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
const FROM = { networkPolicy: { from: [{ namespaceSelector: {} }] } };
const PARTS = { bridge: FROM, collector: FROM, 'kube-state-metrics': FROM };
const BACKEND = { backend: { exporter: 'otlp', endpoint: 'otel:4317' } };

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] =>
  manifests.filter((manifest) => manifest.kind === kind);

interface Service extends Manifest {
  readonly spec: { readonly ports: readonly { readonly name: string }[] };
}
interface ServiceMonitor extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly endpoints: readonly { readonly port: string; readonly interval: string; readonly honorLabels: boolean }[];
  };
}

describe('for the Prometheus operator', () => {
  it('nothing is made by default', async () => {
    const manifests = await render(chart, {});
    expect(manifests.filter(({ apiVersion }) => apiVersion.startsWith('monitoring.coreos.com'))).toEqual([]);
  });

  it('the rules are the alerts of docs/operations.md, with the labels of its Prometheus', async () => {
    const rules = { enabled: true, labels: { release: 'prometheus' } };
    const [made] = ofKind(await render(chart, { prometheusOperator: { rules } }), 'PrometheusRule');
    expect(made?.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(made?.['spec']).toEqual(parse(/<!-- alerts -->\n\n```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''));
  });

  it.each([
    ['every part', BACKEND, ['lb-bridge', 'lb-collector', 'lb-kube-state-metrics']],
    ['no kube-state-metrics without a backend', {}, ['lb-bridge', 'lb-collector']],
  ] as const)('a ServiceMonitor finds one port of one Service: %s', async (_, more, names) => {
    const monitors = { enabled: true, intervalSeconds: 60 };
    const values: Tree = { ...more, ...PARTS, prometheusOperator: { monitors } };
    const manifests = await render(chart, values, { release: 'lb' });
    const services = ofKind(manifests, 'Service') as Service[];
    const made = ofKind(manifests, 'ServiceMonitor') as ServiceMonitor[];
    const found = made.map(({ metadata, spec: { selector, endpoints } }) => {
      const selected = services.filter(({ metadata: { labels = {} } }) =>
        Object.entries(selector.matchLabels).every(([label, value]) => labels[label] === value),
      );
      const ports = selected.flatMap((service) => service.spec.ports.filter(({ name }) => name === endpoints[0]?.port));
      expect([selected.map((service) => service.metadata.name), ports.length]).toEqual([[metadata.name], 1]);
      return `${metadata.name} ${endpoints.map(({ interval }) => interval).join(' ')}`;
    });
    expect(found.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(names.map((name) => `${name} 60s`));
  });

  it('a monitor that no NetworkPolicy lets in is refused, with what to set', async () => {
    const monitors = { enabled: true };
    const said = await refusal(chart, { prometheusOperator: { monitors }, collector: FROM });
    expect(said).toContain('the NetworkPolicy of bridge lets no Prometheus in: say in bridge.networkPolicy.from');
    const open = { networkPolicy: { enabled: false } };
    const manifests = await render(chart, { prometheusOperator: { monitors }, bridge: open, collector: open });
    expect(ofKind(manifests, 'ServiceMonitor')).toHaveLength(2);
  });
});

it('volumes of one’s own are mounted into the bridge', async () => {
  const bridge = {
    extraVolumes: [{ name: 'vault', csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true } }],
    extraVolumeMounts: [{ name: 'vault', mountPath: '/vault', readOnly: true }],
  };
  const pod = ofKind(await render(chart, { bridge }, { release: 'lb' }), 'StatefulSet').find(
    ({ metadata }) => metadata.name === 'lb-bridge',
  );
  if (pod === undefined) throw new Error('there is no StatefulSet of the bridge');
  const { spec } = (pod['spec'] as { template: { spec: Tree } }).template;
  expect(spec['volumes']).toContainEqual(bridge.extraVolumes[0]);
  expect((spec['containers'] as [Tree])[0]['volumeMounts']).toContainEqual(bridge.extraVolumeMounts[0]);
});
