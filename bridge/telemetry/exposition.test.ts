import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonWith } from '../../test/harness/python.ts';
import { otherMetricsText } from '../sinks/other-metrics.ts';
import { asOpenMetrics, formatOf } from './exposition.ts';
import type { Metrics } from './metrics.ts';
import { createMetrics } from './metrics.ts';
import { METRICS, prometheusName } from './names.ts';
import { TRACE_ID, useAll } from './testing/used-metrics.ts';

const PYTHON = pythonWith('prometheus-client==0.21.1');
/** Prometheus' own implementation of the format; it refuses what the specification does. */
const PARSE = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
out = []
for family in parse(sys.stdin.read()):
    for s in family.samples:
        e = s.exemplar
        out.append([family.name, family.type, s.name, s.labels, s.value, e and [e.labels, e.value, float(e.timestamp)]])
print(json.dumps(out))`;

type Sample = [
  family: string,
  type: string,
  name: string,
  labels: Record<string, string>,
  value: number,
  exemplar: [labels: Record<string, string>, value: number, timestamp: number] | null,
];

describe.skipIf('missing' in PYTHON)('the OpenMetrics answer, read by the client library of Prometheus', () => {
  let metrics: Metrics;
  let samples: Sample[];
  beforeAll(async () => {
    metrics = createMetrics({ version: '1.2.3', clock: { now: () => 1e12 } });
    useAll(metrics, 1e12);
    const counter = {
      name: 'deptracker_ok',
      type: 'counter',
      help: 'with "quotes" and \\',
      samples: { '': 3 },
    } as const;
    metrics.observeOthers(() => otherMetricsText([counter]));
    if ('missing' in PYTHON) return;
    const input = await metrics.text('openmetrics');
    const output = execFileSync(PYTHON.command, ['-c', PARSE], { input, env: PYTHON.env, encoding: 'utf8' });
    samples = JSON.parse(output) as Sample[];
  });
  afterAll(() => metrics.close());

  it('has every metric with its type', () => {
    const types = new Map(samples.map(([family, type]) => [family, type]));
    for (const definition of Object.values(METRICS))
      expect([definition.name, types.get(prometheusName(definition))]).toEqual([definition.name, definition.type]);
    expect(samples).toContainEqual(['deptracker_ok', 'unknown', 'deptracker_ok', {}, 3, null]);
  });

  it('has the trace of the run at the bucket that it fell into', () => {
    const shown = samples.filter(
      ([, , , labels, , exemplar]) => exemplar && labels['cicd_pipeline_run_state'] === 'executing',
    );
    expect(shown.map(([, , name, labels, , exemplar]) => [name, labels['le'], exemplar])).toEqual([
      ['cicd_pipeline_run_duration_seconds_bucket', '300.0', [{ trace_id: TRACE_ID }, 98, 1_767_607_300]],
    ]);
  });
});

describe('the format', () => {
  it.each([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/html,application/xhtml+xml', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['text/plain;q=0.9,application/openmetrics-text;q=0.5', 'prometheus'],
    // Prometheus 2 and the Collector, and Prometheus 3.
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
  ] as const)('of %j is %s', (accept, format) => {
    expect(formatOf(accept)).toBe(format);
  });

  it('of a counter differs in the name of its family, and of a bound in its fraction', () => {
    const text = '# HELP a_total A\n# TYPE a_total counter\na_total 1\n\n# TYPE h histogram\nh_bucket{le="5"} 1\n';
    expect(asOpenMetrics(text)).toBe(
      '# HELP a A\n# TYPE a counter\na_total 1\n# TYPE h histogram\nh_bucket{le="5.0"} 1\n',
    );
  });

  it('leaves a label alone whose name only ends as that of bounds does', () => {
    expect(asOpenMetrics('h_bucket{role="5",le="5"} 1\n')).toBe('h_bucket{role="5",le="5.0"} 1\n');
  });
});
