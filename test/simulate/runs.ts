import { uuidv5 } from '../../bridge/lib/ids.ts';
import type { ReadStore } from '../../bridge/store/read.ts';
import type { Failure } from './checker.ts';
import type { Tenure } from './destinations.ts';
import type { Heard } from './heard.ts';
import { withoutRepeats } from './heard.ts';
import type { Simulation } from './simulation.ts';
import type { Checking } from './vendors/vendor.ts';
import type { JobTruth, Outcome } from './world/truth.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** `firstSight.lookback` as it is by default. */
const LOOKBACK_MS = 15 * MINUTE;
/** How late anything may be reported, with all that may be in the way of it. */
const SLOW_MS = 3 * 60 * MINUTE;

const OVER_BEFORE = 'it was over before the cut-off';

const STATES: Readonly<Record<Outcome, string>> = {
  succeeded: 'complete',
  failed: 'fail',
  cancelled: 'fail',
  replaced: 'complete',
  never_started: '',
};

/** What a vendor does otherwise. */
export interface Rules {
  /** Of a start that is late only the end is sent. */
  readonly lateStartsAreLeftOut?: boolean;
}

/** What is wrong with what a vendor heard of Jobs. `silent` says of which it should hear nothing, and why. */
export function checkJobs(
  checking: Checking,
  heard: readonly Heard[],
  silent: (job: JobTruth) => string | undefined,
  rules: Rules = {},
): Failure[] {
  const byUid = Map.groupBy(heard, ({ uid }) => uid);
  const failures: Failure[] = [];
  for (const job of checking.simulation.truth.jobs.values()) {
    const own = byUid.get(job.uid) ?? [];
    const inferred = byUid.get(inferredUid(job)) ?? [];
    byUid.delete(job.uid);
    byUid.delete(inferredUid(job));
    const all = [...own, ...inferred].toSorted((a, b) => a.at - b.at);
    const wrong = new JobCheck(checking, job, all, { silent: silent(job), rules }).wrong();
    if (wrong !== undefined) failures.push({ what: `${job.namespace}/${job.name}: ${wrong}`, uid: job.uid });
  }
  for (const uid of byUid.keys()) failures.push({ what: `reported a run that never was: ${uid}` });
  return failures;
}

function inferredUid({ cronJob, scheduledAt }: JobTruth): string {
  return scheduledAt === undefined ? 'none' : uuidv5(`${cronJob?.uid}/${scheduledAt}`);
}

/** What was before it, a destination does not hear of. */
export function cutoffOf({ shownFrom }: Tenure): number {
  return shownFrom - LOOKBACK_MS;
}

/** What was reported of one Job to a vendor. */
class JobCheck {
  readonly #simulation: Simulation;
  readonly #checking: Checking;
  readonly #reader: ReadStore;
  readonly #tenure: Tenure;
  readonly #job: JobTruth;
  readonly #heard: readonly Heard[];
  readonly #silent: string | undefined;
  readonly #rules: Rules;

  constructor(
    checking: Checking,
    job: JobTruth,
    heard: readonly Heard[],
    { silent, rules }: { readonly silent: string | undefined; readonly rules: Rules },
  ) {
    this.#rules = rules;
    this.#checking = checking;
    this.#simulation = checking.simulation;
    this.#reader = checking.reader;
    this.#tenure = checking.tenures[0]!;
    this.#job = job;
    this.#heard = heard;
    this.#silent = silent;
  }

