import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';

/** A minute, and what a request may come late, or a clock differ. */
const WINDOW_MS = 62_000;
/**
 * Of what Sentry takes in a minute, 50 and 6 of each environment of a monitor, the first check-ins after a start are kept
 * free: the process before may have sent the rest just now, which nobody knows any more.
 */
const AFTER_START = 10;
const BASE = 50 - AFTER_START;
const PER_ENVIRONMENT = 6;

interface Project {
  /** When each environment of a monitor was first heard of. */
  readonly environments: Map<string, Instant>;
  /** When the last check-ins were sent, oldest first. */
  sent: Instant[];
}

/** Ms until one more may be sent, and what of it has to wait: this monitor in this environment, or the whole project. */
export interface Paced {
  readonly ms: number;
  readonly of: 'environment' | 'project';
}

/**
 * Keeps the check-ins of a project below what Sentry takes in a minute: 50, and 6 for each environment of a monitor. It
 * counts those that it sent itself a minute ago or before: so a first install begins with 10, goes on with 40 and then
 * hundreds, and a thousand monitors are heard in four minutes. What each monitor may have is a limit of its intents, which
 * leaves one of six for the first minute after a start.
 */
export class CheckInPace {
  readonly #startedAt: Instant;
  readonly #projects = new Map<string, Project>();

  constructor(startedAt: Instant) {
    this.#startedAt = startedAt;
  }

  /** Undefined: this item may be sent to the project now. */
  wait(project: string, item: Item, now: Instant): Paced | undefined {
    const known = this.#of(project);
    known.sent = known.sent.filter((at) => at > now - WINDOW_MS && at <= now);
    const startMs = this.#startMs(now);
    if (startMs > 0) {
      if (known.environments.has(nameOf(item))) return { ms: startMs, of: 'environment' };
      return known.sent.length < AFTER_START ? undefined : { ms: startMs, of: 'project' };
    }
    const settled = [...known.environments.values()].filter((at) => at <= now - WINDOW_MS).length;
    const over = known.sent.length - (BASE + PER_ENVIRONMENT * settled);
    return over < 0 ? undefined : { ms: known.sent[over]! + WINDOW_MS - now, of: 'project' };
  }

  /** This item of a check-in is about to be sent. */
  sent(project: string, item: Item, now: Instant): void {
    const known = this.#of(project);
    known.sent.push(now);
    const name = nameOf(item);
    if (!known.environments.has(name)) known.environments.set(name, now);
  }

  /** How long what was sent before the start still counts; nothing after a clock that was set back. */
  #startMs(now: Instant): number {
    return now < this.#startedAt ? 0 : this.#startedAt + WINDOW_MS - now;
  }

  #of(project: string): Project {
    let known = this.#projects.get(project);
    if (known === undefined) this.#projects.set(project, (known = { environments: new Map(), sent: [] }));
    return known;
  }
}

type Item = Readonly<Record<string, Json>>;

function nameOf({ monitor_slug: slug, environment }: Item): string {
  return JSON.stringify([slug, environment]);
}
