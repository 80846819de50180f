import type { Instant } from '../lib/clock.ts';
import { iso } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import { reasonText } from '../lib/reasons.ts';
import type { LeftDestination, Refusal } from './read.ts';
import type { Recovery, StoreState } from './store.ts';

/** How long the page mentions a store that was made again. */
const SHOWN_MS = 24 * 3_600_000;

/** What happened to the store and what that means, for the log and the page. */
export function recoveryText({ cause, reason, movedTo, at, cutoff }: Recovery): string {
  const happened = {
    corrupt: `The store was corrupted (${reason}); a new one was made at ${iso(at)}`,
    missing: `The store was missing although it had been in use; a new one was made at ${iso(at)}`,
    restored: `The store was restored from a backup (${reason}) at ${iso(at)}`,
  }[cause];
  const kept = movedTo === undefined ? '' : ` The old file is kept as ${movedTo}.`;
  return `${happened}.${kept} What happened before ${iso(cutoff)} is not announced again; deliveries that waited then are not sent.`;
}

/** What an operator should know of the store. */
export function storeNotes(recovery: Recovery | undefined, state: StoreState | undefined, now: Instant): string[] {
  const recovered = recovery !== undefined && now - recovery.at < SHOWN_MS ? [recoveryText(recovery)] : [];
  return [...recovered, ...(state?.exhausted === true ? [exhaustedText(state)] : [])];
}

/** What an operator should know of destinations whose credentials are refused; `advice`: what to do about one, or nothing. */
export function keyNotes(
  refusals: readonly Refusal[],
  advice: (destination: string, reason: Reason) => string,
): string[] {
  return refusals.map(({ destination, reason, detail, count }) => {
    const waiting = count === 1 ? '1 object there waits' : `${count} objects there wait`;
    return `${destination}: ${reasonText(reason, detail)}. ${waiting} to be made or changed. ${advice(destination, reason)}`.trim();
  });
}

/** What it means that a destination left the configuration. */
export function leftText({ destination, leftAt, waiting }: LeftDestination, maxAgeMs: number): string {
  const left = `${destination} is not in the configuration any more`;
  if (waiting === 0) return `${left}; nothing waits for it.`;
  const deliveries = waiting === 1 ? '1 delivery waits' : `${waiting} deliveries wait`;
  return `${left}: ${deliveries} for it until ${iso(leftAt + maxAgeMs)} and then will not be sent. Put it back under this name if it should be there.`;
}

/** Why the store is larger than it should be. */
export function exhaustedText({ usedBytes, maxBytes }: StoreState): string {
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
  return `The store uses ${mib(usedBytes)}, more than store.retention.maxBytes (${mib(maxBytes)}): all that is left lives in the cluster or waits to be sent.`;
}
