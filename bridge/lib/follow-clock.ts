import type { Clock } from './clock.ts';

/** Until then the bridge goes by the old time: what it plans meanwhile moves too. */
const FOLLOW_MS = 5_000;

/** What plans or measures by the clock. */
export interface Planning {
  /** The clock was set by `ms`: what was planned by the old time moves with it. */
  clockSet(ms: number): void | Promise<void>;
}

/**
 * Takes over every few seconds what the computer's clock was set by, and passes it to every part at once, before any of them
 * asks for the new time. Returns how to end it.
 */
export function followClock(clock: Clock, parts: readonly Planning[], onError: (error: unknown) => void): () => void {
  const timer = setInterval(() => {
    const ms = clock.follow?.() ?? 0;
    if (ms !== 0) for (const part of parts) Promise.resolve(part.clockSet(ms)).catch(onError);
  }, FOLLOW_MS);
  return () => clearInterval(timer);
}
