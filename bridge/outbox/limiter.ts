import type { Instant } from '../lib/clock.ts';
import type { Limit } from '../sinks/sink.ts';

/** What the vendor sees is less even than what we send. */
const MARGIN = 1.03;

interface KeyState {
  /** Most requests in `windowMs`. */
  readonly most: number;
  readonly windowMs: number;
  readonly spacingMs: number;
  nextStart: Instant;
  inFlight: number;
  /** When the last requests ended, oldest first. */
  ended: Instant[];
}

/**
 * Spaces the requests of each limit key by 1/perSecond, and counts each until a window after its *end*: the vendor saw
 * it some time before that, so it never sees more than the limit in any window, however late a request arrives. With a
 * burst they are not spaced: at most `burst` in the time in which a bucket of that size fills, which never empties one.
 */
export class Limiter {
  readonly #keys = new Map<string, KeyState>();

  /** When a request under these limits may start; Infinity when an answer must come first. */
  freeAt(limits: readonly Limit[], now: Instant): Instant {
    return Math.max(now, ...limits.map(({ key }) => freeAt(this.#keys.get(key), now)));
  }

  /** Counts a request that starts now. Call the result with the time of its end. */
  start(limits: readonly Limit[], now: Instant): (endedAt: Instant) => void {
    const states = limits.map((limit) => this.#state(limit));
    for (const state of states) {
      state.inFlight++;
      state.nextStart = now + state.spacingMs;
    }
    return (endedAt) => {
      for (const state of states) {
        state.inFlight--;
        state.ended.push(endedAt);
      }
    };
  }

  /** Keys under which nothing may start now. */
  busy(now: Instant): string[] {
    this.#forget(now);
    return [...this.#keys].filter(([, state]) => freeAt(state, now) > now).map(([key]) => key);
  }

  /** When the first busy key becomes free; Infinity when none does by time alone. */
  nextFree(now: Instant): Instant {
    return Math.min(Infinity, ...[...this.#keys.values()].map((state) => freeAt(state, now)).filter((at) => at > now));
  }

  /** The clock was set by `ms`. */
  clockSet(ms: number): void {
    for (const state of this.#keys.values()) {
      state.nextStart += ms;
      state.ended = state.ended.map((at) => at + ms);
    }
  }

  #state({ key, perSecond, burst }: Limit): KeyState {
    let state = this.#keys.get(key);
    if (state === undefined) {
      const most = burst ?? Math.max(1, Math.floor(perSecond));
      const eachMs = (1000 / perSecond) * MARGIN;
      const spacingMs = burst === undefined ? eachMs : 0;
      state = { most, windowMs: most * eachMs, spacingMs, nextStart: 0, inFlight: 0, ended: [] };
      this.#keys.set(key, state);
    }
    return state;
  }

  #forget(now: Instant): void {
    for (const [key, state] of this.#keys) {
      state.ended = state.ended.filter((at) => at + state.windowMs > now);
      if (state.inFlight === 0 && state.ended.length === 0 && state.nextStart <= now) this.#keys.delete(key);
    }
  }
}

function freeAt(state: KeyState | undefined, now: Instant): Instant {
  if (state === undefined) return now;
  const recent = state.ended.filter((at) => at + state.windowMs > now);
  const over = recent.length + state.inFlight - state.most;
  if (over < 0) return Math.max(now, state.nextStart);
  // The slot of an ended request comes back by time, that of one in flight only by its end.
  const blocking = recent[over];
  return blocking === undefined ? Infinity : Math.max(state.nextStart, blocking + state.windowMs);
}
