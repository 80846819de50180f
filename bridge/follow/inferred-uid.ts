import type { EventFacts } from '../kubernetes/kinds/event.ts';
import { isOwnedByJob } from '../kubernetes/metadata.ts';
import type { JobFacts, Observation, PodFacts } from '../kubernetes/observation.ts';
import { podAttempt } from '../lifecycle/pod-attempt.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import { runKeyOf } from '../lifecycle/run.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { Tx } from '../store/tx.ts';
import { stateOf } from '../turn/object-rows.ts';

/** The key by which the run is found that had been inferred for a Job. Forgotten with the run's key. */
const keyOf = (jobUid: string): string => `real/${jobUid}`;

/** UID of the run that had been inferred for a Job; undefined for a Job with a run of its own, or with none. */
function inferredFor(tx: Tx, jobUid: string): string | undefined {
  return tx.runs.get(jobUid) === undefined ? tx.runs.keyHolder(keyOf(jobUid)) : undefined;
}

/** The observation under the UID of the run that was inferred for its Job, if any: the series stays what was first sent. */
export function asInferredRun(
  tx: Tx,
  observation: Observation & { readonly facts: JobFacts },
): Observation & { readonly facts: JobFacts } {
  const { facts } = observation;
  const runKey = runKeyOf(facts);
  const holder = runKey === facts.uid ? undefined : tx.runs.keyHolder(runKey);
  if (holder === undefined || holder !== uuidv5(runKey)) return observation;
  if (tx.runs.claimKey(`${runKey}/real`, facts.uid) !== facts.uid) return observation;
  tx.runs.claimKey(keyOf(facts.uid), holder);
  return { ...observation, facts: { ...facts, uid: holder } };
}

/** A pod of a Job whose run had been inferred is one of that run. */
export function asPodOfInferredRun(
  tx: Tx,
  observation: Observation & { readonly facts: PodFacts },
): Observation & { readonly facts: PodFacts } {
  const { facts } = observation;
  const holder = isOwnedByJob(facts.owner) ? inferredFor(tx, facts.owner.uid) : undefined;
  return holder === undefined ? observation : { ...observation, facts: ownedBy(facts, holder) };
}

/** An Event about a Job whose run had been inferred is about that run. */
export function asEventOfInferredRun(tx: Tx, facts: EventFacts): EventFacts {
  const { kind, uid } = facts.regarding;
  const holder = kind === 'Job' && uid !== undefined ? inferredFor(tx, uid) : undefined;
  return holder === undefined ? facts : { ...facts, regarding: { ...facts.regarding, uid: holder } };
}

/** Gives a run that had been inferred the pods of its Job that were seen before it; false when there are none. */
export function adoptPods(tx: Tx, jobUid: string, runUid: string): boolean {
  const pods = tx.objects.children(jobUid, 'Pod');
  for (const row of pods) {
    const state = stateOf<PodState>(row);
    const owned: PodState = { ...state, facts: ownedBy(state.facts, runUid) };
    tx.objects.put({ ...row, ownerUid: runUid, state: owned });
    tx.runs.putAttempt(runUid, podAttempt(owned));
  }
  if (pods.length > 0) tx.timeline.move(jobUid, runUid);
  return pods.length > 0;
}

function ownedBy(facts: PodFacts, uid: string): PodFacts {
  return facts.owner === undefined ? facts : { ...facts, owner: { ...facts.owner, uid } };
}
