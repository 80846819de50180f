import { z } from 'zod';

/** The annotation that a pod is to have, as it is kept until it was written. */
export const wantedSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  annotation: z.string(),
  value: z.string(),
  /** Also while the pod is being deleted or has ended. */
  evenOver: z.boolean(),
});

export type Wanted = z.infer<typeof wantedSchema>;

/** True where a pod's phase is its last. */
export function isLastPhase(phase: unknown): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
