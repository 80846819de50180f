import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';

/** A minute, and what a request may come late, or a clock differ. */
const WINDOW_MS = 62_000;
const BASE = 50;
const PER_ENVIRONMENT = 6;

interface Project {
  /** When each environment of a monitor was first heard of. */
  readonly environments: Map<string, Instant>;
  /** When the last check-ins were sent, oldest first. */
  sent: Instant[];
}

/**
 * Keeps the check-ins of a project below what Sentry takes in a minute: 50, and 6 for each environment of a monitor. It
 * counts those that it sent itself a minute ago or before: so a first install begins with 50, goes on with 350, and a
 * thousand monitors are heard in three minutes. What each monitor may have is a limit of its intents.
 */
export class CheckInPace {
  readonly #projects = new Map<string, Project>();

  /** Ms until one more may be sent to this project; 0: now. */
  wait(project: string, now: Instant): number {
    const known = this.#of(project);
    known.sent = known.sent.filter((at) => at > now - WINDOW_MS && at <= now);
    const settled = [...known.environments.values()].filter((at) => at <= now - WINDOW_MS).length;
    const over = known.sent.length - (BASE + PER_ENVIRONMENT * settled);
    return over < 0 ? 0 : known.sent[over]! + WINDOW_MS - now;
  }

  /** This item of a check-in is about to be sent. */
  sent(project: string, item: Item, now: Instant): void {
    const known = this.#of(project);
    known.sent.push(now);
    const name = nameOf(item);
    if (!known.environments.has(name)) known.environments.set(name, now);
  }

  /** Sentry has this environment of a monitor. */
  knows(project: string, item: Item): void {
    this.#of(project).environments.set(nameOf(item), -Infinity);
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
