import type { MetricDefinition } from './metric-definition.ts';

/** What a run belongs to; of all beyond the limit only that it is one of these. */
const PIPELINE = [
  'cicd.pipeline.name',
  'lifecycle_bridge.run.namespace',
  'lifecycle_bridge.run.kind',
  'otel.metric.overflow',
] as const;

/** Every metric of the bridge. */
export const METRICS = {
  requests: {
    name: 'lifecycle_bridge.requests',
    type: 'counter',
    unit: '{request}',
    description:
      'OTLP export requests by outcome: committed, or refused in a way that the Collector keeps them (unavailable, unauthorized), or rejected for good',
    attributes: ['outcome'],
  },
  refusedConnections: {
    name: 'lifecycle_bridge.connections.refused',
    type: 'counter',
    unit: '{connection}',
    description: 'OTLP connections that were refused or ended, by reason (limit, tls, no_call)',
    attributes: ['reason'],
  },
  records: {
    name: 'lifecycle_bridge.records',
    type: 'counter',
    unit: '{record}',
    description: 'Records received, by kind and result (observed, ignored, not_kubernetes, undecodable)',
    attributes: ['kind', 'result'],
  },
  transitions: {
    name: 'lifecycle_bridge.transitions',
    type: 'counter',
    unit: '{transition}',
    description: 'Transitions decided by kind; cronjob.missed are scheduled times without a Job',
    attributes: ['kind'],
  },
  drops: {
    name: 'lifecycle_bridge.decisions.dropped',
    type: 'counter',
    unit: '{transition}',
    description: 'Transitions that are not reported to a destination, by reason; /drops shows them',
    attributes: ['destination', 'reason'],
  },
  deduplicated: {
    name: 'lifecycle_bridge.records.deduplicated',
    type: 'counter',
    unit: '{record}',
    description:
      'Records with nothing new, by result (unchanged: a newer version without a change; known: a version seen before)',
    attributes: ['kind', 'result'],
  },
  recordAge: {
    name: 'lifecycle_bridge.record.age',
    type: 'gauge',
    unit: 's',
    description: 'Time since the last record of a kind was committed',
    attributes: ['kind'],
  },
  commitDuration: {
    name: 'lifecycle_bridge.commit.duration',
    type: 'histogram',
    unit: 's',
    description: 'Time that one durable commit took',
    attributes: [],
  },
  plannerErrors: {
    name: 'lifecycle_bridge.planner.errors',
    type: 'counter',
    unit: '{call}',
    description:
      'Calls that plan for a destination and failed by an error of the bridge itself; /drops and /problems show what they concern',
    attributes: ['destination', 'call'],
  },
  quarantined: {
    name: 'lifecycle_bridge.quarantined',
    type: 'counter',
    unit: '{record}',
    description: 'Requests and records put into quarantine by reason',
    attributes: ['reason'],
  },
  lists: {
    name: 'lifecycle_bridge.lists',
    type: 'counter',
    unit: '{list}',
    description: 'LISTs of the Kubernetes API by kind and result',
    attributes: ['kind', 'result'],
  },
  auditDifferences: {
    name: 'lifecycle_bridge.audit.differences',
    type: 'counter',
    unit: '{object}',
    description:
      'Objects that a LIST had and the store lacked (missed), had older (stale) or from an older bridge (outdated), or that LISTs lacked (gone)',
    attributes: ['kind', 'difference'],
  },
  watchDead: {
    name: 'lifecycle_bridge.watch.dead',
    type: 'gauge',
    unit: '1',
    description: '1 while the stream of a kind does not deliver what an audit found',
    attributes: ['kind'],
  },
  collectorRestarts: {
    name: 'lifecycle_bridge.collector.restarts',
    type: 'counter',
    unit: '{pod}',
    description: 'Pods of the Collector that were to be deleted because its watches are dead, by what came of it',
    attributes: ['outcome'],
  },
  watchOwn: {
    name: 'lifecycle_bridge.watch.own',
    type: 'gauge',
    unit: '1',
    description: '1 while the bridge watches a kind itself, because its stream is in doubt or dead',
    attributes: ['kind'],
  },
  unaudited: {
    name: 'lifecycle_bridge.audit.unaudited',
    type: 'gauge',
    unit: '1',
    description: '1 while a kind is not audited because the permission is missing',
    attributes: ['kind'],
  },
  logs: {
    name: 'lifecycle_bridge.logs',
    type: 'counter',
    unit: '{log}',
    description: 'Logs of containers by the outcome of reading them; failed ones are tried again',
    attributes: ['outcome'],
  },
  logsForbidden: {
    name: 'lifecycle_bridge.logs.forbidden',
    type: 'gauge',
    unit: '{namespace}',
    description: 'Namespaces in which the permission to read logs (pods/log) is missing',
    attributes: [],
  },
  deliveries: {
    name: 'lifecycle_bridge.deliveries',
    type: 'counter',
    unit: '{delivery}',
    description: 'Answers of destinations by outcome and reason',
    attributes: ['destination', 'outcome', 'reason'],
  },
  receipts: {
    name: 'lifecycle_bridge.receipts',
    type: 'counter',
    unit: '{intent}',
    description:
      'Settled intents and entries of the journal since the store was made, by how they were settled; survives a restart',
    attributes: ['destination', 'reason'],
  },
  outboxPending: {
    name: 'lifecycle_bridge.outbox.pending',
    type: 'gauge',
    unit: '{intent}',
    description: 'Intents that are not settled yet',
    attributes: ['destination'],
  },
  outboxOldestAge: {
    name: 'lifecycle_bridge.outbox.oldest_age',
    type: 'gauge',
    unit: 's',
    description: 'Age of the oldest intent that is not settled; 0 when there is none',
    attributes: ['destination'],
  },
  journalWaiting: {
    name: 'lifecycle_bridge.journal.waiting',
    type: 'gauge',
    unit: '{entry}',
    description: 'Transitions and Kubernetes Events that a destination that follows all of them has not taken yet',
    attributes: ['destination'],
  },
  journalOldestAge: {
    name: 'lifecycle_bridge.journal.oldest_age',
    type: 'gauge',
    unit: 's',
    description: 'Age of the oldest transition that such a destination has not taken yet; 0 when there is none',
    attributes: ['destination'],
  },
  desiredNotInSync: {
    name: 'lifecycle_bridge.desired.not_in_sync',
    type: 'gauge',
    unit: '{row}',
    description: 'Desired rows (objects at a vendor) that are not accepted there as they should be',
    attributes: ['destination'],
  },
  cronJobs: {
    name: 'lifecycle_bridge.cronjobs',
    type: 'gauge',
    unit: '{cronjob}',
    description: 'Live CronJobs in the store',
    attributes: [],
  },
  unjudged: {
    name: 'lifecycle_bridge.cronjobs.unjudged',
    type: 'gauge',
    unit: '{cronjob}',
    description:
      'CronJobs whose missed runs are not judged, by reason (zone_data_differ, clock_ahead, schedule_unreadable); /cronjobs shows them',
    attributes: ['reason'],
  },
  annotationProblems: {
    name: 'lifecycle_bridge.annotation_problems',
    type: 'gauge',
    unit: '{cronjob}',
    description: 'CronJobs with this annotation that the destination cannot read; /problems shows them',
    attributes: ['destination', 'annotation'],
  },
  refused: {
    name: 'lifecycle_bridge.records.refused',
    type: 'counter',
    unit: '{record}',
    description: 'Records that were not taken since the store was made, e.g. beyond_retention; survives a restart',
    attributes: ['reason'],
  },
  storeSize: {
    name: 'lifecycle_bridge.store.size',
    type: 'gauge',
    unit: 'By',
    description: 'Size of the database file without its free pages; store.retention.maxBytes bounds it',
    attributes: [],
  },
  backendRefused: {
    name: 'lifecycle_bridge.backend.refused',
    type: 'counter',
    unit: '{item}',
    description:
      'Spans, log records and data points that a backend refused for good after the Collector had taken them, by exporter, as far as the log of the Collector says it',
    attributes: ['exporter'],
  },
  retired: {
    name: 'lifecycle_bridge.retired',
    type: 'gauge',
    unit: '1',
    description: '1 while the bridge is retired: what it keeps at vendors is paused, and no telemetry is sent',
    attributes: [],
  },
  runDuration: {
    name: 'cicd.pipeline.run.duration',
    type: 'histogram',
    unit: 's',
    description:
      'How long runs that ended waited for their start (pending: since the scheduled time or the creation) and went on (executing)',
    attributes: [...PIPELINE, 'cicd.pipeline.run.state', 'cicd.pipeline.result', 'error.type'],
  },
  runActive: {
    name: 'cicd.pipeline.run.active',
    type: 'gauge',
    unit: '{run}',
    description: 'Runs that are not over, by state (pending, or suspended: pending; running or stuck: executing)',
    attributes: [...PIPELINE, 'cicd.pipeline.run.state'],
  },
  runErrors: {
    name: 'cicd.pipeline.run.errors',
    type: 'counter',
    unit: '{error}',
    description: 'Runs that ended as failed, by the reason that Kubernetes gives',
    attributes: [...PIPELINE, 'error.type'],
  },
  runAttempts: {
    name: 'lifecycle_bridge.run.attempts',
    type: 'histogram',
    unit: '{attempt}',
    description: 'How many pods Jobs that ended had',
    attributes: [...PIPELINE, 'cicd.pipeline.result'],
  },
  buildInfo: {
    name: 'lifecycle_bridge.build.info',
    type: 'gauge',
    unit: '1',
    description: 'Always 1; the attributes say which build this is',
    attributes: ['version', 'node_version'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** An attribute as a label on /metrics. */
export function labelName(attribute: string): string {
  return attribute.replaceAll('.', '_');
}

/** The name on /metrics without what the exporter adds by itself: underscores, and the unit as suffix. */
export function prometheusName({ name, unit }: Pick<MetricDefinition, 'name' | 'unit'>): string {
  const plain = labelName(name);
  const suffix = { s: '_seconds', By: '_bytes' }[unit] ?? '';
  return plain + suffix;
}

/** The name of a series on /metrics, as a query has it: counters end with `_total`, a histogram has `_bucket`, `_sum`, `_count`. */
export function seriesName(definition: MetricDefinition): string {
  return prometheusName(definition) + (definition.type === 'counter' ? '_total' : '');
}
