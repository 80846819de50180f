import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { MetricDefinition } from '../bridge/telemetry/metric-definition.ts';
import { METRICS, seriesName } from '../bridge/telemetry/names.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8');
const block = /<!-- alerts -->\n\n```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const series = new Map<string, MetricDefinition>(
  Object.values(METRICS).flatMap((metric) =>
    (metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map(
      (suffix) => [seriesName(metric) + suffix, metric] as const,
    ),
  ),
);

const rules = (parse(block) as Rules).groups.flatMap((group) => group.rules);

it.each(rules.map(({ alert, expr }) => [alert, expr] as const))('%s asks for what the bridge has', (_, expr) => {
  const used = [...expr.matchAll(/(^|[^\w]+|\w+\()(lifecycle_bridge_\w+)(?:\{([^}]*)\})?/g)];
  expect(used.length).toBeGreaterThan(0);
  for (const [, before = '', name = '', matchers = ''] of used) {
    const metric = series.get(name);
    expect([name, metric === undefined]).toEqual([name, false]);
    const labels = [...matchers.matchAll(/\w+(?=[!=]?[=~]{1,2}")/g)].map(([label]) => label);
    expect(metric?.attributes).toEqual(expect.arrayContaining(labels));
    // A counter may also be compared with what it was.
    const increases = /(?:rate|increase)\($/.test(before);
    expect([name, increases || metric?.type === 'counter']).toEqual([name, metric?.type !== 'gauge']);
  }
});
