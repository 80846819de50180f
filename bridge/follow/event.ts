import { announceAlone } from '../announce/alone.ts';
import { announce } from '../announce/announce.ts';
import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { Observation, PodFacts } from '../kubernetes/observation.ts';
import type { KeptEvent } from '../lifecycle/event.ts';
import { isWarning, keepEvent, updateEvent, warned } from '../lifecycle/event.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import type { RunRow } from '../store/runs.ts';
import type { Tx } from '../store/tx.ts';
import { asEventOfInferredRun } from './inferred-uid.ts';
import { factsOf } from '../turn/object-rows.ts';
import { saveRun } from '../turn/run-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** Takes in an Event. It is colour: no status follows from it. */
export function observeEvent(turn: Turn, given: Observation<EventFacts>): void {
  const { tx, now, unwritten, destinations } = turn;
  const facts = asEventOfInferredRun(tx, given.facts);
  const first = keepEvent(facts, now);
  // Most are new: then this is the only statement.
  const isNew = first.at > tx.events.removedUpTo(now) && tx.events.add(first);
  const previous = isNew ? undefined : tx.events.event(facts.uid);
  const kept = isNew ? first : previous && updateEvent(previous, facts, now);
  if (kept === undefined) return unwritten.saidNothing('Event', false);
  if (!isNew) tx.events.update(kept);
  const isHeard = destinations.some(({ planner }) => planner.hears.has('event.warned'));
  if (isHeard && isWarning(previous, kept)) announceWarning(turn, kept);
}

/** In the timeline of the run that its object belongs to, if there is one. */
function announceWarning(turn: Turn, seen: KeptEvent): void {
  const { tx, now } = turn;
  const kept = { ...seen, at: Math.min(seen.at, now) };
  const row = runOf(tx, kept.event.regarding.uid);
  if (row === undefined) return announceAlone(turn, warned(kept, undefined));
  const memory = announce(turn, row, [warned(kept, row.run.uid)]);
  saveRun(tx, row, { run: row.run, memory });
}

function runOf(tx: Tx, uid: string | undefined): RunRow | undefined {
  if (uid === undefined) return undefined;
  const object = tx.objects.get(uid);
  const runUid = object?.kind === 'Pod' ? runUidOf(factsOf<PodFacts>(object)) : uid;
  return runUid === undefined ? undefined : tx.runs.get(runUid);
}
