import type { Attributes, BatchObservableResult, Counter, Histogram, Meter, Observable } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

import type { EndedRun } from '../lifecycle/ended-run.ts';
import type { TransitionKind } from '../lifecycle/transition.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { RecordResult } from '../ingest/batch.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Reason } from '../lib/reasons.ts';
import type { RefusedConnection, RequestOutcome } from '../otlp/receive/server.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { ReadStore } from '../store/read.ts';
import type { Format } from './exposition.ts';
import { asOpenMetrics } from './exposition.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { METRICS, prometheusName } from './names.ts';
import { RunMetrics } from './run-metrics.ts';

/** Everything the bridge counts about itself. Every call is cheap and never throws. */
export interface Metrics {
  request(outcome: RequestOutcome): void;
  refusedConnection(reason: RefusedConnection): void;
  record(kind: string, result: RecordResult, count?: number): void;
  /** Records with nothing new. */
  deduplicated(kind: Kind, result: 'unchanged' | 'known', count: number): void;
  /** How many records had nothing new, by kind, since the start. */
  quiet(): ReadonlyMap<string, number>;
  commit(ms: number): void;
  quarantine(reason: Reason, count?: number): void;
  plannerFailure(destination: string, call: string, count: number): void;
  transition(kind: TransitionKind, count?: number): void;
  /** False when the run shares the series of all beyond the limit. */
  ended(run: EndedRun): boolean;
  drop(destination: string, reason: Reason): void;
  list(kind: string, result: 'complete' | 'failed' | 'unaudited'): void;
  /** `difference`: missed, stale, gone or outdated. */
  difference(kind: string, difference: string, count: number): void;
  /** What became of the deletion of a pod of the Collector. */
  collectorRestart(outcome: string): void;
  /** What a backend behind the Collector refused. */
  backendRefused(exporter: string, count: number): void;
  /** Reads at each collection what the audit thinks of each kind. */
  observeAudit(read: () => readonly KindHealth[]): void;
  /** What became of a try to read the log of a container. */
  log(outcome: string): void;
  /** Reads at each collection in how many namespaces logs may not be read. */
  observeLogs(forbidden: () => number): void;
  delivery(destination: string, outcome: Delivery['outcome'], reason: Reason): void;
  /** When the last record of each kind was committed. */
  lastRecords(): ReadonlyMap<string, Instant>;
  /** Reads outbox depth and CronJobs from this store at each collection. */
  observeStore(reader: ObservedStore): void;
  /** Reads at each collection what sinks count by the names of other tools, in the Prometheus text format. */
  observeOthers(read: () => string): void;
  /** The Prometheus text format 0.0.4, or OpenMetrics, which has exemplars. */
  text(format?: Format): Promise<string>;
  close(): Promise<void>;
}

export interface KindHealth {
  readonly kind: string;
  readonly watchDead: boolean;
  readonly watchOwn: boolean;
  readonly unaudited: boolean;
}

/** The part of the store that is read at each collection. */
export type ObservedStore = Pick<
  ReadStore,
  | 'depth'
  | 'journals'
  | 'receiptCounts'
  | 'cronJobCount'
  | 'unjudgedCounts'
  | 'refusedCounts'
  | 'usedBytes'
  | 'retirement'
  | 'problemCounts'
  | 'activeRuns'
>;

const UNJUDGED_REASONS = ['zone_data_differ', 'clock_ahead', 'schedule_unreadable'] as const;
const MAX_KINDS = 50;
const MAX_PROBLEMS = 100;
const COMMIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The bridge's metrics on a meter provider of their own: nothing global, several can live in one process. */
export function createMetrics({ version, clock }: { version: string; clock: Clock }): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const meter = provider.getMeter('lifecycle-bridge', version);
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const last = new Map<string, Instant>();
  const runs = new RunMetrics(() => clock.now());
  const refusals = counter(meter, METRICS.backendRefused);
  let others = (): string => '';
  gauge(meter, METRICS.buildInfo, () => [[1, { version, node_version: process.version }]]);
  gauge(meter, METRICS.recordAge, () => [...last].map(([kind, at]) => [(clock.now() - at) / 1000, { kind }]));
  return {
    ...instruments(meter, last, clock),
    collectorRestart: outcomes(counter(meter, METRICS.collectorRestarts)),
    backendRefused: (exporter, count) => refusals.add(count, { exporter }),
    lastRecords: () => last,
    observeAudit: (read) => observeAudit(meter, read),
    observeLogs: (forbidden) => gauge(meter, METRICS.logsForbidden, () => [[forbidden(), {}]]),
    ended: (run) => runs.ended(run),
    observeStore: (reader) => {
      observeStore(meter, reader, clock);
      runs.observe(() => reader.activeRuns());
    },
    observeOthers: (read) => void (others = read),
    text: async (format = 'prometheus') => {
      const text = serializer.serialize(renamed((await exporter.collect()).resourceMetrics)) + others();
      return format === 'prometheus' ? text + runs.text(format) : `${asOpenMetrics(text)}${runs.text(format)}# EOF\n`;
    },
    close: () => provider.shutdown(),
  };
}

