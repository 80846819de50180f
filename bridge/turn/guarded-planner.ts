import type { Json } from '../lib/json.ts';
import { errorText } from '../lib/errors.ts';
import type { Reason } from '../lib/reasons.ts';
import { REASONS } from '../lib/reasons.ts';
import { redact } from '../kubernetes/redact.ts';
import type { AnnotationProblem, Desired, Intent, Planned, Planner } from '../sinks/sink.ts';
import type { StormReport } from '../sinks/storm.ts';
import { FORGET, HOLD } from '../sinks/sink.ts';
import { PLANNER_ERROR } from '../store/problems.ts';
import { StoreTrouble } from '../store/trouble.ts';

const MAX_ERROR = 300;

/** One call of a planner that threw, or gave what cannot be stored. */
export interface PlannerFailure {
  readonly destination: string;
  readonly call: 'plan' | 'wantsLogs' | 'planDesired' | 'planOwn' | 'digest' | 'problems' | 'retire' | 'adopt';
  readonly error: string;
}

/** `count`: how often since it was last reported; the error is the last one. */
export interface CountedFailure extends PlannerFailure {
  readonly count: number;
}

/** Desired state that could not be planned: what was wanted before stays. */
export interface Unplanned {
  readonly error: string;
}

/** A planner that never throws: its error costs what was to be planned for this destination, and nothing else. */
export interface GuardedPlanner extends Omit<Planner, 'planDesired' | 'planOwn'> {
  digest?(report: StormReport): readonly Intent[];
  planDesired(...args: Parameters<Planner['planDesired']>): readonly Desired[] | Unplanned;
  planOwn?(): readonly Desired[] | Unplanned;
}

type Failed = (failure: PlannerFailure) => void;

/**
 * Guards every call of a planner; `failed` hears of each that threw. Trouble of the store, which a planner meets when it
 * reads its context, is not the planner's and is thrown on.
 */
export function guarded(planner: Planner, failed: Failed): GuardedPlanner {
  return new Guarded(planner, failed);
}

class Guarded implements GuardedPlanner {
  readonly #planner: Planner;
  readonly #failed: Failed;
  readonly destination: string;
  readonly hears: Planner['hears'];
  readonly reads: Planner['reads'];
  readonly reportsUnknown?: true;
  readonly removeAfterMs?: number;
  readonly elect?: 'oldest' | 'newest';
  readonly assertEveryMs?: number | 'never';
  readonly storm?: NonNullable<Planner['storm']>;

  constructor(planner: Planner, failed: Failed) {
    this.#planner = planner;
    this.#failed = failed;
    this.destination = planner.destination;
    this.hears = planner.hears;
    this.reads = planner.reads;
    if (planner.reportsUnknown !== undefined) this.reportsUnknown = planner.reportsUnknown;
    if (planner.storm !== undefined) this.storm = planner.storm;
    if (planner.removeAfterMs !== undefined) this.removeAfterMs = planner.removeAfterMs;
    if (planner.elect !== undefined) this.elect = planner.elect;
    if (planner.assertEveryMs !== undefined) this.assertEveryMs = planner.assertEveryMs;
  }

