import type { CronJobState } from '../lifecycle/cronjob.ts';
import type { JobState } from '../lifecycle/job.ts';
import type { Sight } from '../lifecycle/schedule-watch.ts';
import { judgeDue, nextDue, notRun, seeInstant } from '../lifecycle/schedule-watch.ts';
import { unjudged } from '../lifecycle/unjudged.ts';
import type { Instant } from '../lib/clock.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Tx } from '../store/tx.ts';
import { keepTimer } from './keep-timer.ts';
import { announce, NO_MEMORY } from '../announce/announce.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** Keeps why missed runs of a CronJob are not judged, as long as they are not and those of others are. */
export function noteUnjudged({ tx, now, judges }: Turn, state: CronJobState): void {
  if (judges) tx.unjudged.set(state.facts, unjudged(state, now), now);
}

/** Sets or clears the timer of a CronJob when something else of its watch is due first. */
export function watchSchedule(tx: Tx, previous: CronJobState | undefined, state: CronJobState): void {
  const { uid } = state.facts;
  keepTimer(tx, { id: `schedule/${uid}`, kind: 'schedule', uid }, previous && nextDue(previous), nextDue(state));
}

/** Judges the scheduled instants of a CronJob that are due at `until`, up to which the stream is known to be complete. */
export function judgeSchedule(turn: Turn, uid: string, until: Instant): void {
  const { tx, now } = turn;
  const row = tx.objects.get(uid);
  const before = row && stateOf<CronJobState>(row);
  if (row === undefined || before === undefined || before.deleted || before.gone !== undefined)
    return tx.timers.clear(`schedule/${uid}`);
  const { watch, verdicts } = judgeDue(before, { until, now, sight: (at) => sightOf(tx, before, at) });
  for (const verdict of verdicts) {
    const { run, transition } = notRun(before.facts, verdict, uuidv5(`${uid}/${verdict.at}`));
    tx.runs.put({ run, memory: announce(turn, { run, memory: NO_MEMORY }, [transition]) });
  }
  saveWatch(turn, row, before, { ...before, ...watch, unproven: watch.unproven });
}

/** A Job proves a scheduled instant of its CronJob, maybe before the CronJob's own status does. */
export function seeScheduledJob(turn: Turn, cronJobUid: string, at: Instant): void {
  const { tx, now } = turn;
  const row = tx.objects.get(cronJobUid);
  const before = row && stateOf<CronJobState>(row);
  if (row === undefined || before === undefined || before.deleted || before.gone !== undefined) return;
  const watch = seeInstant(before, at, now);
  // An instant that agrees is written with the status that reports it too.
  if (watch === undefined || watch.comparison?.differs === before.comparison?.differs) return;
  saveWatch(turn, row, before, { ...before, ...watch, unproven: watch.unproven });
}

function saveWatch(turn: Turn, row: ObjectRow, before: CronJobState, state: CronJobState): void {
  const { tx } = turn;
  tx.objects.put({ ...row, state });
  watchSchedule(tx, before, state);
  noteUnjudged(turn, state);
}

function sightOf(tx: Tx, { facts }: CronJobState, at: Instant): Sight {
  const jobSeen = tx.runs.keyHolder(`${facts.uid}/${at}`) !== undefined;
  const last = facts.lastScheduleAt === undefined ? undefined : jobOf(tx, facts.uid, facts.lastScheduleAt);
  const lastActive = last !== undefined && (last.ended === undefined || last.ended.at >= at);
  return { jobSeen, previousActive: facts.activeUids.length > 0 || lastActive };
}

function jobOf(tx: Tx, cronJobUid: string, scheduledAt: Instant): JobState | undefined {
  const uid = tx.runs.keyHolder(`${cronJobUid}/${scheduledAt}`);
  const row = uid === undefined ? undefined : tx.objects.get(uid);
  return row && stateOf<JobState>(row);
}
