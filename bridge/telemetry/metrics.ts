import type { Attributes, Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

import type { Clock, Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { ReadStore } from '../store/read.ts';
import { METRICS, type MetricDefinition, prometheusName } from './names.ts';

/** What became of one record. */
export type RecordResult = 'applied' | 'unchanged' | 'older' | 'ignored' | 'quarantined';
/** What became of one OTLP request: the results of `Ingest`. */
export type RequestOutcome = 'committed' | 'undecodable' | 'unavailable';

/** Everything the bridge counts about itself. Every call is cheap and never throws. */
export interface Metrics {
  request(outcome: RequestOutcome): void;
  record(kind: string, result: RecordResult, count?: number): void;
  commit(ms: number): void;
  quarantine(reason: Reason, count?: number): void;
  list(kind: string, result: 'complete' | 'failed'): void;
  delivery(destination: string, outcome: Delivery['outcome'], reason: Reason): void;
  /** When the last record of each kind was committed. */
  lastRecords(): ReadonlyMap<string, Instant>;
  /** Reads outbox depth and CronJobs from this store at each collection. */
  observeStore(reader: Pick<ReadStore, 'depth' | 'cronJobCount'>): void;
  /** The Prometheus text format 0.0.4. */
  text(): Promise<string>;
  close(): Promise<void>;
}

const COMMIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The bridge's metrics on a meter provider of their own: nothing global, several can live in one process. */
export function createMetrics({ version, clock }: { version: string; clock: Clock }): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const meter = provider.getMeter('lifecycle-bridge', version);
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const last = new Map<string, Instant>();
  gauge(meter, METRICS.buildInfo, () => [[1, { version, node_version: process.version }]]);
  gauge(meter, METRICS.recordAge, () => [...last].map(([kind, at]) => [(clock.now() - at) / 1000, { kind }]));
  return {
    ...instruments(meter, last, clock),
    lastRecords: () => last,
    observeStore: (reader) => observeStore(meter, reader, clock),
    text: async () => serializer.serialize(renamed((await exporter.collect()).resourceMetrics)),
    close: () => provider.shutdown(),
  };
}

type Recorders = Pick<Metrics, 'request' | 'record' | 'commit' | 'quarantine' | 'list' | 'delivery'>;

function instruments(meter: Meter, last: Map<string, Instant>, clock: Clock): Recorders {
  const requests = counter(meter, METRICS.requests);
  const records = counter(meter, METRICS.records);
  const quarantined = counter(meter, METRICS.quarantined);
  const lists = counter(meter, METRICS.lists);
  const deliveries = counter(meter, METRICS.deliveries);
  const { name, unit, description } = METRICS.commitDuration;
  const advice = { explicitBucketBoundaries: COMMIT_BUCKETS };
  const commits = meter.createHistogram(name, { unit, description, advice });
  return {
    request: (outcome) => requests.add(1, { outcome }),
    record: (kind, result, count = 1) => {
      records.add(count, { kind, result });
      last.set(kind, clock.now());
    },
    commit: (ms) => commits.record(ms / 1000),
    quarantine: (reason, count = 1) => quarantined.add(count, { reason }),
    list: (kind, result) => lists.add(1, { kind, result }),
    delivery: (destination, outcome, reason) => deliveries.add(1, { destination, outcome, reason }),
  };
}

function observeStore(meter: Meter, reader: Pick<ReadStore, 'depth' | 'cronJobCount'>, clock: Clock): void {
  const age = (at: Instant | undefined) => (at === undefined ? 0 : (clock.now() - at) / 1000);
  const perDestination = (value: (row: ReturnType<ReadStore['depth']>[number]) => number) => () =>
    reader.depth().map((row): Observed => [value(row), { destination: row.destination }]);
  gauge(
    meter,
    METRICS.outboxPending,
    perDestination((row) => row.pending),
  );
  gauge(
    meter,
    METRICS.outboxOldestAge,
    perDestination((row) => age(row.oldestCreatedAt)),
  );
  gauge(
    meter,
    METRICS.desiredNotInSync,
    perDestination((row) => row.notInSync),
  );
  gauge(meter, METRICS.cronJobs, () => [[reader.cronJobCount(), {}]]);
}

type Observed = [value: number, attributes: Attributes];

function counter(meter: Meter, { name, unit, description }: MetricDefinition) {
  return meter.createCounter(name, { unit, description });
}

function gauge(meter: Meter, { name, unit, description }: MetricDefinition, read: () => Observed[]): void {
  meter.createObservableGauge(name, { unit, description }).addCallback((result) => {
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
