import type { CronJobState } from '../lifecycle/cronjob.ts';
import type { JobState } from '../lifecycle/job.ts';
import type { Sight } from '../lifecycle/schedule-watch.ts';
import { judge } from '../lifecycle/schedule-watch.ts';
import type { Instant } from '../lib/clock.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { Tx } from '../store/store.ts';
import { announce, NO_MEMORY } from './announce.ts';
import type { Destination } from './deps.ts';
import { stateOf } from './state.ts';

/** After an outage a CronJob of every minute has thousands to judge: they share the ticks with everything else. */
const MAX_PER_TICK = 100;

/** Sets or clears the timer of a CronJob whose expectation changed. */
export function watchSchedule(tx: Tx, previous: CronJobState | undefined, { facts, expected }: CronJobState): void {
  if (previous?.expected?.due === expected?.due) return;
  const id = `schedule/${facts.uid}`;
  if (expected === undefined) tx.clearTimer(id);
  else tx.setTimer({ id, kind: 'schedule', uid: facts.uid, due: expected.due });
}

/** Judges the scheduled instants of a CronJob that are due at `until`, up to which the stream is known to be complete. */
export function judgeSchedule(
  tx: Tx,
  destinations: readonly Destination[],
  uid: string,
  until: Instant,
  now: Instant,
): void {
  const row = tx.object(uid);
  const before = row && stateOf<CronJobState>(row);
  if (row === undefined || before?.expected === undefined || before.gone !== undefined)
    return tx.clearTimer(`schedule/${uid}`);
  let state: CronJobState = before;
  for (let n = 0; n < MAX_PER_TICK && state.expected !== undefined && state.expected.due <= until; n++) {
    const { facts, expected } = state;
    const step = judge(facts, expected, sightOf(tx, state, expected.at), uuidv5(`${uid}/${expected.at}`));
    if (step.verdict !== undefined) {
      const { run, transition } = step.verdict;
      tx.putRun({ run, memory: announce(tx, destinations, { run, memory: NO_MEMORY }, [transition], now) });
    }
    state = { ...state, expected: step.expected };
  }
  tx.putObject({ ...row, state });
  watchSchedule(tx, before, state);
}

function sightOf(tx: Tx, { facts }: CronJobState, at: Instant): Sight {
  const jobSeen = tx.runKeyHolder(`${facts.uid}/${at}`) !== undefined;
  const last = facts.lastScheduleAt === undefined ? undefined : jobOf(tx, facts.uid, facts.lastScheduleAt);
  const lastActive = last !== undefined && (last.ended === undefined || last.ended.at >= at);
  return { jobSeen, previousActive: facts.activeUids.length > 0 || lastActive };
}

function jobOf(tx: Tx, cronJobUid: string, scheduledAt: Instant): JobState | undefined {
  const uid = tx.runKeyHolder(`${cronJobUid}/${scheduledAt}`);
  const row = uid === undefined ? undefined : tx.object(uid);
  return row && stateOf<JobState>(row);
}
