import type { Instant } from '../lib/clock.ts';

/** Records of one moment arrive in any order, and the lists of a start one after the other: all are there after this. */
const SETTLE_MS = 60_000;

/**
 * Up to when the records are known to be complete: what is missing up to then did not happen. Silence proves nothing
 * (the Collector or the control plane may be down), only records of a later time do. After a start nothing is known.
 */
export class StreamProgress {
  #newest = 0;
  #first: Instant = Infinity;
  #settling: { readonly until: Instant; since: Instant } | undefined;
  #complete = 0;

  /** A record was observed then; a clock that is ahead of ours proves no more than now. */
  seen(observedAt: Instant, now: Instant): void {
    this.#first = Math.min(this.#first, now);
    this.#newest = Math.max(this.#newest, Math.min(observedAt, now));
  }

  /** Records carry the time of others: only our own moments move. */
  clockSet(ms: number): void {
    this.#first += ms;
    if (this.#settling !== undefined) this.#settling.since += ms;
  }

  /** Whether this process has got records for this many ms. */
  hasRecordsFor(ms: number, now: Instant): boolean {
    return now - this.#first >= ms;
  }

  /** When time alone changes what the other two say; Infinity when only a record can, or nothing more. */
  nextAt(ms: number, now: Instant): Instant {
    const settled = this.#settling === undefined ? Infinity : this.#settling.since + SETTLE_MS;
    return this.hasRecordsFor(ms, now) ? settled : Math.min(settled, this.#first + ms);
  }

  completeUntil(now: Instant): Instant {
    if (this.#settling !== undefined && now - this.#settling.since >= SETTLE_MS) {
      this.#complete = this.#settling.until;
      this.#settling = undefined;
    }
    if (this.#settling === undefined && this.#newest > this.#complete) {
      this.#settling = { until: this.#newest, since: now };
    }
    return this.#complete;
  }
}
