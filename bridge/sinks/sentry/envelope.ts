import { createEnvelope, serializeEnvelope } from '@sentry/core';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { VERSION } from '../../lib/version.ts';

export const SDK = { name: 'lifecycle-bridge', version: VERSION };
export const CLIENT = `${SDK.name}/${SDK.version}`;

/** One item of an envelope: its header without the length, and its payload. */
export interface Item {
  readonly header: { readonly type: 'event' | 'check_in' | 'log' | 'attachment' | 'client_report' } & {
    readonly [key: string]: Json;
  };
  readonly payload: Json | Uint8Array;
}

/** Its payload as it stands in the envelope. Sentry does not take half a character, as a cut leaves it, for JSON. */
function itemBytes({ payload }: Item): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  const wellFormed = (_key: string, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value);
  return Buffer.from(JSON.stringify(payload, wellFormed));
}

/**
 * An envelope as bytes, each item with its length. `sent_at` is the time of this try: Sentry corrects the times of what it
 * gets by the difference to its own clock.
 */
export function envelopeBytes(items: readonly Item[], now: Instant, eventId?: string): Uint8Array {
  const header = {
    ...(eventId !== undefined && { event_id: eventId }),
    sent_at: new Date(now).toISOString(),
    sdk: SDK,
  };
  const withLengths = items.map((item) => {
    const bytes = itemBytes(item);
    return [{ ...item.header, length: bytes.length }, bytes];
  });
  const envelope = createEnvelope(header as never, withLengths as never);
  const bytes = serializeEnvelope(envelope);
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}

/** Counts of what is not sent, by Sentry's own words for the reason and the category. */
export interface Discarded {
  readonly reason: 'ratelimit_backoff' | 'queue_overflow' | 'send_error';
  readonly category: 'error' | 'attachment';
  readonly quantity: number;
}

/** The item that reports to Sentry what was left out, for its statistics. */
export function clientReport(discarded: readonly Discarded[], now: Instant): Item {
  return {
    header: { type: 'client_report' },
    payload: { timestamp: now / 1000, discarded_events: discarded.map((one) => ({ ...one })) },
  };
}
