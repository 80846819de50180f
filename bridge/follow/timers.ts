import { settleOwner, settlePods } from '../announce/announce.ts';
import { planActive } from '../announce/active.ts';
import { settleLogs } from '../announce/run-logs.ts';
import { settleRun } from '../announce/settled.ts';
import { endStormWindow } from '../announce/storm.ts';
import type { Instant } from '../lib/clock.ts';
import type { Timer } from '../store/timers.ts';
import type { Turn } from '../turn/turn.ts';
import { settleGone } from './gone.ts';
import { settleReplacement } from './job.ts';
import { judgeSchedule } from './schedule.ts';
import { settleStall } from './rollout.ts';
import { settleStuck } from './stuck.ts';
import { settleNamespace } from './table.ts';
import { settleAwaited } from './unseen-job.ts';

/** What happens when a timer of one kind is due. */
export interface TimerRule {
  /**
   * When it is due: by our own clock, once the records up to then are complete (silence decides; of CronJobs, or of
   * everything), or only when records have flowed for the whole grace (after a start the Collector's queue may hold what
   * happened meanwhile).
   */
  readonly due: 'by_clock' | 'when_complete' | 'when_caught_up' | 'after_grace';
  /** Whether it judges a schedule, which a replay of the past must not do. */
  readonly judges?: true;
  /** `until`: up to when the records are known to be complete. */
  settle(turn: Turn, uid: string, id: string, until: Instant): void;
}

/** What each kind of timer does, in the order in which those that are due fire. */
export const TIMERS: { readonly [K in Exclude<Timer['kind'], 'probe'>]: TimerRule } = {
  replacement: { due: 'by_clock', settle: (turn, _, id) => settleReplacement(turn, id) },
  gone: { due: 'by_clock', settle: settleGone },
  owner: { due: 'by_clock', settle: settleOwner },
  namespace: { due: 'by_clock', settle: settleNamespace },
  pods: { due: 'by_clock', settle: settlePods },
  logs: { due: 'by_clock', settle: settleLogs },
  settled: { due: 'by_clock', settle: settleRun },
  active: { due: 'by_clock', settle: planActive },
  storm: { due: 'by_clock', settle: endStormWindow },
  stuck: { due: 'when_caught_up', settle: settleStuck },
  rollout: { due: 'when_caught_up', settle: settleStall },
  schedule: { due: 'when_complete', judges: true, settle: (turn, uid, _, until) => judgeSchedule(turn, uid, until) },
  inferred: { due: 'after_grace', judges: true, settle: settleAwaited },
};
