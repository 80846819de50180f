import type { SinkModule } from '../module.ts';
import type { CronitorConfig } from './config.ts';
import { cronitorSchema } from './config.ts';
import { createCronitorPlanner, READS } from './plan.ts';

const WRONG_KEY =
  'A key that may configure monitors is needed (an SDK key, not one that may only send telemetry): put it into the file or Secret of this account, and it is taken at once.';

/** Cronitor: a monitor for each CronJob, telemetry and logs of each of its runs. */
export const cronitor = {
  title: 'Cronitor accounts',
  schema: cronitorSchema,
  setFirst: 'apiKeyFile',
  reads: READS,
  planner(name, config, { siblings, ...world }) {
    const { ...settings } = config;
    delete settings.apiKey;
    return createCronitorPlanner(name, { ...settings, ...world, accounts: siblings });
  },
  async deliverer(name, config, { http, clock }) {
    const { createCronitorDeliverer } = await import('./deliver.ts');
    return createCronitorDeliverer(name, config, http, clock);
  },
  hosts: ({ apiUrl, pingUrl }) => ({ apiUrl, pingUrl }),
  advice: { unauthorized: WRONG_KEY, forbidden: WRONG_KEY, limited_key: WRONG_KEY },
  doc: 'docs/cronitor.md',
} as const satisfies SinkModule<CronitorConfig>;
