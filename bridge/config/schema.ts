import { z } from 'zod';

import type { DeepReadonly } from '../lib/deep-readonly.ts';
import { sinkSchemas } from '../sinks/index.ts';
import { duration } from './marks.ts';

const allowed = <T extends z.ZodType>(schema: T, text: string): T => schema.meta({ allowed: text });

const port = (fallback: number) =>
  allowed(z.int().min(0).max(65_535), 'a whole number from 0 to 65535 (0: any free port)').default(fallback);
const text = (fallback: string) => allowed(z.string().min(1), 'text that is not empty').default(fallback);

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const namespace = allowed(z.string().regex(DNS_LABEL), 'the name of a namespace: lower-case letters, digits and -');

const cluster = z.strictObject({
  /** Display name: on pages, in messages and tags. Keys never use it. */
  name: text('default'),
  scope: allowed(
    z.union([z.literal('cluster'), z.array(namespace).min(1)]),
    'cluster, or a list of namespaces such as [team-a, team-b]',
  ).default('cluster'),
  /** Without it: KUBECONFIG, ~/.kube/config, then the pod's own service account. */
  kubeconfig: allowed(z.string().min(1), 'the path of a kubeconfig file').optional(),
  /** LIST every followed kind at the start: a watch shows no initial objects. */
  list: z.boolean().default(true),
  /** LISTs every followed kind again and compares it with the store: a watch can lose changes. */
  audit: z
    .strictObject({
      /** Longer in a large cluster: 100 objects a second are read on average. */
      interval: duration().prefault('5m'),
      /** How long a run that is gone waits for the record with its real ending. */
      grace: duration().prefault('15m'),
    })
    .prefault({}),
});

const otlp = z.strictObject({
  host: text('0.0.0.0'),
  port: port(4317),
  /** Bound of one export after decompression. */
  maxMessageBytes: allowed(
    z.int().min(1024).max(1_073_741_824),
    'a whole number of bytes from 1024 to 1073741824',
  ).default(67_108_864),
});

const store = z.strictObject({
  path: text('/var/lib/lifecycle-bridge/bridge.db'),
  /** What is over and deleted in the cluster is removed when it is older, and the oldest when the store is larger. */
  retention: z
    .strictObject({
      age: duration().prefault('30d'),
      /** Of the database file; the write-ahead log beside it takes at most 64 MiB more. */
      maxBytes: allowed(z.int().min(1_048_576), 'a whole number of bytes from 1048576').default(1_073_741_824),
    })
    .prefault({}),
});

/** The one schema of the configuration: types, defaults, errors and the redacted print derive from it. */
export const configSchema = z.strictObject({
  cluster: cluster.prefault({}),
  otlp: otlp.prefault({}),
  web: z.strictObject({ host: text('127.0.0.1'), port: port(8080) }).prefault({}),
  store: store.prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  firstSight: z
    .strictObject({
      /** What happened longer ago than this before a destination's first start is recorded, not announced. */
      lookback: duration().prefault('15m'),
      /** The start of a run that began before the cut-off; its ending is always announced. */
      running: z.enum(['announce', 'suppress']).default('announce'),
    })
    .prefault({}),
  /** How long a pod of a run may be without a node, and with one before its first container starts. */
  stuck: z.strictObject({ unschedulable: duration().prefault('5m'), pending: duration().prefault('10m') }).prefault({}),
  /** A run that is gone and whose ending nothing tells: not announced, or announced as failed. */
  onUnknown: z.enum(['none', 'fail']).default('none'),
  /** Telemetry that is older when it could be sent is given up as `expired`. */
  outbox: z.strictObject({ maxAge: duration().prefault('24h') }).prefault({}),
  ...sinkSchemas,
});

/** The whole configuration with every default filled in. Durations are milliseconds. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
