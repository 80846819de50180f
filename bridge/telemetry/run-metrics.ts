import type { ActiveRuns, EndedRun, Pipeline } from '../lifecycle/ended-run.ts';
import type { RunStatus } from '../lifecycle/transition.ts';
import type { Exemplar, Format, Labels } from './exposition.ts';
import { headLines, sampleLine } from './exposition.ts';
import { Histogram } from './histogram.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { METRICS, prometheusName } from './names.ts';

const DURATION_BOUNDS = [1, 5, 15, 60, 300, 900, 3600, 10_800, 43_200, 86_400];
const ATTEMPT_BOUNDS = [1, 2, 3, 5, 10, 100];

/** How many pipelines have series of their own: those that run again, and those that ran once. */
const LIMITS = { recurring: 1000, single: 200 };
/** One without a run for this long makes room for a new one. */
const IDLE_MS = 24 * 3_600_000;
const MAX_ERROR_TYPES = 10;
const ERROR_TYPE = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;
/** What the semantic conventions call an error type that has no name. */
const OTHER_ERROR = '_OTHER';
/** What the log says when runs share the series of the overflow. */
export const OVERFLOW_TEXT =
  'more CronJobs, workloads or single Jobs ran within a day than metrics of runs keep apart; the others are counted together, with otel_metric_overflow="true"';
const OVERFLOW: Labels = { 'otel.metric.overflow': 'true' };

type State = 'pending' | 'executing';
const STATES: Partial<Record<RunStatus, State>> = {
  pending: 'pending',
  suspended: 'pending',
  running: 'executing',
  stuck: 'executing',
};

/** A series of a metric by its labels. */
type SeriesOf<T> = Map<string, { readonly labels: Labels; value: T }>;

interface Kept {
  readonly labels: Labels;
  usedAt: number;
  readonly durations: SeriesOf<Histogram>;
  readonly attempts: SeriesOf<Histogram>;
  readonly errors: SeriesOf<{ count: number; exemplar: Exemplar }>;
  readonly active: SeriesOf<number>;
}

/**
 * How the runs of each pipeline went since the start of the bridge. It is not in OpenTelemetry's SDK, which has no exemplars
 * and forgets no series: a cluster with a namespace for each pull request would fill it. Beyond the limits all others share
 * the series with `otel_metric_overflow="true"`.
 */
export class RunMetrics {
  readonly #now: () => number;
  readonly #limits: typeof LIMITS;
  readonly #kept = { recurring: new Map<string, Kept>(), single: new Map<string, Kept>() };
  readonly #overflow: Kept = keptOf(OVERFLOW, 0);
  #readActive: () => readonly ActiveRuns[] = () => [];

