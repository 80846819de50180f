import type { Tree } from '../chart/helm.ts';
import type { MetricsSink } from '../chart/metrics-sink.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import type { RealNode } from './setup.ts';

/** The machine that runs the tests is a private address to pods. */
export function valuesFor({ hostIp }: RealNode, vendors: Vendors, sink: MetricsSink): Tree {
  const toThisMachine = [{ to: [{ ipBlock: { cidr: `${hostIp}/32` } }] }];
  return {
    cluster: { name: 'node', environment: 'test' },
    cronitor: { default: { existingSecret: 'cronitor', apiUrl: vendors.url, pingUrl: vendors.url } },
    // Without traces: the sink of these tests takes metrics, and permissions are those of Cronitor alone.
    backend: { exporter: 'otlphttp', endpoint: `http://${sink.address}`, traces: false },
    metrics: { scrape: { intervalSeconds: 15 } },
    bridge: { ...BRIDGE, networkPolicy: { egress: toThisMachine } },
    collector: COLLECTOR,
    'kube-state-metrics': { image: { repository: 'localhost/kube-state-metrics' } },
  };
}

/** The image of scripts/image. */
export const BRIDGE = { image: { repository: 'lifecycle-bridge' } };

export const COLLECTOR = {
  image: { repository: 'localhost/otelcol-k8s', tag: '0.111.0' },
  config: { exporters: { 'otlphttp/backend': { encoding: 'json', compression: 'none' } } },
};
