import type { StuckLimits } from '../lifecycle/stall.ts';
import { settleGone } from './gone.ts';
import { settleAwaited } from './infer-run.ts';
import type { Instant } from '../lib/clock.ts';
import type { Store, Timer, Tx } from '../store/store.ts';
import { isStoreTrouble } from '../store/trouble.ts';
import { settleOwner, settlePods } from './announce.ts';
import { eachAlone } from './each-alone.ts';
import type { Destination } from './deps.ts';
import type { Flow } from './flow.ts';
import { settleReplacement } from './observe-job.ts';
import { settleStuck } from './watch-pod.ts';
import { settleLogs } from './run-logs.ts';
import { judgeSchedule } from './watch-schedule.ts';

/** The rest waits for the next tick: thousands of CronJobs are due at one minute, and records must not wait for that. */
const MAX_PER_TICK = 500;

/**
 * Fires the timers that are due; what silence would decide only as far as the records are complete. True when some
 * fired: there may be more.
 */
export function fireTimers(
  store: Store,
  destinations: readonly Destination[],
  flow: Flow,
  { scheduleTimers, stuck, graceMs }: TimerOptions,
  now: Instant,
): boolean {
  let fired = 0;
  const fire = (kind: Timer['kind'], until: Instant, settle: Settle): void => {
    const due = store.transaction((tx) => tx.dueTimers(kind, until, MAX_PER_TICK));
    fired += due.length;
    fireAll(store, due, settle, now);
  };
  fire('replacement', now, (tx, _, id) => settleReplacement(tx, destinations, id, now));
  fire('gone', now, (tx, uid) => settleGone(tx, destinations, uid, now));
  fire('owner', now, (tx, uid) => settleOwner(tx, destinations, uid, now));
  fire('pods', now, (tx, uid) => settlePods(tx, destinations, uid, now));
  fire('logs', now, (tx, uid) => settleLogs(tx, destinations, uid, now));
  const until = flow.completeUntil(now);
  fire('stuck', until, (tx, uid) => settleStuck(tx, destinations, stuck, uid, now));
  if (!scheduleTimers) return fired > 0;
  fire('schedule', until, (tx, uid) => judgeSchedule(tx, destinations, uid, until, now));
  // After a start the Collector's queue gets the whole grace again: it may hold what happened meanwhile.
  if (flow.hasFlowedFor(graceMs, now))
    fire('inferred', until, (tx, runKey) => settleAwaited(tx, destinations, runKey, graceMs, now));
  return fired > 0;
}

interface TimerOptions {
  readonly scheduleTimers: boolean;
  readonly stuck: StuckLimits;
  readonly graceMs: number;
}

type Settle = (tx: Tx, uid: string, id: string) => void;

/** All in one transaction; when one cannot be processed, those that can, so that it does not hold up the others for ever. */
function fireAll(store: Store, timers: readonly Timer[], settle: Settle, now: Instant): void {
  if (timers.length === 0) return;
  try {
    store.transaction((tx) => timers.forEach(({ uid, id }) => settle(tx, uid, id)));
  } catch (error) {
    if (isStoreTrouble(error)) throw error;
    store.transaction((tx) => timers.forEach((timer) => fireAlone(tx, timer, settle, now)));
  }
}

function fireAlone(tx: Tx, { id, uid }: Timer, settle: Settle, now: Instant): void {
  if (!eachAlone(tx, uid, now, () => settle(tx, uid, id))) tx.clearTimer(id);
}
