import type { Instant } from '../lib/clock.ts';

/** Records of one moment arrive in any order, and the lists of a start one after the other: all are there after this. */
const SETTLE_MS = 60_000;
/** One that cannot get rid of its queue tries again more often: who has sent nothing for so long is away, or has nothing. */
const SILENT_MS = 2 * 60_000;

/**
 * Up to when the records are known to be complete: what is missing up to then did not happen. Silence proves nothing
 * (the Collector or the control plane may be down), only records of a later time do. After a start nothing is known.
 */
export class StreamProgress {
  #first: Instant = Infinity;
  #lastExport: Instant = -Infinity;
  readonly #all = new Track();
  readonly #stream = new Track();

  /** A record was observed then, in an export of the Collector or by the bridge itself. */
  seen(observedAt: Instant, now: Instant, isExport = false): void {
    this.#first = Math.min(this.#first, now);
    this.#all.seen(observedAt, now);
    if (!isExport) return;
    this.#lastExport = now;
    this.#stream.seen(observedAt, now);
  }

  /** Records carry the time of others: only our own moments move. */
  clockSet(ms: number): void {
    this.#first += ms;
    this.#lastExport += ms;
    this.#all.clockSet(ms);
    this.#stream.clockSet(ms);
  }

  /** Whether this process has got records for this many ms. */
  hasRecordsFor(ms: number, now: Instant): boolean {
    return now - this.#first >= ms;
  }

  /** When time alone changes what the others say; Infinity when only a record can, or nothing more. */
  nextAt(ms: number, now: Instant): Instant {
    const settled = Math.min(this.#all.settledAt, this.#stream.settledAt);
    const silent = this.#isSilent(now) ? Infinity : this.#lastExport + SILENT_MS;
    return Math.min(settled, silent, this.hasRecordsFor(ms, now) ? Infinity : this.#first + ms);
  }

  /** As far as CronJobs: what the API shows of them proves what they did, however late the records of the Collector are. */
  completeUntil(now: Instant): Instant {
    return this.#all.completeUntil(now);
  }

  /**
   * As far as everything: while the Collector sends what it had queued, a list of CronJobs proves nothing about a pod that
   * is seen in a record of long ago.
   */
  caughtUpUntil(now: Instant): Instant {
    return (this.#isSilent(now) ? this.#all : this.#stream).completeUntil(now);
  }

  #isSilent(now: Instant): boolean {
    return now - this.#lastExport >= SILENT_MS;
  }
}

/** How far one source has come. */
class Track {
  #newest = 0;
  #settling: { readonly until: Instant; since: Instant } | undefined;
  #complete = 0;

  /** A clock that is ahead of ours proves no more than now. */
  seen(observedAt: Instant, now: Instant): void {
    this.#newest = Math.max(this.#newest, Math.min(observedAt, now));
  }

  clockSet(ms: number): void {
    if (this.#settling !== undefined) this.#settling.since += ms;
  }

  get settledAt(): Instant {
    return this.#settling === undefined ? Infinity : this.#settling.since + SETTLE_MS;
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
