import type { Plan } from './plan.ts';

/** Names of everything in a plan that may be left out. */
export function partsOf({ acts, cronJobs, workloads }: Plan): string[] {
  return [
    ...[...cronJobs, ...workloads].map(({ namespace, name }) => `${namespace}/${name}`),
    ...acts.map(({ id }) => id),
  ];
}

/** The plan with these parts only. */
export function onlyWith(plan: Plan, parts: ReadonlySet<string>): Plan {
  return {
    ...plan,
    cronJobs: plan.cronJobs.filter(({ namespace, name }) => parts.has(`${namespace}/${name}`)),
    workloads: plan.workloads.filter(({ namespace, name }) => parts.has(`${namespace}/${name}`)),
    acts: plan.acts.filter(({ id }) => parts.has(id)),
  };
}

/**
 * Leaves out parts, first many at once, while it still fails; at most `tries` simulations. What comes back fails, and
 * with more tries it may be shorter.
 */
export async function shrink(plan: Plan, fails: (plan: Plan) => Promise<boolean>, tries: number): Promise<string[]> {
  let kept = partsOf(plan);
  let left = tries;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < kept.length && left > 0;) {
      const fewer = kept.toSpliced(from, size);
      left--;
      if (await fails(onlyWith(plan, new Set(fewer)))) kept = fewer;
      else from += size;
    }
  }
  return kept;
}
