import type { Act } from './plan.ts';
import type { Random } from './random.ts';
import { chance, pick, weighted, whole } from './random.ts';
import type { CronJobPlan, Policy } from './world/cronjob-objects.ts';
import type { Behaviour } from './world/job-controller.ts';

const MINUTE = 60_000;
const DAY_MINUTES = 1_440;
/** Least number of runs of each day. */
const RUNS_A_DAY = 500;
/** For what is late or left out by chance. */
const SPARE_RUNS = 10;
/** Where runs may overlap and Forbid leaves out the next. */
const FORBIDDEN_SHARE = 0.8;

export const NAMESPACES = ['shop', 'team-a', 'team-b'];
export const EVERY = [5, 10, 10, 15, 20, 30, 60, 120, 360, 1440];

/** Those that people change: most of the runs of a day. */
export function cronJobsOf(random: Random): CronJobPlan[] {
  const all: CronJobPlan[] = [];
  for (let runs = 0; runs < 0.75 * RUNS_A_DAY;) {
    const every = pick(random, EVERY);
    const own = runsADay(every);
    if (runs + own > 0.85 * RUNS_A_DAY) continue;
    all.push(cronJobOf(random, all.length, every));
    runs += own;
  }
  return all;
}

export const runsADay = (every: number): number => DAY_MINUTES / every;

/** As many more as the day with the fewest runs needs. */
export function fillUp(
  random: Random,
  cronJobs: readonly CronJobPlan[],
  acts: readonly Act[],
  days: number,
): CronJobPlan[] {
  const runs = cronJobs.map((plan) => runsOf(plan, acts, days));
  const ofDay = runs[0]!.map((_, day) => runs.reduce((sum, all) => sum + all[day]!, 0));
  const more: CronJobPlan[] = [];
  for (let missing = RUNS_A_DAY + SPARE_RUNS - Math.min(...ofDay); missing > 0;) {
    const every = EVERY.find((one) => runsADay(one) <= missing) ?? EVERY.at(-1)!;
    more.push(cronJobOf(random, cronJobs.length + more.length, every));
    missing -= runsADay(every);
  }
  return more;
}

function cronJobOf(random: Random, n: number, every: number): CronJobPlan {
  const policy = weighted<Policy>(random, { Allow: 6, Forbid: 3, Replace: 3 });
  const annotations: Record<string, string> = {};
  if (chance(random, 0.08)) annotations['k8s.cronitor.io/exclude'] = 'true';
  if (chance(random, 0.2)) annotations['k8s.cronitor.io/grace-seconds'] = '120';
  return {
    name: `job-${String.fromCharCode(97 + (n % 26))}`,
    namespace: pick(random, NAMESPACES),
    every,
    offset: whole(random, 0, 1439),
    policy,
    behaviour: behaviourOf(random, every * MINUTE),
    history: pick(random, [0, 1, 3]),
    ...(chance(random, 0.2) && { ttlSeconds: pick(random, [0, 30, 600]) }),
    annotations,
  };
}

function behaviourOf(random: Random, everyMs: number): Behaviour {
  const longest = Math.min(chance(random, 0.3) ? 1.6 * everyMs : 0.5 * everyMs, 90 * MINUTE);
  return {
    runMs: [pick(random, [300, 2_000, 20_000]), Math.max(30_000, longest)],
    failRate: pick(random, [0, 0, 0.05, 0.3, 1]),
    backoffLimit: pick(random, [0, 0, 1, 2]),
    ...(chance(random, 0.1) && { deadlineMs: 30_000 }),
    ...(chance(random, 0.06) && { isElsewhere: true }),
  };
}

/** How often a CronJob runs at least in each day of a plan, by its schedule, its habits and what people do to it. */
function runsOf(plan: CronJobPlan, acts: readonly Act[], days: number): number[] {
  const runs = Array.from({ length: Math.ceil(days) }, () => 0);
  const state = new Schedule(plan);
  const own = acts.filter((act) => 'cronJob' in act && act.cronJob === `${plan.namespace}/${plan.name}`);
  const left = own.toSorted((a, b) => a.at - b.at);
  for (let minute = 1; minute < runs.length * DAY_MINUTES; minute++) {
    while (left[0] !== undefined && left[0].at < minute * MINUTE) state.act(left.shift()!);
    if (state.isDue(minute)) runs[Math.floor(minute / DAY_MINUTES)]!++;
  }
  const share = mayOverlap(plan) ? FORBIDDEN_SHARE : 1;
  return runs.map((count) => count * share);
}

/** Whether Forbid may leave out runs. */
function mayOverlap({ policy, every, behaviour: { runMs, failRate, backoffLimit } }: CronJobPlan): boolean {
  const tries = failRate >= 0.3 ? 1 + backoffLimit : 1;
  return policy === 'Forbid' && tries * runMs[1] > every * MINUTE;
}

/** A CronJob as its acts change it. */
class Schedule {
  readonly #plan: CronJobPlan;
  #times: Pick<CronJobPlan, 'every' | 'offset'>;
  #suspendedUntil = 0;
  #goneUntil = 0;

  constructor(plan: CronJobPlan) {
    this.#plan = plan;
    this.#times = plan;
  }

  act(act: Act): void {
    if (act.at < this.#goneUntil) return;
    if (act.act === 'suspend') this.#suspendedUntil = Math.max(this.#suspendedUntil, act.at + act.ms);
    else if (act.act === 'reschedule') this.#times = act;
    else if (act.act === 'recreate') {
      this.#times = this.#plan;
      this.#goneUntil = act.at + act.ms;
    }
  }

  isDue(minute: number): boolean {
    const { every, offset } = this.#times;
    return minute % every === offset % every && minute * MINUTE > Math.max(this.#suspendedUntil, this.#goneUntil);
  }
}
