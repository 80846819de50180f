import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS, seriesName } from '../bridge/telemetry/names.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8');
const block = /<!-- alerts -->\n\n```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const series = new Map<string, readonly string[]>(
  Object.values(METRICS).flatMap((metric) =>
    (metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map(
      (suffix) => [seriesName(metric) + suffix, metric.attributes] as const,
    ),
  ),
);

it('the alerts ask for metrics and labels that the bridge has', () => {
  const rules = (parse(block) as Rules).groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(10);
  for (const { alert, expr } of rules) {
    const used = [...expr.matchAll(/(lifecycle_bridge_\w+)(?:\{([^}]*)\})?/g)];
    expect(used, alert).not.toEqual([]);
    for (const [, name = '', matchers = ''] of used) {
      expect([...series.keys()], alert).toContain(name);
      for (const [label] of matchers.matchAll(/\w+(?=[!=]?[=~]{1,2}")/g))
        expect(series.get(name), alert).toContain(label);
    }
  }
});
