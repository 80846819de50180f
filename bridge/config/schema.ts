import { isIP } from 'node:net';

import { z } from 'zod';

import { DNS_LABEL } from '../kubernetes/dns-label.ts';
import type { DeepReadonly } from '../lib/deep-readonly.ts';
import { pageAddress } from '../lib/page-link.ts';
import { configured, sinkSchemas } from '../sinks/index.ts';
import type { SinksConfig } from '../sinks/index.ts';
import { duration } from '../lib/duration.ts';
import { otlpUrl } from '../lib/otlp-url.ts';
import { watch, watchIsPossible } from './watch.ts';

const allowed = <T extends z.ZodType>(schema: T, text: string): T => schema.meta({ allowed: text });

const port = (fallback: number) =>
  allowed(z.int().min(0).max(65_535), 'a whole number from 0 to 65535 (0: any free port)').default(fallback);
const text = (fallback: string) => allowed(z.string().min(1), 'text that is not empty').default(fallback);

const bytes = (fallback: number) =>
  allowed(z.int().min(1024).max(1_073_741_824), 'a whole number of bytes from 1024 to 1073741824').default(fallback);

const namespace = allowed(z.string().regex(DNS_LABEL), 'the name of a namespace: lower-case letters, digits and -');

const POD = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

const cluster = z.strictObject({
  name: text('default').describe('Display name: on pages, in messages and in tags. Keys never use it'),
  scope: allowed(
    z.union([z.literal('cluster'), z.array(namespace).min(1)]),
    'cluster, or a list of namespaces such as [team-a, team-b]',
  )
    .default('cluster')
    .describe('What is watched: destinations take CronJobs of it only'),
  kubeconfig: allowed(z.string().min(1), 'the path of a kubeconfig file')
    .optional()
    .describe('Without it: KUBECONFIG, ~/.kube/config, then the service account of the pod'),
  list: z
    .boolean()
    .default(true)
    .describe('LIST every followed kind at the start and at each audit; false: no access to the Kubernetes API at all'),
  events: z
    .boolean()
    .default(true)
    .describe(
      'Write an Event of type Warning on an object with annotations that cannot be read; kubectl describe shows it',
    ),
  collectorPods: z
    .array(allowed(z.string().regex(POD), 'namespace/name of a pod'))
    .default([])
    .describe(
      'Pods of the Collector that are deleted, at most once in 15 minutes, when its watches of CronJobs, Jobs and Pods have been dead for 5 minutes; needs the verb delete on them; []: never',
    ),
  collectorLogs: z
    .array(allowed(z.string().regex(POD), 'namespace/name of a pod'))
    .default([])
    .describe(
      'Pods of the Collector in whose log the bridge reads what a backend behind it refuses; needs the verb get on pods/log of them',
    ),
  audit: z
    .strictObject({
      interval: duration('1s')
        .prefault('5m')
        .describe('How often all is compared with the store; longer in a large cluster: 100 objects a second are read'),
      grace: duration()
        .prefault('15m')
        .describe('How long a run that is gone from the cluster waits for the record with its real ending'),
    })
    .prefault({}),
});

const path = (what: string) => allowed(z.string().min(1), `the path of ${what}`);

const otlp = z.strictObject({
  host: text('0.0.0.0').describe('Address that the Collector sends to; "::": every one, IPv4 and IPv6'),
  port: port(4317).describe('Port for OTLP over gRPC'),
  maxMessageBytes: bytes(67_108_864).describe('Bound of one export after decompression'),
  maxPendingBytes: bytes(33_554_432).describe(
    'Bound of all exports that arrive or wait for their commit; beyond it they are refused, and the Collector sends them again',
  ),
  maxConnections: allowed(z.int().min(1).max(10_000), 'a whole number from 1 to 10000')
    .default(64)
    .describe('For one more, the connection that was idle for longest is closed'),
  token: allowed(z.string().regex(/^[^\s<>]+$/), 'the token itself: no spaces, no placeholder such as <token>')
    .meta({ secret: true })
    .optional()
    .describe('With token or tokenFile, exports need one of them as authorization: Bearer …'),
  tokenFile: path('a file with one token a line').optional().describe('Tokens, one a line; read again when it changes'),
  tls: z
    .strictObject({
      certFile: path('a PEM file with the certificate and its intermediates').describe('Certificate of the bridge'),
      keyFile: path('a PEM file with the key of the certificate').describe('Its key'),
      clientCaFile: path('a PEM file with the authority of client certificates')
        .optional()
        .describe('Only clients with a certificate of this authority may connect'),
    })
    .optional()
    .describe('TLS of this port; its files are read again when they change'),
});

const ADDRESS = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i;

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = ADDRESS.exec(text) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return bits > 0 && Number(prefix ?? 0) <= bits;
}