function outcomes(of: Counter): (outcome: string) => void {
  return (outcome) => of.add(1, { outcome });
}

type Recorders = Pick<
  Metrics,
  | 'request'
  | 'refusedConnection'
  | 'record'
  | 'deduplicated'
  | 'quiet'
  | 'commit'
  | 'quarantine'
  | 'plannerFailure'
  | 'transition'
  | 'drop'
  | 'list'
  | 'difference'
  | 'delivery'
  | 'log'
>;

function instruments(meter: Meter, last: Map<string, Instant>, clock: Clock): Recorders {
  const requests = counter(meter, METRICS.requests);
  const refused = counter(meter, METRICS.refusedConnections);
  const records = counter(meter, METRICS.records);
  const quarantined = counter(meter, METRICS.quarantined);
  const plannerErrors = counter(meter, METRICS.plannerErrors);
  const transitions = counter(meter, METRICS.transitions);
  const drops = counter(meter, METRICS.drops);
  const lists = counter(meter, METRICS.lists);
  const deduplicated = counter(meter, METRICS.deduplicated);
  const quiet = new Map<string, number>();
  const differences = counter(meter, METRICS.auditDifferences);
  const logs = counter(meter, METRICS.logs);
  const deliveries = counter(meter, METRICS.deliveries);
  const commits = commitHistogram(meter);
  return {
    request: (outcome) => requests.add(1, { outcome }),
    refusedConnection: (reason) => refused.add(1, { reason }),
    record: (text, result, count = 1) => {
      const kind = bounded(text, last);
      records.add(count, { kind, result });
      last.set(kind, clock.now());
    },
    deduplicated: (kind, result, count) => {
      if (count === 0) return;
      deduplicated.add(count, { kind, result });
      quiet.set(kind, (quiet.get(kind) ?? 0) + count);
    },
    quiet: () => quiet,
    commit: (ms) => commits.record(ms / 1000),
    quarantine: (reason, count = 1) => quarantined.add(count, { reason }),
    plannerFailure: (destination, call, count) => plannerErrors.add(count, { destination, call }),
    transition: (kind, count = 1) => transitions.add(count, { kind }),
    drop: (destination, reason) => drops.add(1, { destination, reason }),
    list: (kind, result) => lists.add(1, { kind, result }),
    difference: (kind, difference, count) => differences.add(count, { kind, difference }),
    log: (outcome) => logs.add(1, { outcome }),
    delivery: (destination, outcome, reason) => deliveries.add(1, { destination, outcome, reason }),
  };
}

function commitHistogram(meter: Meter): Histogram {
  const { name, unit, description } = METRICS.commitDuration;
  return meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: COMMIT_BUCKETS } });
}

/** Records name their own kind: neither odd names nor many of them may grow the metrics. */
function bounded(kind: string, known: ReadonlyMap<string, Instant>): string {
  const accepted = known.has(kind) || (known.size < MAX_KINDS && /^[A-Za-z]{1,63}$/.test(kind));
  return accepted ? kind : 'other';
}

function observeAudit(meter: Meter, read: () => readonly KindHealth[]): void {
  gauge(meter, METRICS.watchDead, () => read().map(({ kind, watchDead }) => [Number(watchDead), { kind }]));
  gauge(meter, METRICS.watchOwn, () => read().map(({ kind, watchOwn }) => [Number(watchOwn), { kind }]));
  gauge(meter, METRICS.unaudited, () => read().map(({ kind, unaudited }) => [Number(unaudited), { kind }]));
}

