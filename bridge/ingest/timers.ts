import type { TimerRule } from '../follow/timers.ts';
import { TIMERS } from '../follow/timers.ts';
import type { Instant } from '../lib/clock.ts';
import type { Timer } from '../store/timers.ts';
import { StoreTrouble } from '../store/trouble.ts';
import { eachAlone } from '../turn/each-alone.ts';
import type { InTurn, Turn } from '../turn/turn.ts';
import type { StreamProgress } from './stream-progress.ts';

const RULES = Object.entries(TIMERS) as [keyof typeof TIMERS, TimerRule][];

/** Kinds of timers that fire at their time, whatever comes or does not. */
export const BY_CLOCK = RULES.filter(([, { due }]) => due === 'by_clock').map(([kind]) => kind);

/** The rest waits for the next tick: thousands of CronJobs are due at one minute, and records must not wait for that. */
const MAX_PER_TICK = 500;

/**
 * Fires the timers that are due; what silence would decide only as far as the records are complete. True when some
 * are left that are due.
 */
export function fireTimers(inTurn: InTurn, progress: StreamProgress, options: TimerOptions, now: Instant): boolean {
  const { scheduleTimers, graceMs } = options;
  const complete = progress.completeUntil(now);
  const until: Readonly<Record<TimerRule['due'], Instant>> = {
    by_clock: now,
    when_complete: complete,
    when_caught_up: progress.caughtUpUntil(now),
    after_grace: complete,
  };
  const hasRecords = progress.hasRecordsFor(graceMs, now);
  const dueBy = ({ due }: TimerRule): Instant => until[due];
  const mayFire = RULES.filter(
    ([, { judges, due }]) => (judges !== true || scheduleTimers) && (due !== 'after_grace' || hasRecords),
  );
  const waiting = (): typeof mayFire => {
    const first = inTurn(now, ({ tx }) => tx.timers.first());
    return mayFire.filter(([kind, rule]) => (first.get(kind) ?? Infinity) <= dueBy(rule));
  };
  // One look for all of them: nearly always none is due.
  const due = waiting();
  for (const [kind, rule] of due) {
    const timers = inTurn(now, ({ tx }) => tx.timers.due(kind, dueBy(rule), MAX_PER_TICK));
    fireAll(inTurn, timers, (turn, { uid, id }) => rule.settle(turn, uid, id, complete), now);
  }
  return due.length > 0 && waiting().length > 0;
}

interface TimerOptions {
  readonly scheduleTimers: boolean;
  readonly graceMs: number;
}

type Settle = (turn: Turn, timer: Timer) => void;

/** All in one transaction; when one cannot be processed, those that can, so that it does not hold up the others for ever. */
function fireAll(inTurn: InTurn, timers: readonly Timer[], settle: Settle, now: Instant): void {
  if (timers.length === 0) return;
  try {
    inTurn(now, (turn) => timers.forEach((timer) => settle(turn, timer)));
  } catch (error) {
    if (error instanceof StoreTrouble) throw error;
    inTurn(now, (turn) => timers.forEach((timer) => fireAlone(turn, timer, settle)));
  }
}

function fireAlone(turn: Turn, timer: Timer, settle: Settle): void {
  if (!eachAlone(turn, timer.uid, () => settle(turn, timer))) turn.tx.timers.clear(timer.id);
}
