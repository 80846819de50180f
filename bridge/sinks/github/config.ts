import { z } from 'zod';
import type { DeepReadonly } from '../../lib/deep-readonly.ts';
import { placedFields } from '../selection.ts';
import { CLUSTER, MAX_ENVIRONMENT, ORGANISATION, REPOSITORY } from './api-limits.ts';
import { baseUrl } from './base-url.ts';
import { pemOf } from './pem.ts';
import { DEFAULT_TEMPLATE, isTemplate } from './template.ts';

const URL_TEXT =
  'a base URL such as https://api.github.com or https://api.NAME.ghe.com; http only to localhost and *.svc.cluster.local';
const TOKEN = /^[^\s<>]+$/;
const environment = z.string().trim().max(MAX_ENVIRONMENT);
const positive = z.int().min(1);
const org = z.string().regex(ORGANISATION, 'must be the name of an organisation: letters, digits, - and _');

const app = z
  .strictObject({
    id: positive.describe('ID of the App'),
    installationId: positive.describe('ID of its installation in the organisation'),
  })
  .describe('With it the bridge acts as a GitHub App: the credential is its private key');

const environments = {
  org: org.optional().describe('Another organisation'),
  logicalEnvironment: environment.min(1).optional().describe('Another logical environment'),
  physicalEnvironment: environment.optional().describe('Another physical environment'),
};

const route = z
  .strictObject({ ...placedFields, ...environments })
  .refine((config) => Object.keys(environments).some((key) => key in config), {
    error: 'needs at least one of org, logicalEnvironment and physicalEnvironment',
  });

const ANY_OR_REPOSITORY = new RegExp(`^[*]$|${REPOSITORY.source}`);

const deployments = z
  .strictObject({
    repositories: z
      .array(z.string().regex(ANY_OR_REPOSITORY, 'must be the name of a repository, without owner, or "*"'))
      .default([])
      .describe('Repositories that get Deployments; "*": every one that a workload names; empty: none'),
    environment: environment
      .min(1)
      .optional()
      .describe('Environment of the Deployments; without it the logical environment'),
    environmentUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where people find what is deployed; an annotation says it per workload'),
  })
  .prefault({})
  .describe('GitHub Deployments: a rollout of a workload becomes a Deployment with its statuses');

/** One organisation, as one set of credentials reaches it. */
export const githubSchema = z
  .strictObject({
    org: org.describe('Organisation that gets the records'),
    credential: z
      .string()
      .min(1)
      .meta({ secret: true })
      .optional()
      .describe(
        'Token with the repository permission artifact metadata: write; with app, the private key of the App, PEM or base64 of it',
      ),
    credentialFile: z
      .string()
      .min(1)
      .optional()
      .describe('File that holds the credential; read again when GitHub refuses it'),
    app: app.optional(),
    apiUrl: z
      .string()
      .refine((text) => baseUrl(text) !== undefined, `allowed: ${URL_TEXT}`)
      .transform((text) => baseUrl(text) ?? text)
      .meta({ allowed: URL_TEXT })
      .prefault('https://api.github.com')
      .describe('Base URL of the API'),
    cluster: z
      .string()
      .regex(CLUSTER, 'allowed: 1 to 128 letters, digits, . _ and -')
      .describe('Name of the cluster in the records'),
    logicalEnvironment: environment.min(1).describe('Logical environment of the records, such as production'),
    physicalEnvironment: environment.default('').describe('Physical environment of the records, such as eu-central-1'),
    template: z
      .string()
      .refine(isTemplate, 'needs at least one of {{namespace}}, {{deploymentName}} and {{containerName}}')
      .default(DEFAULT_TEMPLATE)
      .describe('How the deployment name of a container is made'),
    ...placedFields,
    excludeContainers: z
      .array(z.string().min(1))
      .default([])
      .describe('Names of containers that are not recorded, such as injected sidecars'),
    routes: z
      .array(route)
      .default([])
      .describe('Workloads that belong to another organisation or environment: the first that matches counts'),
    scaledToZero: z
      .enum(['decommission', 'keep'])
      .default('decommission')
      .describe('What becomes of the records of a workload that wants no pods'),
    bulkSync: z
      .boolean()
      .default(true)
      .describe('Send many records at once (the first start, a catch-up) as one job for the cluster'),
    deployments,
    dryRun: z.boolean().default(false).describe('Do everything except the requests'),
  })
  .refine(({ credential, credentialFile }) => (credential === undefined) !== (credentialFile === undefined), {
    error: 'needs exactly one of credential and credentialFile',
    path: ['credential'],
  })
  .refine(
    ({ credential, app }) =>
      credential === undefined || (app ? pemOf(credential) !== undefined : TOKEN.test(credential)),
    {
      error: 'must be the token itself, without spaces and placeholders such as <token>; with app a private key in PEM',
      path: ['credential'],
    },
  )
  .refine(({ app, org, routes }) => app === undefined || routes.every((one) => (one.org ?? org) === org), {
    error: 'an installation of an App belongs to one organisation: make a destination for each',
    path: ['routes'],
  });

export type GithubConfig = DeepReadonly<z.infer<typeof githubSchema>>;

/** What planning needs: no secret. */
export type GithubPlanConfig = Omit<
  GithubConfig,
  'credential' | 'credentialFile' | 'app' | 'apiUrl' | 'bulkSync' | 'dryRun'
> & {
  /** `web.publicUrl`. */
  readonly pageUrl?: string | undefined;
};
