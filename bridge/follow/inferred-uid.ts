import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import { runKeyOf } from '../lifecycle/run.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { Tx } from '../store/tx.ts';

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
  return { ...observation, facts: { ...facts, uid: holder } };
}