function observeStore(meter: Meter, reader: ObservedStore, clock: Clock): void {
  const age = (at: Instant | undefined) => (at === undefined ? 0 : (clock.now() - at) / 1000);
  gaugesOf(meter, () => reader.depth(), [
    [METRICS.outboxPending, (row) => row.pending],
    [METRICS.outboxOldestAge, (row) => age(row.oldestCreatedAt)],
    [METRICS.desiredNotInSync, (row) => row.notInSync],
  ]);
  gaugesOf(meter, () => reader.journals(), [
    [METRICS.journalWaiting, (row) => row.waiting],
    [METRICS.journalOldestAge, (row) => (row.waiting === 0 ? 0 : age(row.oldestAt))],
  ]);
  observe(observedCounter(meter, METRICS.receipts), () =>
    reader.receiptCounts().map(({ count, ...attributes }) => [count, attributes]),
  );
  gauge(meter, METRICS.cronJobs, () => [[reader.cronJobCount(), {}]]);
  gauge(meter, METRICS.unjudged, () => {
    const counts = new Map(reader.unjudgedCounts().map(({ reason, count }) => [reason, count]));
    return UNJUDGED_REASONS.map((reason) => [counts.get(reason) ?? 0, { reason }]);
  });
  observeProblems(meter, reader);
  const refused = observedCounter(meter, METRICS.refused);
  observe(refused, () => reader.refusedCounts().map(({ count, reason }) => [count, { reason }]));
  gauge(meter, METRICS.storeSize, () => [[reader.usedBytes(), {}]]);
  gauge(meter, METRICS.retired, () => [[Number(reader.retirement() !== undefined), {}]]);
}

/** A metric can only be made as what it is declared to be. */
type Defined<T extends MetricDefinition['type']> = MetricDefinition & { readonly type: T };
type Observed = [value: number, attributes: Attributes];

/**
 * People write names of annotations that do not exist: many of them do not grow the metrics. A series that was there
 * once is reported as 0 from then on, or it would stay at its last value.
 */
function observeProblems(meter: Meter, reader: ObservedStore): void {
  const series = new Map<string, { readonly attributes: Attributes; count: number }>();
  gauge(meter, METRICS.annotationProblems, () => {
    for (const row of series.values()) row.count = 0;
    for (const { destination, annotation: name, count } of reader.problemCounts()) {
      const accepted = series.has(`${destination} ${name}`) || series.size < MAX_PROBLEMS;
      const annotation = accepted ? name : 'other';
      const key = `${destination} ${annotation}`;
      const row = series.get(key) ?? { attributes: { destination, annotation }, count: 0 };
      row.count += count;
      series.set(key, row);
    }
    return [...series.values()].map(({ count, attributes }) => [count, attributes]);
  });
}

function observedCounter(meter: Meter, { name, unit, description }: Defined<'counter'>): Observable {
  return meter.createObservableCounter(name, { unit, description });
}

function counter(meter: Meter, { name, unit, description }: Defined<'counter'>) {
  return meter.createCounter(name, { unit, description });
}

function gauge(meter: Meter, { name, unit, description }: Defined<'gauge'>, read: () => Observed[]): void {
  observe(meter.createObservableGauge(name, { unit, description }), read);
}

/** Several gauges of each destination, for which its row is read once. */
function gaugesOf<Row extends { readonly destination: string }>(
  meter: Meter,
  read: () => readonly Row[],
  values: readonly (readonly [Defined<'gauge'>, (row: Row) => number])[],
): void {
  const gauges = values.map(([{ name, unit, description }, value]) => {
    return { gauge: meter.createObservableGauge(name, { unit, description }), value };
  });
  const observeAll = (result: BatchObservableResult): void => {
    for (const row of read())
      for (const { gauge, value } of gauges) result.observe(gauge, value(row), { destination: row.destination });
  };
  meter.addBatchObservableCallback(
    observeAll,
    gauges.map(({ gauge }) => gauge),
  );
}

function observe(instrument: Observable, read: () => Observed[]): void {
  instrument.addCallback((result) => {
    for (const [value, attributes] of read()) result.observe(value, attributes);
  });
}

/** The exporter leaves units out of names; Prometheus expects them there. */
function renamed(resourceMetrics: ResourceMetrics): ResourceMetrics {
  const scopeMetrics = resourceMetrics.scopeMetrics.map((scope) => ({
    ...scope,
    metrics: scope.metrics.map((metric) => ({
      ...metric,
      descriptor: { ...metric.descriptor, name: prometheusName(metric.descriptor), unit: '' },
    })),
  }));
  return { ...resourceMetrics, scopeMetrics };
}
