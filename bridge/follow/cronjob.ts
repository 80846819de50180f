import { announceOwned } from '../announce/announce.ts';
import { planDesired } from '../announce/desired.ts';
import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import { isLive, reduceCronJob } from '../lifecycle/cronjob.ts';
import { saveObject, stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { isLate } from './late-records.ts';
import { noteUnjudged, watchSchedule } from './schedule.ts';
import { awaitJob } from './unseen-job.ts';

/** Takes in a CronJob: its desired state at every destination, and the runs that waited for it. */
export function observeCronJob(turn: Turn, observation: Observation & { readonly facts: CronJobFacts }): void {
  const { tx, now, unwritten } = turn;
  const row = unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(turn, observation)) return;
  const previous = row && stateOf<CronJobState>(row);
  const reduced = reduceCronJob(previous, observation, now);
  const state = awaitJob(turn, previous, reduced, observation.facts);
  if (state === previous) return unwritten.saidNothing('CronJob', false);
  const isOver = state.deleted || state.gone !== undefined;
  saveObject(turn, row, observation, state, isOver ? now : undefined);
  watchSchedule(tx, previous, state);
  planCronJob(turn, state);
  if (row !== undefined) return;
  for (const run of tx.runs.waitingForOwner(state.facts.uid)) {
    tx.runs.put({ run: run.run, memory: announceOwned(turn, run) });
  }
}

/** What follows from a CronJob and the configuration: its desired state everywhere, and what of it cannot be judged. */
export function planCronJob(turn: Turn, state: CronJobState, atStart = false): void {
  planDesired(turn, state.facts, isLive(state), atStart);
  noteUnjudged(turn, state);
}
