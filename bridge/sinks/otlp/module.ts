import type { SinkModule } from '../module.ts';
import type { OtlpConfig } from './config.ts';
import { otlpSchema } from './config.ts';
import { linksOf } from './links.ts';
import { createOtlpPlanner, READS } from './plan.ts';

const REFUSED =
  'Put the header with its token into headersFile, and look at what the receiver expects; it is read again before each export.';

/** OpenTelemetry: a trace of each run, and what happened as log records, over OTLP to the Collector or any backend. */
export const opentelemetry = {
  title: 'OTLP receivers',
  schema: otlpSchema,
  setFirst: 'endpoint',
  reads: READS,
  planner: (name, config) => createOtlpPlanner(name, config),
  async deliverer(name, config, deps) {
    const { createOtlpDeliverer } = await import('./deliver.ts');
    return createOtlpDeliverer(name, config, deps);
  },
  hosts: ({ endpoint }) => ({ endpoint }),
  speaks: 'grpc',
  secretIsOptional: true,
  links: linksOf,
  advice: { unauthorized: REFUSED, forbidden: REFUSED },
  doc: 'docs/traces.md',
} as const satisfies SinkModule<OtlpConfig>;
