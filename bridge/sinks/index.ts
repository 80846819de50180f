import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import type { DeepReadonly } from '../lib/deep-readonly.ts';
import { cronitorSchema } from './cronitor/config.ts';
import { createCronitorDeliverer } from './cronitor/deliver.ts';
import { createCronitorPlanner } from './cronitor/plan.ts';
import type { Http } from './http.ts';
import type { Deliverer, Planner } from './sink.ts';

const destinationName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a destination name has lower-case letters, digits and dashes');

/** The configuration of every sink: destinations by name. A destination's id is `<sink>/<name>`. */
export const sinkSchemas = {
  cronitor: z.record(destinationName, cronitorSchema).prefault({}).describe('Cronitor accounts by name'),
};

/** Part of the configuration: one key per sink. */
export type SinksConfig = DeepReadonly<{ [K in keyof typeof sinkSchemas]: z.infer<(typeof sinkSchemas)[K]> }>;

/**
 * The pure halves of all configured destinations. They read no secret. `clusterId` tells clusters apart in keys; `pageUrl`
 * is where people reach the page, without it links are left out.
 */
export function createPlanners(
  config: SinksConfig,
  clusterId: string,
  clusterName: string,
  pageUrl?: string,
): Planner[] {
  const cronitor = Object.entries(config.cronitor);
  return cronitor.map(([name, account]) =>
    createCronitorPlanner(name, { ...withoutKey(account), clusterId, clusterName, pageUrl, accounts: cronitor.length }),
  );
}

/** What a planner has it can put into an error. */
function withoutKey(account: SinksConfig['cronitor'][string]): SinksConfig['cronitor'][string] {
  const { ...rest } = account;
  delete rest.apiKey;
  return rest;
}

/** The destinations that do everything except the requests. */
export function dryRuns(config: SinksConfig): string[] {
  return Object.entries(config.cronitor).flatMap(([name, { dryRun }]) => (dryRun ? [`cronitor/${name}`] : []));
}

/** The halves that talk to vendors. Throws a UserError when a key file cannot be read. */
export function createDeliverers(config: SinksConfig, http: Http, clock: Clock): Deliverer[] {
  return Object.entries(config.cronitor).map(([name, account]) => createCronitorDeliverer(name, account, http, clock));
}
