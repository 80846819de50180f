/**
 * Writes what of the charts follows from elsewhere: the version from package.json, Chart.lock, collector-config/ inside
 * the package, the sinks and the kinds of the bridge, its alerts and its dashboard, values.schema.json from values.yaml and the bridge's own schema, and the tables of the READMEs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import type { Tree } from '../bridge/config/tree.ts';
import manifest from '../package.json' with { type: 'json' };
import { dashboard } from './chart/dashboard.ts';
import { valuesSchema } from './chart/json-schema.ts';
import type { Refinements } from './chart/json-schema.ts';
import { kindsFile } from './chart/kinds.ts';
import { between, valuesTable } from './chart/readme.ts';
import * as refinements from './chart/refinements.ts';
import { sinksFile, sinkValues } from './chart/sinks.ts';
import { readValues } from './chart/values-file.ts';
import { emit } from './gen-write.ts';

const root = join(import.meta.dirname, '..');
const umbrella = join(root, 'charts/lifecycle-bridge');
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
}
interface Chart {
  readonly appVersion: string;
  readonly dependencies?: readonly Dependency[];
}

/** Everything of one chart but its lock; `ours` says that the appVersion is that of the bridge. */
function generate(chart: string, refined: Refinements, ours: boolean, inherited: (own: Tree) => Tree): void {
  const values = readValues(read(chart, 'values.yaml'));
  const schema = valuesSchema(values, refined);
  const own = schema['properties'] as Tree;
  const properties = { ...own, ...inherited(own) };
  emit(join(chart, 'values.schema.json'), schemaText({ ...schema, properties }));
  emit(join(chart, 'README.md'), between(read(chart, 'README.md'), 'values', valuesTable(values)));
  // Of the chart, of its dependencies, which are released together, and of its image.
  const versions = ours ? /^( *)(version|appVersion): .*$/gm : /^( *)(version): .*$/gm;
  emit(join(chart, 'Chart.yaml'), read(chart, 'Chart.yaml').replaceAll(versions, `$1$2: ${manifest.version}`));
}

/** A line for each value: a diff shows which one changed, and the package is small. */
function schemaText({ properties, ...schema }: Tree): string {
  const lines = Object.entries(properties as Tree).map((value) => value.map((part) => JSON.stringify(part)).join(': '));
  return `${JSON.stringify(schema).slice(0, -1)}, "properties": {\n${lines.join(',\n')}\n}}\n`;
}

/** As Helm computes it; the time stays until the digest changes. */
function lock(): string {
  const { dependencies = [] } = parse(read(umbrella, 'Chart.yaml')) as Chart;
  const locked = dependencies.map(({ name, version, repository }) => ({ name, version, repository }));
  const wanted = dependencies.map(({ name, version, repository, condition }) => ({
    name,
    version,
    repository,
    condition,
  }));
  const digest = `sha256:${createHash('sha256')
    .update(JSON.stringify([wanted, locked]))
    .digest('hex')}`;
  const lines = locked.map(
    ({ name, version, repository }) => `- name: ${name}\n  repository: ${repository}\n  version: ${version}\n`,
  );
  return `dependencies:\n${lines.join('')}digest: ${digest}\ngenerated: "2026-01-01T00:00:00Z"\n`;
}

const subcharts = join(root, 'subcharts');
const app = (name: string): string => (parse(read(subcharts, name, 'Chart.yaml')) as Chart).appVersion;

/** The tag of an image of the bundled backend. */
function image(part: 'jaeger' | 'victorialogs'): string {
  const values = parse(read(subcharts, 'backend/values.yaml')) as Record<typeof part, { image: { tag: string } }>;
  return values[part].image.tag;
}

/** What runs with what. */
function compatibility(): string {
  const built = (folder: string): string | undefined =>
    /^ {2}version: (.*)$/m.exec(read(root, 'scripts/tools.d', folder, 'builder.yaml'))?.[1];
  const version = (file: string, module: string): string | undefined =>
    new RegExp(`${module} v(\\S+)`).exec(read(root, 'scripts/tools.d', file, 'go.mod'))?.[1];
  return [
    '| Part | Default | The tests run |',
    '|---|---|---|',
    `| bridge | ${manifest.version} | ${manifest.version} |`,
    `| OpenTelemetry Collector (\`opentelemetry-collector-k8s\`) | ${app('collector')} | ${built('otelcol')}; without its watches ${built('otelcol-next')} |`,
    `| kube-state-metrics | ${app('kube-state-metrics')} | ${version('kube-state-metrics', 'k8s.io/kube-state-metrics/v2')} |`,
    `| Jaeger, for trying out | ${image('jaeger')} | the same, which is ${version('jaeger', 'github.com/jaegertracing/jaeger')} as a Go module |`,
    `| VictoriaLogs, for trying out | ${image('victorialogs').replace('v', '')} | ${version('victorialogs', 'github.com/VictoriaMetrics/VictoriaLogs')} |`,
    `| Kubernetes | 1.30 or later | ${version('k8s', 'k8s.io/kubernetes')}; the schemas of 1.30 to 1.36 |`,
    `| Helm | 3 | ${version('helm', 'helm.sh/helm/v3')} |`,
  ].join('\n');
}

/** The rules of docs/operations.md, for the Prometheus operator. */
function alerts(): string {
  const block = /<!-- alerts -->\n\n```yaml\n([^]*?)```/.exec(read(root, 'docs/operations.md'))?.[1];
  if (block === undefined) throw new Error('docs/operations.md has no block of alerts');
  return `# Written by scripts/gen-charts.ts from docs/operations.md.\n${block}`;
}

const fromUmbrella = (): Tree => refinements.FROM_UMBRELLA;
generate(join(subcharts, 'bridge'), refinements.bridge, true, fromUmbrella);
generate(join(subcharts, 'collector'), refinements.collector, false, fromUmbrella);
generate(join(subcharts, 'kube-state-metrics'), refinements.kubeStateMetrics, false, fromUmbrella);
generate(join(subcharts, 'backend'), refinements.bundledBackend, false, fromUmbrella);
generate(umbrella, refinements.umbrella(), true, sinkValues);
const argo = 'examples/argocd/application.yaml';
emit(
  join(umbrella, argo),
  read(umbrella, argo).replaceAll(/(lifecycle-bridge-|targetRevision: )\d+\.\d+\.\d+/g, `$1${manifest.version}`),
);
emit(join(umbrella, 'README.md'), between(read(umbrella, 'README.md'), 'compatibility', compatibility()));
for (const { name, repository } of (parse(read(umbrella, 'Chart.yaml')) as Chart).dependencies ?? []) {
  const table = valuesTable(readValues(read(subcharts, basename(repository), 'values.yaml')), `${name}.`);
  emit(join(umbrella, 'README.md'), between(read(umbrella, 'README.md'), `values-${name}`, table));
}
emit(join(umbrella, 'Chart.lock'), lock());
const collectorConfig = join(root, 'collector-config');
const copied = join(umbrella, 'files/collector-config');
mkdirSync(join(copied, 'watch'), { recursive: true });
for (const file of readdirSync(collectorConfig, { recursive: true, encoding: 'utf8' }))
  if (file.endsWith('.yaml')) emit(join(copied, file), read(collectorConfig, file));
emit(join(umbrella, 'files/alerts.yaml'), alerts());
emit(join(umbrella, 'files/dashboard.json'), dashboard());
emit(join(umbrella, 'files/sinks.yaml'), sinksFile());
emit(join(subcharts, 'bridge/files/kinds.yaml'), kindsFile());
