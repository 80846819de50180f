import { beforeAll, expect, it } from 'vitest';
import { BUNDLED, packageChart, render, type Tree } from './helm.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

it.each<Tree>([
  { otlp: { tls: null } },
  { bridge: { config: null, secrets: null, networkPolicy: { apiServer: null } } },
  { collector: { config: null } },
  { ...BUNDLED, 'bundled-backend': { enabled: true, serviceAccount: { annotations: null } } },
])('null takes the default of %j away, which is then read as empty', async (values) => {
  expect(await render(chart, values)).not.toEqual([]);
});

it.each<Tree>([{ cidrs: [] }, { ports: [] }, { cidrs: null }])(
  'an API server with %j opens nothing to the bridge, instead of everything',
  async (apiServer) => {
    const manifests = await render(chart, { bridge: { networkPolicy: { enabled: true, apiServer } } });
    const policy = manifests.find(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.endsWith('-bridge'),
    )!;
    const { egress } = policy['spec'] as { readonly egress: readonly { readonly ports: readonly Tree[] }[] };
    expect(egress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[53, 53], [4317], [443]]);
  },
);