  plan(...args: Parameters<Planner['plan']>): Planned {
    const work = (): Planned => storablePlan(this.#planner.plan(...args));
    return this.#attempt('plan', work, (detail) => ({ drop: 'planner_error', detail }));
  }

  wantsLogs(...args: Parameters<NonNullable<Planner['wantsLogs']>>): boolean {
    const work = (): boolean => this.#planner.wantsLogs?.(...args) === true;
    return this.#attempt('wantsLogs', work, () => false);
  }

  planDesired(...args: Parameters<Planner['planDesired']>): readonly Desired[] | Unplanned {
    const work = (): readonly Desired[] | Unplanned => storableRows(this.#planner.planDesired(...args));
    return this.#attempt('planDesired', work, (error) => ({ error }));
  }

  planOwn(): readonly Desired[] | Unplanned {
    const work = (): readonly Desired[] | Unplanned => storableRows(this.#planner.planOwn?.() ?? []);
    return this.#attempt('planOwn', work, (error) => ({ error }));
  }

  digest(report: StormReport): readonly Intent[] {
    const work = (): readonly Intent[] => this.#planner.storm?.digest(report).map(storableIntent) ?? [];
    return this.#attempt('digest', work, () => []);
  }

  problems(...args: Parameters<NonNullable<Planner['problems']>>): readonly AnnotationProblem[] {
    const work = (): readonly AnnotationProblem[] => readableProblems(this.#planner.problems?.(...args) ?? []);
    return this.#attempt('problems', work, (error) => [plannerProblem(error, 'what of its annotations can be read')]);
  }

  retire(...args: Parameters<Planner['retire']>): ReturnType<Planner['retire']> {
    const work = (): ReturnType<Planner['retire']> => {
      const retired = this.#planner.retire(...args);
      return retired === FORGET ? retired : storable(retired);
    };
    return this.#attempt('retire', work, () => null);
  }

  adopt(wanted: Json, previous: Json): Json {
    return this.#attempt(
      'adopt',
      () => storable(this.#planner.adopt?.(wanted, previous) ?? wanted),
      () => wanted,
    );
  }

  #attempt<T>(call: PlannerFailure['call'], work: () => T, instead: (error: string) => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof StoreTrouble) throw error;
      const text = redact(errorText(error)).slice(0, MAX_ERROR);
      this.#failed({ destination: this.destination, call, error: text });
      return instead(text);
    }
  }
}

/** The failures of planners until they are taken: a storm of them is one of each kind, with its last error. */
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
export function plannerProblem(error: string, used: string): AnnotationProblem {
  const allowed = 'nothing is wrong with the object: the bridge has an error, which its release notes may know';
  return { annotation: PLANNER_ERROR, value: error, allowed, used };
}

/** Throws for what would throw only where it is written. */
function storable<T>(value: T): T {
  if (JSON.stringify(value) === undefined) throw new TypeError('the planner gave nothing');
  return value;
}

function storableRows(rows: readonly Desired[]): readonly Desired[] {
  if (!Array.isArray(rows)) throw new TypeError('the planner gave no list of desired rows');
  for (const { key, wanted } of rows as readonly Desired[]) {
    if (typeof key !== 'string') throw new TypeError('the planner gave a desired row without key');
    if (wanted !== HOLD) storable(wanted);
  }
  return rows;
}

function readableProblems(problems: readonly AnnotationProblem[]): readonly AnnotationProblem[] {
  if (!Array.isArray(problems)) throw new TypeError('the planner gave no list of problems');
  for (const { annotation, value, allowed, used } of problems as readonly AnnotationProblem[]) {
    if ([annotation, value, allowed, used].some((text) => typeof text !== 'string')) {
      throw new TypeError('the planner gave a problem without its texts');
    }
  }
  return problems;
}

function storableDrop<T extends Extract<Planned, { readonly drop: Reason }>>(planned: T): T {
  const { drop, detail = '' } = planned;
  if (!Object.hasOwn(REASONS, drop) || typeof detail !== 'string') {
    throw new TypeError('the planner gave a drop without a reason');
  }
  return planned;
}

function storableIntent(intent: Intent): Intent {
  const { key, lane, waitsFor = '', story = '', payload, limits, storm } = intent;
  const marks = storm === undefined ? [] : [storm.group, storm.what];
  if (
    [key, lane, waitsFor, story, ...marks, ...limits.map((limit) => limit.key)].some((text) => typeof text !== 'string')
  )
    throw new TypeError('the planner gave an intent without key or lane');
  if (storm !== undefined) storable(storm.scope);
  return { ...intent, payload: storable(payload) };
}

function storablePlan(planned: Planned): Planned {
  if (planned === null) return null;
  if ('drop' in planned) return storableDrop(planned);
  planned.intents.forEach(storableIntent);
  if (planned.memo !== undefined) storable(planned.memo);
  return planned;
}
