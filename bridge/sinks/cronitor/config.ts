import { z } from 'zod';
import type { DeepReadonly } from '../../lib/deep-readonly.ts';
import { errorText } from '../../lib/errors.ts';
import { isSegment } from '../../lib/url-path.ts';
import { MAX_KEY, MAX_TEXT } from './limits.ts';
import { podFilter } from './pod-filter.ts';
import { duration } from '../../lib/duration.ts';
import { selectionFields } from '../selection.ts';

const url = (what: string) =>
  z.url({
    protocol: /^https?$/,
    error: `must be an http or https URL: the base of ${what}, without a path of the API`,
  });

const secret = z
  .string()
  .regex(/^[^\s<>]+$/, 'must be the key itself: no spaces, no placeholder such as <api key>')
  .meta({ secret: true });

function isPodFilter(source: string, context: z.RefinementCtx): void {
  try {
    podFilter(source);
  } catch (error) {
    const message = `allowed: a regular expression as RE2 has it, such as ^report- (${errorText(error)})`;
    context.addIssue({ code: 'custom', message });
  }
}

const MINUTE_MS = 60_000;

const heartbeat = z
  .strictObject({
    key: z
      .string()
      .trim()
      .min(1)
      .max(MAX_KEY)
      .refine(isSegment, 'allowed: not only dots, without brackets, tabs, line breaks and / \\ ? # % ;')
      .optional()
      .describe('Key of the monitor; without it one of this cluster alone'),
    interval: duration()
      .refine((ms) => ms >= MINUTE_MS && ms <= 1440 * MINUTE_MS, 'allowed: a duration from 1m to 24h')
      .meta({ duration: true, allowed: 'a duration from 1m to 24h' })
      .prefault('5m')
      .describe('How often the bridge says that it works'),
  })
  .describe('A heartbeat monitor of the bridge itself: it is pinged only while the bridge truly works');

/** One Cronitor account. */
export const cronitorSchema = z
  .strictObject({
    apiKey: secret.optional().describe('Key that may configure monitors (an SDK key, not a telemetry key)'),
    apiKeyFile: z.string().min(1).optional().describe('File that holds the key; read again when Cronitor refuses it'),
    apiUrl: url('the monitor API').default('https://cronitor.io').describe('Base URL of the monitor API'),
    pingUrl: url('the telemetry API').default('https://cronitor.link').describe('Base URL of the telemetry API'),
    pingFallbackUrl: url('the telemetry API')
      .optional()
      .describe(
        'Base URL that telemetry goes to while pingUrl does not answer; default https://cronitor.io, none for another pingUrl',
      ),
    ...selectionFields,
    defaultBehavior: z
      .enum(['include', 'exclude'])
      .default('include')
      .describe('include: every CronJob but those with exclude: "true"; exclude: only those with include: "true"'),
    inferredKeys: z
      .enum(['cluster', 'shared'])
      .default('cluster')
      .describe(
        'What key-inference: name makes the key of: cluster and name, or the name alone, as cronitor-kubernetes did: then clusters with the same names share monitors',
      ),
    onDelete: z
      .enum(['keep', 'pause', 'delete'])
      .default('pause')
      .describe(
        'What becomes of the monitor of a CronJob that was deleted or has another key now: it goes on, is paused, or is paused and after deleteAfter deleted with its history. That of one that is no longer selected is paused',
      ),
    deleteAfter: duration().prefault('24h').describe('With onDelete: delete, how long a monitor stays paused before'),
    env: z
      .string()
      .trim()
      .min(1)
      .max(MAX_TEXT)
      .optional()
      .describe('Environment of telemetry where a CronJob has no env annotation'),
    tags: z.array(z.string().min(1)).default([]).describe('Tags that every monitor gets'),
    onCancelled: z
      .enum(['fail', 'complete'])
      .default('fail')
      .describe('How a run is reported that was deleted while it was active'),
    stuck: z
      .enum(['none', 'fail'])
      .default('none')
      .describe(
        'Whether a run is reported as failed as soon as one of its pods is stuck; after that only its success is reported',
      ),
    manualRuns: z
      .enum(['report', 'ignore'])
      .default('report')
      .describe('Whether runs made by hand are reported (kubectl create job --from, "run now" of a tool)'),
    podFilter: z
      .string()
      .superRefine(isPodFilter)
      .optional()
      .describe('Regular expression (RE2): only pods with a matching name give pod starts and stuck runs'),
    heartbeat: heartbeat.optional(),
    shipLogs: z
      .boolean()
      .default(true)
      .describe('Send the tails of container logs when a run is over; what is read of them: logs'),
    dryRun: z.boolean().default(false).describe('Do everything except the requests'),
  })
  .refine((config) => (config.apiKey === undefined) !== (config.apiKeyFile === undefined), {
    error: 'needs exactly one of apiKey and apiKeyFile',
    path: ['apiKey'],
  });

export type CronitorConfig = DeepReadonly<z.infer<typeof cronitorSchema>>;

/** What planning needs: no secret, no address. */
export type CronitorPlanConfig = Omit<
  CronitorConfig,
  'apiKey' | 'apiKeyFile' | 'apiUrl' | 'pingUrl' | 'pingFallbackUrl' | 'dryRun'
> & {
  /** Of the store: the same as long as it or its side file lives. */
  readonly clusterId: string;
  /** How many accounts this bridge has, which share the limit of its address; default 1. */
  readonly accounts?: number;
  /** As people call it. */
  readonly clusterName: string;
  /** `web.publicUrl`. */
  readonly pageUrl?: string | undefined;
};