  wrong(): string | undefined {
    const reported = withoutRepeats(this.#checking, this.#heard);
    if (typeof reported === 'string') return reported;
    // Its logs come by themselves, in whatever order.
    const edges = reported.filter(({ state }) => state !== 'other');
    const states = edges.map(({ state }) => state).join(' ');
    const silent = this.#mustBeSilent();
    if (this.#job.takenBack === true)
      return this.#isPart(
        edges.map(({ state }) => state),
        ['run', 'complete', 'fail'],
      );
    if (this.#isLoose()) return this.#isPart(edges.map(({ state }) => state));
    if (this.#wasKnown())
      return this.#joined(
        edges.map(({ state }) => state),
        silent,
      );
    if (silent !== undefined && reported.length === 0) return this.#noReason();
    if (silent !== undefined && !this.#lookedRunning(silent)) return `reported ${states}, but ${silent}`;
    return this.#order(states) ?? this.#times(edges);
  }

  /** The destination was set otherwise meanwhile: then some of it may be missing. */
  #isLoose(): boolean {
    const { startedAt = Infinity, uid, namespace } = this.#job;
    const { exceptions, removedAt } = this.#tenure;
    const { shown } = this.#simulation;
    const over = (shown.get(uid)?.endedAt ?? Infinity) + SLOW_MS;
    if (removedAt !== undefined && over >= removedAt) return true;
    return exceptions.some(({ kind, namespace: excluded, from, to }) => {
      const isOther = kind === 'dry-run' || (kind === 'excluded' && excluded === namespace);
      return isOther && over >= from && startedAt - LOOKBACK_MS <= to;
    });
  }

  /** The destination joined a bridge that knew the run already. */
  #wasKnown(): boolean {
    const { shown, lives } = this.#simulation;
    const { from, readyAt } = this.#tenure;
    return from > lives[0]!.startedAt && (shown.get(this.#job.uid)?.at ?? Infinity) <= readyAt;
  }

  /** It hears of what is recorded from then on: nothing of what was over, and the end of what ran. */
  #joined(states: readonly string[], silent: string | undefined): string | undefined {
    const { outcome, uid } = this.#job;
    const { from, readyAt } = this.#tenure;
    const reported = `reported ${states.join(' ') || 'nothing'}`;
    const endedAt = this.#simulation.shown.get(uid)?.endedAt ?? Infinity;
    if (endedAt < from - MINUTE && states.length > 0) return `${reported}, but it was over when the destination joined`;
    const ended = endedAt > readyAt && endedAt < Infinity && (outcome === 'succeeded' || outcome === 'failed');
    if (ended && silent === undefined && !this.#neverOwned() && !states.includes(STATES[outcome]))
      return `${reported}, and it ended when the destination had joined`;
    return this.#isPart(states);
  }

  #isPart(states: readonly string[], all?: readonly string[]): string | undefined {
    const { outcome } = this.#job;
    const allowed = all ?? ['run', outcome === undefined ? '' : STATES[outcome], 'fail'];
    let next = 0;
    const isPart = states.every((state) => (next = allowed.indexOf(state, next) + 1) > 0);
    if (!isPart) return `reported ${states.join(' ')}, expected a part of ${allowed.join(' ')}`;
    return this.#mustBeUnselected() && states.length > 0
      ? `reported ${states.join(' ')}, but it is not selected`
      : undefined;
  }

  /** Everything of it was shown while its namespace was excluded, and decided: an end may wait for its pods a while. */
  #mustBeUnselected(): boolean {
    const shown = this.#simulation.shown.get(this.#job.uid);
    if (shown === undefined) return false;
    return this.#tenure.exceptions.some(
      ({ kind, namespace, startedAt, until }) =>
        kind === 'excluded' &&
        namespace === this.#job.namespace &&
        shown.at > startedAt &&
        (shown.endedAt ?? Infinity) < until - MINUTE,
    );
  }

