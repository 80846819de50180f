import { z } from 'zod';
import type { Json } from '../../lib/json.ts';

const standingSchema = z.object({
  owner: z.string(),
  repo: z.string(),
  environment: z.string(),
  /** As the payload of its Deployments names it. */
  workload: z.string(),
  /** `rolled_out`: as its rollouts left it; `inactive`: it is deleted, so none of its Deployments stands. */
  state: z.enum(['rolled_out', 'inactive']),
});

/** What the Deployments of a workload should be beside what its rollouts report: what such a desired row wants. */
export type Standing = Readonly<z.infer<typeof standingSchema>>;

/** Undefined for a row of another kind, or that a later bridge wrote. */
export function readStanding(wanted: Json): Standing | undefined {
  return standingSchema.safeParse(wanted).data;
}

/** The key of its row; that of a record has no such start. */
export function standingKey({ workload }: Pick<Standing, 'workload'>): string {
  return `deployments:${workload}`;
}
