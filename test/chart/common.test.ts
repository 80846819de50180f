import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { one, packageChart, refusal, render, SUBCHARTS, subchart, type Tree } from './helm.ts';
import { podsOf } from './pods.ts';

const run = promisify(execFile);

/** Every object that the chart can make. */
const FROM = { networkPolicy: { from: [{ namespaceSelector: {} }] } };
const ALL: Tree = {
  'bundled-backend': { enabled: true },
  backend: { exporter: 'debug', podLogs: { enabled: true } },
  bridge: { ...FROM, ingress: { enabled: true, host: 'h' }, podDisruptionBudget: { enabled: true } },
  collector: FROM,
  'kube-state-metrics': FROM,
  prometheusOperator: { rules: { enabled: true }, monitors: { enabled: true } },
  dashboard: { enabled: true },
};
const LABELS = { 'example.com/team': 'platform' };
const ANNOTATIONS = { 'example.com/owner': 'a: b', 'reloader.stakater.com/auto': 'true' };
const GLOBAL = { global: { commonLabels: LABELS, commonAnnotations: ANNOTATIONS } };

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

describe('labels and annotations of the user', () => {
  it('are on every object, and the labels on every pod, beside those of the chart', async () => {
    const before = await render(chart, ALL);
    const manifests = await render(chart, { ...ALL, ...GLOBAL });
    expect(manifests.length).toBe(before.length);
    for (const [index, { kind, metadata }] of manifests.entries()) {
      const { labels, annotations } = before[index]!.metadata;
      const isTest = annotations?.['helm.sh/hook'] !== undefined;
      expect([kind, metadata.labels]).toEqual([kind, { ...labels, ...LABELS }]);
      expect([kind, metadata.annotations]).toEqual([kind, isTest ? annotations : { ...annotations, ...ANNOTATIONS }]);
    }
    for (const { owner, labels } of podsOf(manifests))
      expect([owner, labels]).toEqual([owner, expect.objectContaining(LABELS)]);
    const selectors = (all: typeof manifests) => all.map((each) => (each['spec'] as Tree | undefined)?.['selector']);
    expect(selectors(manifests)).toEqual(selectors(before));
  });

  it.each(SUBCHARTS)('are on every object of %s alone', async (name) => {
    for (const { metadata } of await render(subchart(name), GLOBAL)) expect(metadata.labels).toMatchObject(LABELS);
  });

  it('give way to those of one part and of one object', async () => {
    const team = 'example.com/team';
    const bridge = { podLabels: { [team]: 'jobs' }, serviceAccount: { annotations: { 'example.com/owner': 'c' } } };
    const manifests = await render(chart, { ...GLOBAL, bridge });
    expect(podsOf(manifests).find(({ owner }) => owner === 'StatefulSet/lb-bridge')?.labels).toMatchObject({
      [team]: 'jobs',
    });
    const { annotations } = one(manifests, 'ServiceAccount', 'lb-bridge').metadata;
    expect(annotations).toEqual({ ...ANNOTATIONS, 'example.com/owner': 'c' });
  });

  it('of the pods of a part are on all of them, also on those that read logs on each node', async () => {
    const collector = { ...FROM, podLabels: LABELS };
    const pods = podsOf(await render(chart, { ...ALL, collector })).filter(({ owner }) =>
      /collector|pod-logs/.test(owner),
    );
    expect(pods.map(({ owner, labels }) => [owner, labels])).toEqual([
      ['DaemonSet/lb-pod-logs', expect.objectContaining({ ...LABELS, 'app.kubernetes.io/name': 'pod-logs' })],
      ['StatefulSet/lb-collector', expect.objectContaining({ ...LABELS, 'app.kubernetes.io/name': 'collector' })],
    ]);
  });

  it.each([
    [{ 'app.kubernetes.io/name': 'x' }, 'global.commonLabels has app.kubernetes.io/name, which the chart itself sets'],
    [{ team: 'a b' }, "at '/global/commonLabels/team': 'a b' does not match pattern"],
    [{ 'a b': 'c' }, "at '/global/commonLabels': additional properties 'a b' not allowed"],
  ])('%j is refused', async (commonLabels, words) => {
    expect(await refusal(chart, { global: { commonLabels } })).toContain(words);
  });
});

describe('podSpec', () => {
  const podSpec = {
    hostUsers: false,
    dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
  };
  it('is in the pods of each part', async () => {
    const parts = Object.fromEntries(SUBCHARTS.map((name) => [name, { ...(ALL[name] as Tree), podSpec }]));
    const collector = { ...(parts['collector'] as Tree), podLogs: { podSpec } };
    const pods = podsOf(await render(chart, { ...ALL, ...parts, collector })).filter(({ hook }) => !hook);
    expect(pods.map(({ owner, spec }) => [owner, spec])).toEqual(
      pods.map(({ owner }) => [owner, expect.objectContaining(podSpec)]),
    );
  });

  it.each([
    ['containers', "at '/podSpec': additional properties 'containers' not allowed"],
    ['serviceAccountName', "additional properties 'serviceAccountName' not allowed"],
  ])('has no %s, which the chart itself sets', async (field, words) => {
    expect(await refusal(chart, { bridge: { podSpec: { [field]: [] } } })).toContain(words);
  });
});

it('objects of one’s own are made beside those of the chart, with the names of the release', async () => {
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: '{{ .Release.Name }}-page' },
    spec: { rules: [{ backendRefs: [{ name: '{{ .Release.Name }}-bridge', port: 8080 }] }] },
  };
  const values = { extraManifests: [route, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'two' } }] };
  const manifests = await render(chart, values);
  const { spec } = one(manifests, 'HTTPRoute', 'lb-page');
  expect(spec).toEqual({ rules: [{ backendRefs: [{ name: 'lb-bridge', port: 8080 }] }] });
  one(manifests, 'ConfigMap', 'two');
  expect(await refusal(chart, { extraManifests: [{ kind: 'ConfigMap' }] })).toContain(
    "at '/extraManifests/0': missing",
  );
});

it('parts of another release than the chart are refused, with what packs them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chart-stale-'));
  await run('tar', ['xzf', chart, '-C', folder]);
  const file = join(folder, 'lifecycle-bridge/Chart.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^version: .*$/m, 'version: 99.0.0'));
  const words = await refusal(join(folder, 'lifecycle-bridge'), {});
  rmSync(folder, { recursive: true });
  expect(words).toMatch(
    /the part \S+ that is packed in charts\/ is of version \S+, the chart of 99\.0\.0: pack the parts again/,
  );
});
