import { z } from 'zod';

/** Issues from failures, and from Warning Events. */
export const issuesSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether failures and Warning Events are issues'),
  fingerprints: z
    .enum(['stable', 'compatible'])
    .default('stable')
    .describe('How events are grouped: stable; or as sentry-kubernetes did, so that its issues continue'),
});
