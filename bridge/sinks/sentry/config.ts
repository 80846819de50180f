import { z } from 'zod';
import type { DeepReadonly } from '../../lib/deep-readonly.ts';
import { duration } from '../../lib/duration.ts';
import { placedFields } from '../selection.ts';
import { cronsSchema } from './config-crons.ts';
import { issuesSchema } from './config-issues.ts';
import { parseDsn } from './dsn.ts';
import { ENVIRONMENT, ENVIRONMENT_FORM } from './monitor-limits.ts';

const DSN_FORM = 'must be a DSN: https://PUBLIC_KEY@HOST/PROJECT_ID';
const dsn = z
  .string()
  .trim()
  .refine((text) => parseDsn(text) !== undefined, DSN_FORM)
  .meta({ secret: true });

const environment = z.string().regex(ENVIRONMENT, `allowed: ${ENVIRONMENT_FORM}`);

const host = z
  .string()
  .regex(
    /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?$/,
    'allowed: a host such as sentry.example.com, or *.example.com',
  );

const api = z
  .strictObject({
    tokenFile: z
      .string()
      .min(1)
      .describe('File with an auth token of the organisation: org:read, project:read, project:write, project:releases'),
    url: z
      .url({ protocol: /^https?$/ })
      .default('https://sentry.io')
      .describe('Base URL of the API, without /api/0'),
    organization: z
      .string()
      .min(1)
      .optional()
      .describe('Slug of the organisation; without it the one in the host of the DSN (oNUMBER.ingest…)'),
  })
  .describe('With an auth token monitors are kept as the CronJobs are, and what Sentry drops after its 200 is shown');

const customDsns = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether the annotation k8s.sentry.io/dsn of an object, an owner or the namespace counts'),
    hosts: z
      .array(host)
      .default([])
      .describe(
        'Hosts that such a DSN may name; empty: sentry.io, *.sentry.io and the hosts of the DSNs of this destination',
      ),
  })
  .prefault({});

const storm = z
  .strictObject({
    events: z.int().min(1).max(10_000).default(300).describe('Most events of one DSN in a window'),
    eventsOfOneIssue: z.int().min(1).max(10_000).default(100).describe('Most of these that are alike'),
    window: duration()
      .refine((ms) => ms >= 10_000 && ms <= 3_600_000, 'allowed: a duration from 10s to 1h')
      .meta({ duration: true, allowed: 'a duration from 10s to 1h' })
      .prefault('5m')
      .describe('How long a window is; what it leaves out becomes one event that says what happened'),
  })
  .prefault({});

const route = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'allowed: lower-case letters, digits and dashes')
    .describe('How the route is called in limits and receipts'),
  dsnFile: z.string().min(1).describe('File with its DSN'),
  ...placedFields,
});

/** One Sentry project, and those that its routes name. */
export const sentrySchema = z
  .strictObject({
    dsn: dsn.optional().describe('DSN of the project'),
    dsnFile: z.string().min(1).optional().describe('File that holds the DSN; read again when Sentry refuses it'),
    environment: environment.default('production').describe('Environment of everything that is sent'),
    release: z
      .string()
      .regex(
        /^[^\n\r\t/\\]{1,200}$/,
        'allowed: auto, none, or at most 200 characters without slashes, tabs and line breaks',
      )
      .default('auto')
      .describe(
        'Release of events and check-ins: auto (standard labels, else the tag of the image), none, or this text',
      ),
    tags: z.record(z.string().min(1).max(32), z.string()).default({}).describe('Tags of every event'),
    ...placedFields,
    routes: z
      .array(route)
      .default([])
      .describe('More DSNs: the first route whose namespaces and labels match an object has what happens to it'),
    customDsns,
    crons: cronsSchema.prefault({}),
    issues: issuesSchema.prefault({}),
    storm,
    logs: z
      .enum(['none', 'normal', 'all'])
      .default('none')
      .describe('Which Kubernetes Events are sent as Sentry logs: none, those of type Normal, or all'),
    shipLogs: z.boolean().default(true).describe('Attach the tails of container logs to issues'),
    deploys: z.boolean().default(false).describe('Report each rollout as a deploy of its release; needs api'),
    api: api.optional(),
    gke: z
      .boolean()
      .default(false)
      .describe('Whether issues have the name of the GKE cluster and links into the console of Google Cloud'),
    dryRun: z.boolean().default(false).describe('Do everything except the requests'),
  })
  .refine((config) => (config.dsn === undefined) !== (config.dsnFile === undefined), {
    error: 'needs exactly one of dsn and dsnFile',
    path: ['dsn'],
  })
  .refine(({ routes }) => new Set(routes.map(({ name }) => name)).size === routes.length, {
    error: 'each route needs a name of its own',
    path: ['routes'],
  })
  .refine(({ deploys, api: given }) => !deploys || given !== undefined, {
    error: 'true needs api.tokenFile: a deploy is reported by the API',
    path: ['deploys'],
  });

export type SentryConfig = DeepReadonly<z.infer<typeof sentrySchema>>;

/** What planning needs: no secret, no file. */
export type SentryPlanConfig = Omit<SentryConfig, 'dsn' | 'dsnFile' | 'api' | 'gke' | 'routes' | 'dryRun'> & {
  readonly routes: readonly Omit<SentryConfig['routes'][number], 'dsnFile'>[];
  /** Whether there is a token of the API. */
  readonly hasApi: boolean;
  /** Of the store: distinguishes clusters in keys. */
  readonly clusterId: string;
  /** As people call it. */
  readonly clusterName: string;
  readonly pageUrl: string | undefined;
};
