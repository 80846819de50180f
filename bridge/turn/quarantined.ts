import type { ObjectFacts } from '../kubernetes/object-facts.ts';
import type { Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import type { Quarantined } from '../store/quarantine.ts';

/** More of a bad request or record helps nobody. */
export const KEPT_BYTES = 64 * 1024;

/** The quarantine row of an observation that the core could not process: one per UID. */
export function poisoned({ facts }: Observation<ObjectFacts>, error: unknown, at: Instant): Quarantined {
  const bytes = Buffer.from(JSON.stringify(facts)).subarray(0, KEPT_BYTES);
  const { uid: subject, resourceVersion: version } = facts;
  return { subject, reason: 'core_error', version, error: errorText(error), bytes, at };
}

/** The quarantine row of an object from which the core could not conclude what follows without a new record. */
export function unprocessed(uid: string, error: unknown, at: Instant): Quarantined {
  return {
    subject: uid,
    reason: 'core_error',
    version: undefined,
    error: errorText(error),
    bytes: new Uint8Array(),
    at,
  };
}
