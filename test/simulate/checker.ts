import { uuidv5 } from '../../bridge/lib/ids.ts';
import type { ReadStore } from '../../bridge/store/read.ts';
import { openReader } from '../../bridge/store/sqlite/open.ts';
import type { Ping } from '../vendors/cronitor.ts';
import { checkMonitors } from './check-monitors.ts';
import type { Simulation } from './simulation.ts';
import type { JobTruth, Outcome } from './world/truth.ts';

/** Something that the bridge must not do, and whose run or monitor it is about. */
export interface Failure {
  readonly what: string;
  readonly uid?: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** `firstSight.lookback` as it is by default. */
const LOOKBACK_MS = 15 * MINUTE;

const OVER_BEFORE = 'it was over before the cut-off';

const STATES: Readonly<Record<Outcome, string>> = {
  succeeded: 'complete',
  failed: 'fail',
  cancelled: 'fail',
  replaced: 'complete',
  never_started: '',
};

/** Everything that is wrong at the end of a simulation, by the truth of its world. */
export function check(simulation: Simulation): Failure[] {
  if (simulation.lives.length === 0) return [{ what: 'the bridge never started' }];
  const reader = openReader(simulation.storePath);
  try {
    return [
      ...checkErrors(simulation),
      ...checkRuns(simulation, reader),
      ...checkMonitors(simulation),
      ...checkSettled(simulation, reader),
    ];
  } finally {
    reader.close();
  }
}

/** What a bridge must not do whatever the world does. */
function checkErrors({ errors, cronitor, lives }: Simulation): Failure[] {
  const crashes = errors.filter((text) => text.startsWith('crash') || text.startsWith('outbox'));
  // A new process does not know what the last one sent within a second.
  const justBegan = (at: number): boolean => lives.some((life) => at >= life.startedAt && at - life.startedAt < MINUTE);
  const violations = cronitor.violations.filter(({ kind, at }) => kind !== 'rate' || !justBegan(at));
  return [
    ...crashes.map((text) => ({ what: text })),
    ...violations.map(({ kind, detail }) => ({ what: `a careful client would not do that: ${kind} ${detail}` })),
    ...cronitor.autoCreated.map((key) => ({ what: `a ping made the monitor ${key}` })),
  ];
}

function checkRuns(simulation: Simulation, reader: ReadStore): Failure[] {
  const { truth, cronitor } = simulation;
  const bySeries = Map.groupBy(cronitor.pings, ({ query }) => query.series ?? '');
  const failures: Failure[] = [];
  for (const job of truth.jobs.values()) {
    const own = bySeries.get(job.uid) ?? [];
    const inferred = bySeries.get(inferredUid(job)) ?? [];
    bySeries.delete(job.uid);
    bySeries.delete(inferredUid(job));
    const wrong = new RunCheck(simulation, reader, job, own, inferred).wrong();
    if (wrong !== undefined) failures.push({ what: `${job.namespace}/${job.name}: ${wrong}`, uid: job.uid });
  }
  for (const series of bySeries.keys()) failures.push({ what: `pings of a run that never was: ${series}` });
  return failures;
}

function inferredUid({ cronJob, scheduledAt }: JobTruth): string {
  return scheduledAt === undefined ? 'none' : uuidv5(`${cronJob?.uid}/${scheduledAt}`);
}

/** What Cronitor was told of one run. */
class RunCheck {
  readonly #simulation: Simulation;
  readonly #reader: ReadStore;
  readonly #job: JobTruth;
  readonly #pings: readonly Ping[];

  constructor(
    simulation: Simulation,
    reader: ReadStore,
    job: JobTruth,
    own: readonly Ping[],
    inferred: readonly Ping[],
  ) {
    this.#simulation = simulation;
    this.#reader = reader;
    this.#job = job;
    this.#pings = [...own, ...inferred].toSorted((a, b) => a.at - b.at);
  }

  wrong(): string | undefined {
    const told = this.#withoutRepeats();
    if (typeof told === 'string') return told;
    // Its logs come by themselves, in whatever order.
    const edges = told.filter(({ query }) => query.state !== 'logs');
    const states = edges.map(({ query }) => query.state).join(' ');
    const silent = this.#mustBeSilent();
    if (silent !== undefined && told.length === 0) return this.#noReason();
    if (silent !== undefined && !this.#lookedRunning(silent)) return `told ${states}, but ${silent}`;
    return this.#order(states) ?? this.#times(edges);
  }

  /** Each once: again only where the bridge could not know that it was heard. Or what is wrong with that. */
  #withoutRepeats(): Ping[] | string {
    const { sent } = this.#simulation;
    const told: Ping[] = [];
    for (const ping of this.#pings) {
      const text = pingText(ping);
      const before = told.find((other) => pingText(other) === text);
      if (before === undefined) {
        told.push(ping);
        continue;
      }
      const tries = sent.filter((one) => one.ping === text && one.sentAt < ping.at && one.status === 200);
      // The last of them is this one.
      if (!tries.slice(0, -1).every((one) => this.#mayBeUnknown(one))) return `told twice: ${text}`;
    }
    return told;
  }

  #mayBeUnknown({ answeredAt, program }: Simulation['sent'][number]): boolean {
    if (answeredAt === undefined) return true;
    const { weather, lives } = this.#simulation;
    const diedAt = lives.find((life) => life.program === program)?.diedAt ?? Infinity;
    return diedAt - answeredAt < 5 * SECOND || weather.was('disk-full', answeredAt, answeredAt);
  }

  #mustBeSilent(): string | undefined {
    const { outcome, endedAt = Infinity, cronJob } = this.#job;
    if (cronJob === undefined) return 'it has no CronJob';
    if (cronJob.excluded) return 'its CronJob is excluded';
    if (outcome === 'never_started') return 'it never started';
    return endedAt < this.#cutoff() - SECOND ? OVER_BEFORE : undefined;
  }

