import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { A_MINUTE } from './check-in-limits.ts';

/** A minute, and what a request may come late, or a clock differ. */
export const PACE_WINDOW_MS = 62_000;
/** What Sentry takes of a project in a minute: this many, and six for each environment of a monitor. */
const BASE = 50;
const PER_ENVIRONMENT = 6;
/** An environment for which nothing was sent for this time is not counted any more: Sentry may have it no more. */
const FORGET_MS = 86_400_000;
const LOOK_MS = 3_600_000;

interface Environment {
  readonly first: Instant;
  /** When the last check-ins of it were sent, oldest first; at least the very last. */
  sent: Instant[];
}

interface Project {
  /** By slug and environment. */
  readonly environments: Map<string, Environment>;
  /** When the last check-ins were sent, oldest first. */
  sent: Instant[];
}

/** Ms until one more may be sent, and what of it has to wait: this monitor in this environment, or the whole project. */
export interface Paced {
  readonly ms: number;
  readonly of: 'environment' | 'project';
}

/**
 * Keeps the check-ins of a project below what Sentry takes in a minute: 50, and 6 for each environment of a monitor; and
 * those of each environment below six. It counts what was sent within a minute, by whichever key of the project. So a first
 * install begins with 50, goes on with hundreds, and a thousand monitors are heard in three minutes.
 */
export class CheckInPace {
  readonly #projects = new Map<string, Project>();
  #lookedAt: Instant = -Infinity;

  /** Undefined: this item may be sent to the project now. */
  wait(project: string, item: Item, now: Instant): Paced | undefined {
    const known = this.#projects.get(project);
    if (known === undefined) return undefined;
    const own = within(known.environments.get(nameOf(item))?.sent ?? [], now);
    const full = own.at(-A_MINUTE);
    if (full !== undefined) return { ms: full + PACE_WINDOW_MS - now, of: 'environment' };
    known.sent = within(known.sent, now);
    const settled = [...known.environments.values()].filter(({ first }) => first <= now - PACE_WINDOW_MS).length;
    const over = known.sent.length - (BASE + PER_ENVIRONMENT * settled);
    return over < 0 ? undefined : { ms: known.sent[over]! + PACE_WINDOW_MS - now, of: 'project' };
  }

  /** This item of a check-in is about to be sent, or was sent at `now`. */
  sent(project: string, item: Item, now: Instant): void {
    this.#forget(now);
    const known = this.#projects.get(project) ?? { environments: new Map<string, Environment>(), sent: [] };
    this.#projects.set(project, known);
    known.sent.push(now);
    const name = nameOf(item);
    const { first, sent } = known.environments.get(name) ?? { first: now, sent: [] };
    known.environments.set(name, { first, sent: [...within(sent, now), now] });
  }

  #forget(now: Instant): void {
    // Also after a clock that was set back.
    if (Math.abs(now - this.#lookedAt) < LOOK_MS) return;
    this.#lookedAt = now;
    for (const [project, { environments }] of this.#projects) {
      for (const [name, { sent }] of environments) if (sent.at(-1)! <= now - FORGET_MS) environments.delete(name);
      if (environments.size === 0) this.#projects.delete(project);
    }
  }
}

type Item = Readonly<Record<string, Json>>;

/** What of it Sentry may still count; nothing that is in the future, after a clock that was set back. */
function within(sent: readonly Instant[], now: Instant): Instant[] {
  return sent.filter((at) => at > now - PACE_WINDOW_MS && at <= now);
}

function nameOf({ monitor_slug: slug, environment }: Item): string {
  return JSON.stringify([slug, environment]);
}
