/** Writes bridge/telemetry/registry/metrics.yaml from the metrics that the bridge declares. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { METRICS } from '../bridge/telemetry/names.ts';
import { emit } from './gen-write.ts';

/** What the semantic conventions call an up-down counter is a gauge on /metrics: OpenMetrics has no other name for it. */
const UP_DOWN: ReadonlySet<string> = new Set(['cicd.pipeline.run.active']);
const groups = Object.values(METRICS).map(({ name, type, unit, description, attributes }) => ({
  id: `metric.${name}`,
  type: 'metric',
  stability: 'development',
  brief: description,
  metric_name: name,
  instrument: UP_DOWN.has(name) ? 'updowncounter' : type,
  unit,
  ...(attributes.length > 0 && {
    attributes: attributes.map((ref) => ({ ref, requirement_level: 'recommended' })),
  }),
}));
const head = '# Made from bridge/telemetry/names.ts by scripts/gen-metrics-registry.ts.\n';
emit(
  join(import.meta.dirname, '../bridge/telemetry/registry/metrics.yaml'),
  head + stringify({ groups }, { lineWidth: 0, singleQuote: true }),
);
