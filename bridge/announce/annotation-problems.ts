import type { Facts } from '../kubernetes/observation.ts';
import type { AnnotationProblem } from '../sinks/sink.ts';
import type { Problem } from '../store/problems.ts';
import { plannerProblem } from '../turn/guarded-planner.ts';
import type { Destination } from '../turn/destination.ts';
import { reads } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';
import { namespaceOf } from './known-run.ts';

/**
 * Keeps which annotations of an object no destination can read, as long as it lives, and which destination could not plan
 * it at all (`unplanned`: the error by destination).
 */
export function noteProblems(turn: Turn, facts: Facts, alive: boolean, unplanned: ReadonlyMap<string, string>): void {
  const { tx, now, destinations } = turn;
  const found = alive
    ? destinations.flatMap((to) => {
        const { destination } = to.planner;
        const problems = [...unplannedProblem(unplanned.get(destination)), ...problemsOf(turn, to, facts)];
        return problems.map((problem) => ({ problem, destination }));
      })
    : [];
  tx.problems.set(facts, merged(found), now);
}

function problemsOf({ tx }: Turn, to: Destination, facts: Facts): readonly AnnotationProblem[] {
  return reads(to, facts.kind) ? (to.planner.problems?.(facts, () => namespaceOf(tx, facts.namespace)) ?? []) : [];
}

function unplannedProblem(error: string | undefined): AnnotationProblem[] {
  return error === undefined ? [] : [plannerProblem(error, 'what was wanted of it before, if anything')];
}

/** What several destinations say in the same words is one problem to a person. */
function merged(found: readonly { problem: AnnotationProblem; destination: string }[]): Problem[] {
  const groups = Map.groupBy(found, ({ problem: { annotation, value, allowed, used } }) =>
    JSON.stringify([annotation, value, allowed, used]),
  );
  return [...groups.values()].map((group) => {
    const { annotation, value, allowed, used } = group[0]!.problem;
    const destinations = [...new Set(group.map(({ destination }) => destination))];
    return { annotation, value, allowed, used, destinations };
  });
}
