import { z } from 'zod';
import type { Json } from '../../lib/json.ts';

const state = z.enum(['in_progress', 'success', 'failure', 'inactive']);

/** A GitHub Deployment and the status that it gets: what an intent holds. */
const intentSchema = z.object({
  owner: z.string(),
  repo: z.string(),
  ref: z.string(),
  environment: z.string(),
  description: z.string(),
  /** Which rollout it is: the Deployment of it is found by that. */
  run: z.string(),
  /** Which workload: an earlier Deployment of it is closed when this one succeeds. */
  workload: z.string(),
  status: z.object({
    state,
    description: z.string(),
    log_url: z.string().optional(),
    environment_url: z.string().optional(),
  }),
});

export type DeploymentState = z.infer<typeof state>;
export type DeploymentIntent = Readonly<z.infer<typeof intentSchema>>;

/** What an intent wants; undefined for a payload that cannot be read. */
export function readDeploymentIntent(payload: Json): DeploymentIntent | undefined {
  return intentSchema.safeParse(payload).data;
}
