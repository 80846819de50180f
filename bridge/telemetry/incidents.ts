import type { Logger } from './logger.ts';

/** A trouble that goes on is reported again this often. */
const REPEAT_MS = 10 * 60_000;
/** One that comes and goes is reported at most this often. */
const FLAP_MS = 60_000;

interface Incident {
  since: number | undefined;
  /** Whether the log says that it began. */
  reported: boolean;
  reportedAt: number;
  /** Since it was last reported. */
  times: number;
}

/**
 * What goes wrong many times is one line when it begins and one when it is over: a vendor that is away, a full disk.
 * `now` is any steady count of milliseconds.
 */
export class Incidents {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #repeatMs: number;
  readonly #incidents = new Map<string, Incident>();

  constructor(logger: Logger, now: () => number = () => performance.now(), repeatMs = REPEAT_MS) {
    this.#logger = logger;
    this.#now = now;
    this.#repeatMs = repeatMs;
  }

  /** It went wrong (again). `key` comes from a closed set: each is kept. */
  seen(key: string, fields: object, message: string, level: 'warn' | 'error' = 'warn'): void {
    const now = this.#now();
    const incident = this.#incident(key);
    incident.since ??= now;
    incident.times++;
    if (now - incident.reportedAt < (incident.reported ? this.#repeatMs : FLAP_MS)) return;
    this.#logger[level]({ ...fields, ...(incident.times > 1 && { times: incident.times }) }, message);
    incident.reported = true;
    incident.reportedAt = now;
    incident.times = 0;
  }

  /** It works (again): reported if the trouble was, with how long it went on unless `fields` say that. */
  over(key: string, fields: object, message: string): void {
    const incident = this.#incidents.get(key);
    if (incident?.since === undefined) return;
    const seconds = Math.round((this.#now() - incident.since) / 1000);
    if (incident.reported) this.#logger.info({ seconds, ...fields }, message);
    incident.since = undefined;
    incident.reported = false;
  }

  #incident(key: string): Incident {
    let incident = this.#incidents.get(key);
    if (incident === undefined) {
      incident = { since: undefined, reported: false, reportedAt: -Infinity, times: 0 };
      this.#incidents.set(key, incident);
    }
    return incident;
  }
}
