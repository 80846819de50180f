import { z } from 'zod';

declare module 'zod' {
  /** What `.meta({…})` of a schema node may say beside its type. */
  interface GlobalMeta {
    /** Never printed, logged or put into an error. */
    readonly secret?: boolean;
    /** Milliseconds inside, a text such as 15m outside. */
    readonly duration?: boolean;
    /** What the error says is allowed here. */
    readonly allowed?: string;
  }
}

/** What was marked on this node, or nothing. */
export function markOf(schema: z.core.$ZodType): z.GlobalMeta {
  return z.globalRegistry.get(schema) ?? {};
}
