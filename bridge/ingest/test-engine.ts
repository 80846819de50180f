import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPlanner, PREFIX } from '../../test/fixtures/default-sink.ts';
import { condition, cronJobFacts, jobFacts, ownedBy, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts, Facts, JobFacts, Observation } from '../kubernetes/observation.ts';
import type { Run, Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Planner } from '../sinks/sink.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import type { Batch } from './batch.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { createEngine } from './engine.ts';
import type { CountedFailure } from '../turn/guarded-planner.ts';

export const CRON = cronJobFacts();
export const JOB_UID = jobFacts().uid;
export const uidOf = (number: number): string => `11111111-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** A Job that `CRON`'s schedule made, running since T0 + 1 s. */
export function scheduled(changes: Partial<JobFacts> = {}): JobFacts {
  return jobFacts({ owner: ownedBy(CRON), scheduledAt: T0, startAt: T0 + 1_000, resourceVersion: '110', ...changes });
}

/** The same Job, complete at T0 + 9 s. */
export function complete(changes: Partial<JobFacts> = {}): JobFacts {
  const conditions = [condition('Complete', T0 + 9_000)];
  return scheduled({ resourceVersion: '120', conditions, completionAt: T0 + 9_000, ...changes });
}

/** A CronJob with annotations of the sink, by their short names. */
export function annotated(annotations: Record<string, string>, changes: Partial<CronJobFacts> = {}): CronJobFacts {
  const full = Object.entries(annotations).map(([name, value]) => [PREFIX + name, value]);
  return cronJobFacts({ annotations: Object.fromEntries(full), ...changes });
}

export const at = (facts: Facts, observedAt: Instant, deleted = false): Observation => ({ facts, deleted, observedAt });

let version = 1_000;
/** A newer version of `CRON`, due every five minutes: the first time at T0 + 5 min. */
export function cron(changes: Partial<CronJobFacts> = {}): CronJobFacts {
  return cronJobFacts({ schedule: '*/5 * * * *', resourceVersion: String(version++), ...changes });
}

export interface Ping {
  readonly destination: string;
  readonly key: string;
  readonly series: string;
  readonly state: string;
  readonly stamp: number;
}

export interface TestEngineOptions {
  readonly planners?: readonly Planner[];
  readonly cutoff?: Instant;
  readonly running?: 'announce' | 'suppress';
  readonly engine?: EngineOptions;
}

/** The real engine on a real store in a temporary folder. */
export class TestEngine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'engine-'));
  #options: Required<TestEngineOptions>;
  #store: Store;
  #engine: Engine;
  /** Players of recorded cases still call desired rows `monitors`. */
  readonly reader: ReadStore & { readonly monitors: ReadStore['desired'] };

  constructor(options: TestEngineOptions = {}) {
    const planners = [defaultPlanner()];
    this.#options = { planners, cutoff: T0, running: 'announce', engine: {}, ...options };
    [this.#store, this.#engine] = this.#open();
    const reader = openReader(this.path);
    this.reader = Object.assign(reader, { monitors: reader.desired.bind(reader) });
  }

  get store(): Store {
    return this.#store;
  }

  get audit(): Engine['audit'] {
    return this.#engine.audit;
  }

  get path(): string {
    return join(this.#folder, 'bridge.db');
  }

  /** Commits observations as one batch, a minute after T0 unless `now` says otherwise. */
  take(observations: readonly Observation[], now: Instant = T0 + 60_000): { readonly poisoned: number } {
    return this.#engine.commit([{ observations, quarantine: [], records: [], newestAt: now }], now);
  }

  commit(batches: readonly Batch[], now: Instant): { readonly poisoned: number } {
    return this.#engine.commit(batches, now);
  }

  takePlannerFailures(): CountedFailure[] {
    return this.#engine.takePlannerFailures();
  }

  tick(now: Instant): void {
    this.#engine.tick(now);
  }

  /** Records flow and ticks go, four times a minute. */
  live(from: Instant, to: Instant): void {
    for (let now = from; now <= to; now += 15_000) {
      this.take([], now);
      this.tick(now);
    }
  }

  retire(on: boolean, now: Instant = T0 + 60_000): void {
    this.#engine.retire(on, 'ada', now);
  }

  /** Closes the store and opens it again, maybe under another configuration; what only memory knew is gone. */
  restart(planners = this.#options.planners, now: Instant = T0): void {
    this.#store.close();
    this.#options = { ...this.#options, planners };
    [this.#store, this.#engine] = this.#open(now);
    this.#engine.replan(now);
  }

  close(): void {
    this.reader.close();
    this.#store.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** Every planned ping, in the order of their making. */
  pings(): Ping[] {
    const { items } = this.reader.deliveries({ limit: 1_000 });
    return items.toReversed().map(({ destination, payload }) => {
      const { key, query } = payload as { key: string; query: { state: string; stamp: string; series: string } };
      return { destination, key, series: query.series, state: query.state, stamp: Number(query.stamp) * 1_000 };
    });
  }

  /** `state@seconds after T0` of every ping of a run. */
  reported(series: string = JOB_UID): string[] {
    const own = this.pings().filter((ping) => ping.series === series);
    return own.map(({ state, stamp }) => `${state}@${(stamp - T0) / 1_000}`);
  }

  run(uid: string = JOB_UID): Run | undefined {
    return this.reader.run(uid)?.run;
  }

  transitions(uid: string = JOB_UID): readonly Transition[] {
    return this.reader.run(uid)?.transitions ?? [];
  }

  /** `verdict reason` of the decisions on a run, the oldest first. */
  decisions(uid: string = JOB_UID): string[] {
    const decisions = this.reader.run(uid)?.decisions ?? [];
    return decisions.map(({ verdict, reason }) => (reason === undefined ? verdict : `${verdict} ${reason}`));
  }

  /** Whether each desired row is paused; undefined when it never mentioned that. */
  pausedRows(): Map<string, unknown> {
    const { items } = this.reader.desired({ limit: 100 });
    return new Map(items.map(({ key, wanted }) => [key, (wanted as { paused?: unknown }).paused]));
  }

  #open(now: Instant = T0): [Store, Engine] {
    const { planners, cutoff, running, engine } = this.#options;
    const store = openStore(this.path, { now: () => now });
    return [
      store,
      createEngine(
        store,
        planners.map((planner) => ({ planner, rule: { cutoff, running } })),
        engine,
      ),
    ];
  }
}