  constructor(now: () => number, limits = LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  /** False when the run shares the series of the overflow. */
  ended(run: EndedRun): boolean {
    const { pipeline, traceId, at, result, errorType, waitMs, runMs, attempts } = run;
    const kept = this.#of(pipeline);
    const exemplar = (value: number): Exemplar => ({ traceId, value, at });
    const type = errorType === undefined ? undefined : boundedError(kept, errorType);
    const record = (of: SeriesOf<Histogram>, bounds: readonly number[], labels: Labels, value: number): void =>
      seriesOf(of, { ...kept.labels, ...labels }, () => new Histogram(bounds)).value.record(value, exemplar(value));
    if (waitMs !== undefined) record(kept.durations, DURATION_BOUNDS, stateLabel('pending'), waitMs / 1000);
    const outcome = { 'cicd.pipeline.result': result, ...(type !== undefined && { 'error.type': type }) };
    if (runMs !== undefined)
      record(kept.durations, DURATION_BOUNDS, { ...stateLabel('executing'), ...outcome }, runMs / 1000);
    if (attempts !== undefined) record(kept.attempts, ATTEMPT_BOUNDS, { 'cicd.pipeline.result': result }, attempts);
    if (type !== undefined) {
      const none = () => ({ count: 0, exemplar: exemplar(1) });
      const { value } = seriesOf(kept.errors, { ...kept.labels, 'error.type': type }, none);
      value.count++;
      value.exemplar = exemplar(1);
    }
    return kept !== this.#overflow;
  }

  /** Reads at each collection which runs go on. */
  observe(read: () => readonly ActiveRuns[]): void {
    this.#readActive = read;
  }

  text(format: Format): string {
    this.#countActive();
    const all = this.#all();
    const { runDuration, runAttempts, runErrors, runActive } = METRICS;
    return [
      family(runDuration, all, ({ durations }) => durations, format, histogram),
      family(runActive, all, ({ active }) => active, format, sampleLine),
      family(runErrors, all, ({ errors }) => errors, format, counted),
      family(runAttempts, all, ({ attempts }) => attempts, format, histogram),
    ].join('');
  }

  #all(): Kept[] {
    return [...this.#kept.recurring.values(), ...this.#kept.single.values(), this.#overflow];
  }

  /** A series that was there once is 0 from then on, or it would stay at its last value. */
  #countActive(): void {
    for (const { active } of this.#all()) for (const series of active.values()) series.value = 0;
    for (const { status, count, ...pipeline } of this.#readActive()) {
      const state = STATES[status];
      if (state === undefined) continue;
      const kept = this.#of(pipeline);
      seriesOf(kept.active, { ...kept.labels, ...stateLabel(state) }, () => 0).value += count;
    }
  }

  #of({ kind, namespace, name, recurs }: Pipeline): Kept {
    const group = recurs ? 'recurring' : 'single';
    const [all, key] = [this.#kept[group], `${kind}/${namespace}/${name}`];
    const now = this.#now();
    const known = all.get(key);
    all.delete(key); // the first of a Map is the one that was used least recently
    const kept = known ?? (this.#makesRoom(all, this.#limits[group], now) ? keptOf(labelsOf(), now) : undefined);
    if (kept === undefined) return this.#overflow;
    kept.usedAt = now;
    all.set(key, kept);
    return kept;

    function labelsOf(): Labels {
      return {
        'cicd.pipeline.name': name,
        'lifecycle_bridge.run.namespace': namespace,
        'lifecycle_bridge.run.kind': kind,
      };
    }
  }

  #makesRoom(all: Map<string, Kept>, limit: number, now: number): boolean {
    if (all.size < limit) return true;
    const [oldest] = all;
    if (oldest === undefined || now - oldest[1].usedAt < IDLE_MS) return false;
    return all.delete(oldest[0]);
  }
}

function keptOf(labels: Labels, usedAt: number): Kept {
  return { labels, usedAt, durations: new Map(), attempts: new Map(), errors: new Map(), active: new Map() };
}

function stateLabel(state: State): Labels {
  return { 'cicd.pipeline.run.state': state };
}

/** Reasons are words of Kubernetes, or of whoever made the condition: neither odd ones nor many of them grow the metrics. */
function boundedError({ errors }: Kept, type: string): string {
  const known = new Set([...errors.values()].map(({ labels }) => labels['error.type']));
  return ERROR_TYPE.test(type) && (known.has(type) || known.size < MAX_ERROR_TYPES) ? type : OTHER_ERROR;
}

function seriesOf<T>(of: SeriesOf<T>, labels: Labels, make: () => T): { readonly labels: Labels; value: T } {
  const key = Object.values(labels).join('\0');
  let series = of.get(key);
  if (series === undefined) of.set(key, (series = { labels, value: make() }));
  return series;
}

type Lines<T> = (name: string, labels: Labels, value: T, format: Format) => string;

function family<T>(
  definition: MetricDefinition,
  all: readonly Kept[],
  of: (kept: Kept) => SeriesOf<T>,
  format: Format,
  lines: Lines<T>,
): string {
  const series = all.flatMap((kept) => [...of(kept).values()]);
  if (series.length === 0) return '';
  const name = prometheusName(definition);
  const head = headLines(name, definition.type, definition.description, format);
  return head + series.map(({ labels, value }) => lines(name, labels, value, format)).join('');
}

const histogram: Lines<Histogram> = (name, labels, value, format) => value.text(name, labels, format);
const counted: Lines<{ count: number; exemplar: Exemplar }> = (name, labels, { count, exemplar }, format) =>
  sampleLine(`${name}_total`, labels, count, format, exemplar);
