import { z } from 'zod';
import { checkInSchema } from './check-in.ts';

/**
 * Where an item goes: the DSN of the destination, one of its `routes` by name, or one that an annotation named (without the
 * old secret half). It is payload, and the key of the limits that everything for the same DSN shares.
 */
export const targetSchema = z.union([
  z.strictObject({ route: z.string() }),
  z.strictObject({ dsn: z.string() }),
  z.strictObject({}),
]);
export type Target = z.infer<typeof targetSchema>;

const item = z.record(z.string(), z.json());

/** Which log tails of the story are attached: those of one container's end, of one pod, or of the whole run. */
const tailsSchema = z.strictObject({
  podUid: z.string().exactOptional(),
  container: z.string().exactOptional(),
  instance: z.number().exactOptional(),
});
export type Tails = z.infer<typeof tailsSchema>;

const shared = { target: targetSchema };

/**
 * What an intent holds. `item` is the payload of the envelope's item as the vendor documents it, ready but for what is
 * only known when it is sent: `sent_at`, lengths, attachments.
 */
export const payloadSchema = z.discriminatedUnion('kind', [
  /**
   * `item.event_id` is 32 hex digits and deterministic. `tails`: log tails to attach, which come by the `story` of the intent.
   * `discarded`: how many events it stands for that are not sent, which is reported to Sentry as well.
   */
  z.strictObject({
    kind: z.literal('event'),
    ...shared,
    item,
    tails: tailsSchema.optional(),
    discarded: z.number().optional(),
  }),
  /** The item is made when it is sent: `checkInItem`. */
  z.strictObject({ kind: z.literal('check_in'), ...shared, checkIn: checkInSchema }),
  /** A deploy of a release, by the API: needs the token. */
  z.strictObject({ kind: z.literal('deploy'), ...shared, release: z.string(), item }),
]);

export type SentryPayload = z.infer<typeof payloadSchema>;
/** The rate-limit category that an item counts in, by the vendor's names. */
export function categoryOf({ kind }: { readonly kind: 'event' | 'check_in' }): 'error' | 'monitor' {
  return kind === 'event' ? 'error' : 'monitor';
}
