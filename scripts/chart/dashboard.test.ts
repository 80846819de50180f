import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { labelName, METRICS, seriesName } from '../../bridge/telemetry/names.ts';
import { dashboard } from './dashboard.ts';

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
const whole = JSON.parse(dashboard()) as { readonly panels: readonly Panel[] };

interface Series {
  readonly labels: readonly string[];
  /** Only its increase has a meaning. */
  readonly counts: boolean;
}
const series = new Map<string, Series>(
  Object.values(METRICS).flatMap((metric): [string, Series][] => {
    const labels = metric.attributes.map(labelName);
    if (metric.type !== 'histogram') return [[seriesName(metric), { labels, counts: metric.type === 'counter' }]];
    return ['_bucket', '_sum', '_count'].map((suffix) => [
      seriesName(metric) + suffix,
      { labels: suffix === '_bucket' ? [...labels, 'le'] : labels, counts: true },
    ]);
  }),
);

const root = join(import.meta.dirname, '../..');
const yamlOf = (file: string): unknown => parse(readFileSync(join(root, file), 'utf8'));
const kubeStateMetrics = yamlOf('subcharts/kube-state-metrics/values.yaml') as { metricAllowlist: string[] };
const umbrella = yamlOf('charts/lifecycle-bridge/values.yaml') as {
  metrics: { scrape: { jobs: { cadvisor: { keep: string[] } } } };
};
/** What others have: as much of it as the chart takes, and what test/chart/scrape-targets.test.ts finds at the Collector. */
const foreign = new RegExp(
  `^(?:${[...kubeStateMetrics.metricAllowlist, ...umbrella.metrics.scrape.jobs.cadvisor.keep, 'otelcol_exporter_queue_(size|capacity)'].join('|')})$`,
);

const queries = whole.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => [title, expr, legendFormat] as const),
);

describe('the dashboard', () => {
  it.each(queries)('%s: %s asks for what there is, in the way of its type', (_, expr, legend) => {
    const bare = expr.replaceAll(/"[^"]*"/g, '""');
    const grouped = [...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, */));
    const labels = [...grouped, ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)];
    const used = [...bare.matchAll(/((?:rate|increase)\()?\b([a-z]+(?:_[a-z]+){2,})\b(?:\{([^}]*)\})?/g)]
      .map(([, call, name = '', matchers = '']) => ({ call, name, matchers }))
      .filter(({ name }) => !labels.includes(name));
    expect(used.length).toBeGreaterThan(0);
    for (const { call, name, matchers } of used) {
      const is = series.get(name);
      expect([name, is !== undefined || foreign.test(name)]).toEqual([name, true]);
      expect([name, call !== undefined]).toEqual([name, is?.counts ?? name.endsWith('_total')]);
      if (is === undefined) continue;
      const matched = [...matchers.matchAll(/(\w+)(?=[!=]?[=~])/g)].map(([, label = '']) => label);
      expect(is.labels).toEqual(expect.arrayContaining([...labels, ...matched]));
    }
  });

  it('has every panel at a place of its own, with a description or what others say of it', () => {
    const cells = whole.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...whole.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });
});
