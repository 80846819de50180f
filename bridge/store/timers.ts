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
  /** When the first of each kind is due that has any. */
  first(): ReadonlyMap<Timer['kind'], Instant>;
  /** Timers whose id is `path`, a slash and more, due or not: all of a kind, or of what its id names next. */
  below(path: string): Timer[];
}
