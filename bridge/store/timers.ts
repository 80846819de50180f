import type { Instant } from '../lib/clock.ts';

export interface Timer {
  /** Begins with `kind/`. */
  readonly id: string;
  /** `probe` is written to see whether the store can commit, and never due. */
  readonly kind:
    | 'replacement'
    | 'gone'
    | 'schedule'
    | 'stuck'
    | 'rollout'
    | 'inferred'
    | 'logs'
    | 'pods'
    | 'owner'
    | 'namespace'
    | 'settled'
    | 'active'
    | 'storm'
    | 'probe';
  readonly uid: string;
  readonly due: Instant;
}

export interface TimersTx {
  set(timer: Timer): void;
  clear(id: string): void;
  /** Timers of a kind that are due, the oldest first, `limit` at most. */
  due(kind: Timer['kind'], now: Instant, limit: number): Timer[];
  /** Kinds of which a timer is due at the moment that is given for it. */
  waiting(until: ReadonlyMap<Timer['kind'], Instant>): Timer['kind'][];
  /** Timers whose id is `path`, a slash and more, due or not: all of a kind, or of what its id names next. */
  below(path: string): Timer[];
}
