import { isIP } from 'node:net';

import { z } from 'zod';

import type { DeepReadonly } from '../lib/deep-readonly.ts';
import { pageAddress } from '../lib/page-link.ts';
import { sinkSchemas } from '../sinks/index.ts';
import type { SinksConfig } from '../sinks/index.ts';
import { duration } from './marks.ts';

const allowed = <T extends z.ZodType>(schema: T, text: string): T => schema.meta({ allowed: text });

const port = (fallback: number) =>
  allowed(z.int().min(0).max(65_535), 'a whole number from 0 to 65535 (0: any free port)').default(fallback);
const text = (fallback: string) => allowed(z.string().min(1), 'text that is not empty').default(fallback);

const bytes = (fallback: number) =>
  allowed(z.int().min(1024).max(1_073_741_824), 'a whole number of bytes from 1024 to 1073741824').default(fallback);

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
  /** Write an Event of type Warning on a CronJob with annotations that cannot be read; `kubectl describe` shows it. */
  events: z.boolean().default(true),
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

const path = (what: string) => allowed(z.string().min(1), `the path of ${what}`);

const otlp = z.strictObject({
  host: text('0.0.0.0'),
  port: port(4317),
  /** Bound of one export after decompression. */
  maxMessageBytes: bytes(67_108_864),
  /** Bound of all exports that arrive or wait for their commit; beyond it they are refused, to be sent again. */
  maxPendingBytes: bytes(33_554_432),
  /** Further ones are closed at once. */
  maxConnections: allowed(z.int().min(1).max(10_000), 'a whole number from 1 to 10000').default(64),
  /** With a token or tokenFile, exports need one of them as `authorization: Bearer …`. */
  token: allowed(z.string().regex(/^[^\s<>]+$/), 'the token itself: no spaces, no placeholder such as <token>')
    .meta({ secret: true })
    .optional(),
  /** One token a line; read again when it changes. */
  tokenFile: path('a file with one token a line').optional(),
  /** Read again when the files change. */
  tls: z
    .strictObject({
      certFile: path('a PEM file with the certificate and its intermediates'),
      keyFile: path('a PEM file with the key of the certificate'),
      /** Only clients with a certificate of this authority may connect. */
      clientCaFile: path('a PEM file with the authority of client certificates').optional(),
    })
    .optional(),
});

const ADDRESS = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i;

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = ADDRESS.exec(text) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return bits > 0 && Number(prefix ?? 0) <= bits;
}

const network = z.string().refine(isNetwork, 'allowed: an IP address or network, such as 10.0.0.7 or 10.0.0.0/8');

const PUBLIC_URL =
  'an http or https URL such as https://bridge.example.com: at most 500 characters, without @, ? and #';
const publicUrl = allowed(
  z
    .string()
    .refine((text) => pageAddress(text) !== undefined, `allowed: ${PUBLIC_URL}`)
    .transform((text) => pageAddress(text) ?? text),
  PUBLIC_URL,
);

const web = z
  .strictObject({
    host: text('127.0.0.1'),
    port: port(8080),
    /** The page's address as people outside reach it, for links to it; without it links are left out. */
    publicUrl: publicUrl.optional(),
    /** Who may see page and API. /livez, /readyz, /metrics and /version stay open for probes and scrapers. */
    auth: z.enum(['none', 'token', 'proxy-header']).default('none'),
    /**
     * For `auth: token`: what is typed into the login form or sent as a Bearer token. Without it and without tokenFile the
     * bridge makes one, keeps it beside its store, and `lifecycle-bridge page-token` prints it.
     */
    token: allowed(z.string().regex(/^[\x21-\x7e]{16,}$/), 'at least 16 characters without spaces')
      .meta({ secret: true })
      .optional(),
    /** The same from a file, read again when it changes. */
    tokenFile: allowed(z.string().min(1), 'the path of a file that holds the token').optional(),
    /** For `auth: proxy-header`: the header in which the proxy names who logged in there. */
    proxyHeader: allowed(z.string().regex(/^[A-Za-z0-9-]+$/), 'the name of a header').default('X-Forwarded-User'),
    /** The header counts only from these; anybody could send it. */
    trustedProxies: z.array(network).default([]),
  })
  .refine(({ token, tokenFile }) => token === undefined || tokenFile === undefined, {
    error: 'set token or tokenFile, not both',
    path: ['tokenFile'],
  })
  .refine(({ auth, trustedProxies }) => auth !== 'proxy-header' || trustedProxies.length > 0, {
    error: 'auth: proxy-header needs trustedProxies',
    path: ['auth'],
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

/** Tails of the logs of containers that ended, for the destinations that take them. */
const logs = z
  .strictObject({
    /** Of one container. */
    maxBytes: allowed(z.int().min(1024).max(1_048_576), 'a whole number of bytes from 1024 to 1048576').default(65_536),
    maxLines: allowed(z.int().min(1).max(10_000), 'a whole number from 1 to 10000').default(1000),
    /** Of all containers of a run together: beyond it those that succeeded are left out first, then the oldest. */
    maxRunBytes: bytes(524_288),
    /** How long a tail is kept for the page and for sending it. */
    keep: duration().prefault('7d'),
    /** Of all tails in the store, compressed; beyond it the oldest go. */
    maxStoredBytes: bytes(134_217_728),
  })
  .refine(({ maxBytes, maxRunBytes }) => maxRunBytes >= maxBytes, {
    error: 'maxRunBytes must be at least maxBytes',
    path: ['maxRunBytes'],
  });

/** The one schema of the configuration: types, defaults, errors and the redacted print derive from it. */
export const configSchema = z
  .strictObject({
    cluster: cluster.prefault({}),
    otlp: otlp.prefault({}),
    web: web.prefault({}),
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
    logs: logs.prefault({}),
    /** How long a pod of a run may be without a node, and with one before its first container starts. */
    stuck: z
      .strictObject({ unschedulable: duration().prefault('5m'), pending: duration().prefault('10m') })
      .prefault({}),
    /** A run that is gone and whose ending nothing tells: not announced, or announced as failed. */
    onUnknown: z.enum(['none', 'fail']).default('none'),
    /** Telemetry that is older when it could be sent is given up as `expired`. */
    outbox: z.strictObject({ maxAge: duration().prefault('24h') }).prefault({}),
    ...sinkSchemas,
  })
  .superRefine(namespacesAreInScope);

/** A destination would wait for ever for a namespace that nobody watches. */
function namespacesAreInScope(
  { cluster: { scope }, cronitor }: { cluster: z.output<typeof cluster>; cronitor: SinksConfig['cronitor'] },
  context: z.RefinementCtx,
): void {
  if (scope === 'cluster') return;
  for (const [name, { namespaces }] of Object.entries(cronitor)) {
    for (const [index, namespace] of namespaces.entries()) {
      if (scope.includes(namespace)) continue;
      const message = `allowed: a namespace of cluster.scope (${scope.join(', ')})`;
      context.addIssue({ code: 'custom', path: ['cronitor', name, 'namespaces', index], message });
    }
  }
}

/** The whole configuration with every default filled in. Durations are milliseconds. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
