import type { Json } from '../lib/json.ts';
import { errorText } from '../lib/errors.ts';
import { redact } from '../kubernetes/redact.ts';
import type { Desired, Planned, Planner } from '../sinks/sink.ts';
import { PLANNER_ERROR } from '../store/problems.ts';
import { isStoreTrouble } from '../store/trouble.ts';

const MAX_ERROR = 300;

/** One call of a planner that threw, or gave what cannot be stored. */
export interface PlannerFailure {
  readonly destination: string;
  readonly call: 'plan' | 'wantsLogs' | 'planDesired' | 'planOwn' | 'problems' | 'retire' | 'adopt';
  readonly error: string;
}

/** `count`: how often since it was last told; the error is the last one. */
export interface CountedFailure extends PlannerFailure {
  readonly count: number;
}

/** Desired state that could not be planned: what was wanted before stays. */
export interface Unplanned {
  readonly error: string;
}

/** A planner that never throws: its error costs what was to be planned for this destination, and nothing else. */
export interface GuardedPlanner extends Omit<Planner, 'planDesired' | 'planOwn'> {
  planDesired(...args: Parameters<Planner['planDesired']>): readonly Desired[] | Unplanned;
  planOwn?(): readonly Desired[] | Unplanned;
}

/**
 * Guards every call of a planner; `failed` hears of each that threw. Trouble of the store, which a planner meets when it
 * reads its context, is not the planner's and is thrown on.
 */
export function guarded(planner: Planner, failed: (failure: PlannerFailure) => void): GuardedPlanner {
  const { destination } = planner;
  const attempt = <T>(call: PlannerFailure['call'], work: () => T, instead: (error: string) => T): T => {
    try {
      return work();
    } catch (error) {
      if (isStoreTrouble(error)) throw error;
      const text = redact(errorText(error)).slice(0, MAX_ERROR);
      failed({ destination, call, error: text });
      return instead(text);
    }
  };
  const { wantsLogs, planOwn, problems, adopt, removeAfterMs } = planner;
  const desired = (work: () => readonly Desired[]) => (): readonly Desired[] | Unplanned => storable(work());
  return {
    destination,
    ...(removeAfterMs !== undefined && { removeAfterMs }),
    plan: (transition, context) =>
      attempt<Planned>(
        'plan',
        () => storablePlan(planner.plan(transition, context)),
        (detail) => ({ drop: 'planner_error', detail }),
      ),
    wantsLogs: (context) =>
      attempt(
        'wantsLogs',
        () => wantsLogs?.call(planner, context) === true,
        () => false,
      ),
    planDesired: (object, context) =>
      attempt(
        'planDesired',
        desired(() => planner.planDesired(object, context)),
        (error) => ({ error }),
      ),
    planOwn: () =>
      attempt(
        'planOwn',
        desired(() => planOwn?.call(planner) ?? []),
        (error) => ({ error }),
      ),
    problems: (object) =>
      attempt(
        'problems',
        () => problems?.call(planner, object) ?? [],
        (error) => [plannerProblem(error, 'the annotations as far as they can be read')],
      ),
    retire: (wanted, cause) =>
      attempt<Json | null>(
        'retire',
        () => storable(planner.retire(wanted, cause)),
        () => null,
      ),
    adopt: (wanted, previous) =>
      attempt(
        'adopt',
        () => storable(adopt?.call(planner, wanted, previous) ?? wanted),
        () => wanted,
      ),
  };
}

/** The failures of planners until somebody takes them: a storm of them is one of each kind, with its last error. */
export class PlannerFailures {
  readonly #failures = new Map<string, CountedFailure>();

  readonly add = (failure: PlannerFailure): void => {
    const key = `${failure.destination} ${failure.call}`;
    this.#failures.set(key, { ...failure, count: (this.#failures.get(key)?.count ?? 0) + 1 });
  };

  take(): CountedFailure[] {
    const taken = [...this.#failures.values()];
    this.#failures.clear();
    return taken;
  }
}

/** How an error of a planner stands among what is wrong with a CronJob. */
export function plannerProblem(error: string, used: string) {
  const allowed = 'nothing is wrong with the CronJob: the bridge has an error, which its release notes may know';
  return { annotation: PLANNER_ERROR, value: error, allowed, used };
}

/** Throws for what would throw only where it is written. */
function storable<T>(value: T): T {
  if (JSON.stringify(value) === undefined) throw new TypeError('the planner gave nothing');
  return value;
}

function storablePlan(planned: Planned): Planned {
  if (planned === null) return null;
  if ('drop' in planned) return planned;
  for (const { key, lane, waitsFor = '', logsOf = '', payload, limits } of planned.intents) {
    if ([key, lane, waitsFor, logsOf, ...limits.map((limit) => limit.key)].some((text) => typeof text !== 'string')) {
      throw new TypeError('the planner gave an intent without key or lane');
    }
    storable(payload);
  }
  if (planned.memo !== undefined) storable(planned.memo);
  return planned;
}
