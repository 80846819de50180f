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
 * fired: there may be more.
 */
export function fireTimers(inTurn: InTurn, progress: StreamProgress, options: TimerOptions, now: Instant): boolean {
  const { scheduleTimers, graceMs } = options;
  const complete = progress.completeUntil(now);
  const hasRecords = progress.hasRecordsFor(graceMs, now);
  const dueBy = ({ due }: TimerRule): Instant => (due === 'by_clock' ? now : complete);
  const mayFire = RULES.filter(
    ([, { judges, due }]) => (judges !== true || scheduleTimers) && (due !== 'after_grace' || hasRecords),
  );
  // One look for all of them: nearly always none is due.
  const until = new Map(mayFire.map(([kind, rule]) => [kind, dueBy(rule)]));
  const waiting = new Set(inTurn(now, ({ tx }) => tx.timers.waiting(until)));
  let fired = 0;
  for (const [kind, rule] of mayFire) {
    if (!waiting.has(kind)) continue;
    const due = inTurn(now, ({ tx }) => tx.timers.due(kind, dueBy(rule), MAX_PER_TICK));
    fired += due.length;
    fireAll(inTurn, due, (turn, { uid, id }) => rule.settle(turn, uid, id, complete), now);
  }
  return fired > 0;
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
