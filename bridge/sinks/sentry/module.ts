import type { SinkModule } from '../module.ts';
import type { SentryConfig } from './config.ts';
import { sentrySchema } from './config.ts';
import { createSentryPlanner, READS } from './plan.ts';

const WRONG_DSN =
  'Sentry refuses the DSN: take the one under Project Settings, Client Keys, put it into the file or Secret of this destination, and it is taken at once.';

/** Sentry: issues from failures and Warning Events, check-ins of CronJobs. */
export const sentry = {
  title: 'Sentry projects',
  schema: sentrySchema,
  setFirst: 'dsnFile',
  reads: READS,
  planner(name, config, { clusterId, clusterName, pageUrl }) {
    const { dsn: _dsn, dsnFile: _file, api, gke: _gke, dryRun: _dryRun, routes, ...settings } = config;
    const plain = routes.map(({ dsnFile: _routeFile, ...route }) => route);
    const rules = { ...settings, routes: plain, hasApi: api !== undefined, clusterId, clusterName, pageUrl };
    return createSentryPlanner(name, rules);
  },
  async deliverer(name, config, { http, clock }) {
    const { createSentryDeliverer } = await import('./deliver.ts');
    return createSentryDeliverer(name, config, http, clock);
  },
  hosts: ({ dsn, api }) => {
    const host = dsn === undefined ? {} : { dsn: new URL(dsn).origin };
    return { ...host, ...(api !== undefined && { 'api.url': api.url }) };
  },
  advice: { unauthorized: WRONG_DSN, forbidden: WRONG_DSN },
  doc: 'docs/sentry.md',
} as const satisfies SinkModule<SentryConfig>;