const NETWORK = 'an IP address or network, such as 10.0.0.7 or 10.0.0.0/8';
const network = allowed(z.string().refine(isNetwork, `allowed: ${NETWORK}`), NETWORK);

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
    host: text('127.0.0.1').describe('Address of page, API, health and metrics; "::": every one, IPv4 and IPv6'),
    port: port(8080).describe('Port of page, API, health and metrics'),
    publicUrl: publicUrl
      .optional()
      .describe(
        'Address of the page as people outside reach it, for links to it in explain, in Events and at vendors; without it links are left out',
      ),
    auth: z
      .enum(['none', 'token', 'proxy-header'])
      .default('none')
      .describe('Who may see page and API. /livez, /readyz, /metrics and /version stay open for probes and scrapers'),
    token: allowed(z.string().regex(/^[\x21-\x7e]{16,}$/), 'at least 16 characters without spaces')
      .meta({ secret: true })
      .optional()
      .describe(
        'For auth: token, what is typed into the login form or sent as a Bearer token. Without it and without tokenFile the bridge makes one, keeps it beside its store, and lifecycle-bridge page-token prints it',
      ),
    tokenFile: allowed(z.string().min(1), 'the path of a file that holds the token')
      .optional()
      .describe('The same from a file; read again when it changes'),
    proxyHeader: allowed(z.string().regex(/^[A-Za-z0-9-]+$/), 'the name of a header')
      .default('X-Forwarded-User')
      .describe('For auth: proxy-header, the header in which the proxy names who logged in there'),
    trustedProxies: z
      .array(network)
      .default([])
      .describe('For auth: proxy-header, addresses or networks of the proxies: from others the header does not count'),
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
  path: text('/var/lib/lifecycle-bridge/bridge.db').describe(
    'The database file, on a disk: never NFS or another network',
  ),
  retention: z
    .strictObject({
      age: duration('1m')
        .prefault('30d')
        .describe('What is over and deleted in the cluster is removed when it is older'),
      maxBytes: allowed(z.int().min(1_048_576), 'a whole number of bytes from 1048576')
        .default(1_073_741_824)
        .describe(
          'Beyond this the oldest of it is removed at once. Of the database file; the write-ahead log beside it takes at most 64 MiB more',
        ),
    })
    .prefault({}),
});

/** Tails of the logs of containers that ended, for the destinations that take them. */
const logs = z
  .strictObject({
    maxBytes: allowed(z.int().min(1024).max(1_048_576), 'a whole number of bytes from 1024 to 1048576')
      .default(65_536)
      .describe('Most bytes of the log of one container'),
    maxLines: allowed(z.int().min(1).max(10_000), 'a whole number from 1 to 10000')
      .default(1000)
      .describe('Most lines of the log of one container'),
    maxRunBytes: bytes(524_288).describe(
      'Most bytes of all containers of a run: beyond it those that succeeded are left out first, then the oldest',
    ),
    keep: duration('1m').prefault('7d').describe('How long a tail is kept for the page and for sending it'),
    maxStoredBytes: bytes(134_217_728).describe(
      'Most bytes of all tails in the store, compressed; the oldest go first',
    ),
  })
  .refine(({ maxBytes, maxRunBytes }) => maxRunBytes >= maxBytes, {
    error: 'maxRunBytes must be at least maxBytes',
    path: ['maxRunBytes'],
  });

/** The one schema of the configuration: types, defaults, errors and the redacted print derive from it. */
export const configSchema = z
  .strictObject({
    cluster: cluster.prefault({}),
    watch,
    otlp: otlp.prefault({}),
    web: web.prefault({}),
    store: store.prefault({}),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .describe('Least level of the lines of the log'),
        otlpEndpoint: otlpUrl
          .optional()
          .describe('OTLP/gRPC receiver that gets the lines of the log too; standard output has them in any case'),
      })
      .prefault({}),
    tracing: z
      .strictObject({
        otlpEndpoint: otlpUrl
          .optional()
          .describe(
            'OTLP/gRPC receiver of spans of the bridge itself: exports to their commit, requests to destinations, LISTs; without it there are none',
          ),
        sampleRatio: allowed(z.number().min(0).max(1), 'a number from 0 to 1')
          .default(0.01)
          .describe('Share of these spans that is sent; 1: all'),
      })
      .prefault({}),
    firstSight: z
      .strictObject({
        lookback: duration()
          .prefault('15m')
          .describe(
            'What happened longer than this before the first start of a destination (its cut-off) is recorded, not reported. A destination that joins a bridge that runs hears of what is recorded from then on, whatever this is',
          ),
        running: z
          .enum(['announce', 'suppress'])
          .default('announce')
          .describe('The start of a run that began before the cut-off; its end is always reported'),
      })
      .prefault({}),
    logs: logs.prefault({}),
    stuck: z
      .strictObject({
        unschedulable: duration().prefault('5m').describe('A run is stuck when a pod of it is longer without a node'),
        pending: duration()
          .prefault('10m')
          .describe('A run is stuck when a pod of it has a node and starts no container for longer'),
      })
      .prefault({}),
    onUnknown: z
      .enum(['none', 'fail'])
      .default('none')
      .describe(
        'A run that is gone and whose end nothing proves: not reported, or reported as failed. OpenTelemetry has it as unknown',
      ),
    outbox: z
      .strictObject({
        maxAge: duration('1m')
          .prefault('24h')
          .describe('Telemetry that cannot be sent for longer is given up as expired'),
      })
      .prefault({}),
    ...sinkSchemas,
  })
  .superRefine(namespacesAreInScope)
  .superRefine(watchIsPossible);

/** A destination would wait for ever for a namespace that is not watched. */
function namespacesAreInScope(
  { cluster: { scope }, ...sinks }: SinksConfig & { readonly cluster: z.output<typeof cluster> },
  context: z.RefinementCtx,
): void {
  if (scope === 'cluster') return;
  for (const { sink, name, settings } of configured(sinks)) {
    for (const [index, namespace] of (settings.namespaces ?? []).entries()) {
      if (scope.includes(namespace)) continue;
      const message = `allowed: a namespace of cluster.scope (${scope.join(', ')})`;
      context.addIssue({ code: 'custom', path: [sink, name, 'namespaces', index], message });
    }
  }
}

/** The whole configuration with every default filled in. Durations are milliseconds. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
