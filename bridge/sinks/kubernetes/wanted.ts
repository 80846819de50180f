import { z } from 'zod';

/** The annotation that a pod is to have, as it is kept until it was written. */
export const wantedSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  annotation: z.string(),
  /** Without one nothing is written, as long as the pod is so. */
  value: z.string().optional(),
  /** Why there is none: the pod was over when it was first seen so; else its start is waited for. */
  isOver: z.literal(true).optional(),
  /** Also while the pod is being deleted or has ended. */
  evenOver: z.boolean(),
});

export type Wanted = z.infer<typeof wantedSchema>;
/** What can be written. */
export type Stamp = Wanted & { readonly value: string };

export function isStamp(wanted: Wanted): wanted is Stamp {
  return wanted.value !== undefined;
}