  /** The Collector's queue brought its start before its end: what was told of the start must not stay open. */
  #lookedRunning(silent: string): boolean {
    return silent === OVER_BEFORE && this.#simulation.shown.get(this.#job.uid)?.runningAt !== undefined;
  }

  #cutoff(): number {
    return this.#simulation.lives[0]!.startedAt - LOOKBACK_MS;
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
    if (outcome === 'replaced' && states === 'run fail') return this.#replacementUnseen();
    // What nobody showed the bridge it cannot tell.
    if (states === '' && !started && shown?.endedAt === undefined) return undefined;
    if (states === 'run' && shown?.endedAt === undefined) return undefined;
    if (states === 'run complete fail' && end === 'fail') return undefined;
    if (states === '' && this.#neverOwned()) return undefined;
    const told = states === '' ? 'nothing was told' : `told ${states}`;
    return `${told}, expected run ${end} (${outcome}; ${shownText(shown)})`;
  }

  /** Whoever did not see the successor in time had to call it cancelled. */
  #replacementUnseen(): string | undefined {
    const { shown } = this.#simulation;
    const { uid, successor } = this.#job;
    const deletedAt = shown.get(uid)?.deletedAt ?? 0;
    const successorAt = successor === undefined ? Infinity : (shown.get(successor.uid)?.at ?? Infinity);
    return successorAt < deletedAt + 25 * SECOND ? 'told fail, but it was replaced' : undefined;
  }

  /** Its CronJob was never shown: nobody knows that it has a monitor. */
  #neverOwned(): boolean {
    const { cronJob } = this.#job;
    return cronJob === undefined || this.#simulation.shown.get(cronJob.uid) === undefined;
  }

  #times(told: readonly Ping[]): string | undefined {
    const { startedAt, endedAt = 0, outcome, uid, scheduledAt } = this.#job;
    const shown = this.#simulation.shown.get(uid);
    for (const { query } of told) {
      const stamp = Number(query.stamp) * SECOND;
      if (query.series !== uid) continue; // inferred: the times are concluded
      if (query.state === 'run' && stamp !== startedAt && stamp !== scheduledAt)
        return `start told at ${time(stamp)}, was ${time(startedAt)}`;
      if (query.state === 'run') continue;
      const isExact = outcome === 'succeeded' || outcome === 'failed';
      if (isExact && stamp !== endedAt) return `end told at ${time(stamp)}, was ${time(endedAt)}`;
      const latest = (shown?.deletedAt ?? endedAt) + 3 * SECOND;
      if (!isExact && (stamp < endedAt - 4 * SECOND || stamp > latest))
        return `end told at ${time(stamp)}, was ${time(endedAt)}`;
    }
    return undefined;
  }
}

function checkSettled({ collector, scheduler }: Simulation, reader: ReadStore): Failure[] {
  const failures: Failure[] = [];
  if (collector.waiting > 0) failures.push({ what: `${collector.waiting} exports still wait in the Collector` });
  for (const status of ['pending', 'sending'] as const) {
    for (const row of reader.deliveries({ limit: 5, status }).items)
      failures.push({
        what: `still ${status} at ${time(scheduler.now)}: ${JSON.stringify(row.payload)} ${row.detail}`,
      });
  }
  for (const row of reader.desired({ limit: 200 }).items)
    if (row.notInSyncSince !== undefined) failures.push({ what: `not in sync: ${JSON.stringify(row)}` });
  return failures;
}

function pingText({ query: { series, state, stamp } }: Ping): string {
  return `${series} ${state} ${stamp}`;
}

export function time(at: number | undefined): string {
  return at === undefined ? 'never' : new Date(at).toISOString().slice(5, 23).replace('T', ' ');
}

function shownText(shown: ReturnType<Simulation['shown']['get']>): string {
  if (shown === undefined) return 'never shown';
  return `shown ${time(shown.at)}, start ${time(shown.startedAt)}, end ${time(shown.endedAt)}`;
}