  #mustBeSilent(): string | undefined {
    const { outcome, endedAt = Infinity } = this.#job;
    if (this.#silent !== undefined) return this.#silent;
    if (outcome === 'never_started') return 'it never started';
    return endedAt < cutoffOf(this.#tenure) - SECOND ? OVER_BEFORE : undefined;
  }

  /** Kubernetes writes whole seconds: it may have ended before the cut-off by what the bridge can read, and after it in truth. */
  #isAtCutoff(): boolean {
    return Math.abs((this.#job.endedAt ?? Infinity) - cutoffOf(this.#tenure)) <= SECOND;
  }

  /** The Collector's queue brought its start before its end: what was reported of the start must not stay open. */
  #lookedRunning(silent: string): boolean {
    return silent === OVER_BEFORE && this.#simulation.shown.get(this.#job.uid)?.runningAt !== undefined;
  }

  /** What is not sent has a reason, if the bridge was shown the run at all. */
  #noReason(): string | undefined {
    const shown = this.#simulation.shown.get(this.#job.uid);
    if (shown?.endedAt === undefined || this.#isOld()) return undefined;
    const detail = this.#reader.run(this.#job.uid);
    if (detail === undefined) return 'the bridge knows nothing of it';
    return detail.decisions.length > 0 ? undefined : 'not sent, and no reason is recorded';
  }

  /** So old that retention may have forgotten it. */
  #isOld(): boolean {
    const { scheduler, plan } = this.#simulation;
    const shortest = plan.retentionMs - 30 * MINUTE;
    return (this.#job.removedAt ?? Infinity) < scheduler.now - shortest;
  }

  #order(states: string): string | undefined {
    const { outcome, uid } = this.#job;
    const shown = this.#simulation.shown.get(uid);
    const end = outcome === undefined ? '' : STATES[outcome];
    const started = shown?.startedAt !== undefined;
    if (states === `run ${end}`.trim() && outcome !== undefined) return undefined;
    if (this.#rules.lateStartsAreLeftOut === true && states === end && end !== '') return undefined;
    if (outcome === 'replaced' && states === 'run fail') return this.#replacementUnseen();
    // What the bridge was never shown it cannot report.
    if (states === '' && !started && shown?.endedAt === undefined) return undefined;
    if (states === 'run' && shown?.endedAt === undefined) return undefined;
    if (states === 'run complete fail' && end === 'fail') return undefined;
    if (states === '' && (this.#neverOwned() || this.#isAtCutoff())) return undefined;
    const reported = states === '' ? 'nothing was reported' : `reported ${states}`;
    return `${reported}, expected run ${end} (${outcome}; ${shownText(shown)})`;
  }

  /** Whoever did not see the successor in time had to call it cancelled. */
  #replacementUnseen(): string | undefined {
    const { shown } = this.#simulation;
    const { uid, successor } = this.#job;
    const deletedAt = shown.get(uid)?.deletedAt ?? 0;
    const successorAt = successor === undefined ? Infinity : (shown.get(successor.uid)?.at ?? Infinity);
    return successorAt < deletedAt + 25 * SECOND ? 'reported fail, but it was replaced' : undefined;
  }

  /** Its CronJob was never shown: nobody knows that it has a monitor. */
  #neverOwned(): boolean {
    const { cronJob } = this.#job;
    return cronJob === undefined || this.#simulation.shown.get(cronJob.uid) === undefined;
  }

  #times(heard: readonly Heard[]): string | undefined {
    const { startedAt, endedAt = 0, outcome, uid, scheduledAt } = this.#job;
    const shown = this.#simulation.shown.get(uid);
    for (const { uid: reported, state, stamp } of heard) {
      // Of one that is inferred the times are concluded.
      if (reported !== uid || stamp === undefined) continue;
      if (state === 'run' && stamp !== startedAt && stamp !== scheduledAt)
        return `start reported at ${time(stamp)}, was ${time(startedAt)}`;
      if (state === 'run') continue;
      const isExact = outcome === 'succeeded' || outcome === 'failed';
      if (isExact && stamp !== endedAt) return `end reported at ${time(stamp)}, was ${time(endedAt)}`;
      const latest = (shown?.deletedAt ?? endedAt) + 3 * SECOND;
      if (!isExact && (stamp < endedAt - 4 * SECOND || stamp > latest))
        return `end reported at ${time(stamp)}, was ${time(endedAt)}`;
    }
    return undefined;
  }
}

export function time(at: number | undefined): string {
  return at === undefined ? 'never' : new Date(at).toISOString().slice(5, 23).replace('T', ' ');
}

function shownText(shown: ReturnType<Simulation['shown']['get']>): string {
  if (shown === undefined) return 'never shown';
  return `shown ${time(shown.at)}, start ${time(shown.startedAt)}, end ${time(shown.endedAt)}`;
}
