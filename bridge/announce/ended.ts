import type { JobFacts } from '../kubernetes/observation.ts';
import { endedRun } from '../lifecycle/ended-run.ts';
import type { Run, Transition } from '../lifecycle/transition.ts';
import { followedSince } from '../turn/followed-since.ts';
import { factsOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** The pods of a Job that has more are counted as the Job says. */
const MAX_PODS = 100;

/**
 * Counts a run whose end is recorded for the first time. What a kind did before it was followed is not counted; neither is
 * an unknown ending, whose real one may still come, nor a real one that corrects one that was counted.
 */
export function countEnded({ tx }: Turn, run: Run, { at, outcome, corrects, inferred }: Transition): void {
  if (outcome === undefined || outcome === 'unknown' || outcome === 'never_started' || corrects) return;
  if (at < (followedSince({ tx }, run.kind) ?? -Infinity)) return;
  const row = run.kind === 'Job' ? tx.objects.get(run.uid) : undefined;
  // The status of a CronJob, from which an ending is inferred, says nothing about pods.
  const pods = row === undefined || inferred ? undefined : podsOf(factsOf<JobFacts>(row));
  // A Job that succeeded counts all its pods itself.
  const isCounted = pods !== undefined && (pods > MAX_PODS || (pods > 0 && outcome === 'succeeded'));
  tx.timeline.ended(endedRun(run, at, isCounted ? [] : tx.runs.attempts(run.uid), pods));
}

const podsOf = ({ succeeded, failed }: JobFacts): number => succeeded + failed;
