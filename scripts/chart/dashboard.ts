import { METRICS, seriesName } from '../../bridge/telemetry/names.ts';

/** A query with what its series are called; `{{label}}` is the value of a label. */
type Query = readonly [expr: string, legend: string];
interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'timeseries';
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of a stat: from this value on it is red. */
  readonly red?: number;
  readonly stacked?: boolean;
}

const stat = (title: string, expr: string, more: Partial<Panel> = {}): Panel => ({
  title,
  type: 'stat',
  unit: 'short',
  queries: [[expr, '']],
  ...more,
});
const graph = (title: string, unit: string, ...queries: readonly Query[]): Panel => ({
  title,
  type: 'timeseries',
  unit,
  queries,
});
const stacked = (title: string, unit: string, ...queries: readonly Query[]): Panel => ({
  ...graph(title, unit, ...queries),
  stacked: true,
});

const perSecond = (series: string, ...labels: readonly string[]): string =>
  `sum by (${labels.join(', ')}) (rate(${series}[$__rate_interval]))`;
const within = (series: string, ...labels: readonly string[]): string =>
  `sum by (${labels.join(', ')}) (increase(${series}[$__rate_interval]))`;
const quantile = (q: number, series: string, ...labels: readonly string[]): string =>
  `histogram_quantile(${q}, ${perSecond(series, 'le', ...labels)})`;
const PARTS = 'container=~"bridge|collector|kube-state-metrics|pod-logs"';

const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  Now: [
    stat('Version', 'count by (version) (lifecycle_bridge_build_info)', {
      queries: [['count by (version) (lifecycle_bridge_build_info)', '{{version}}']],
    }),
    stat('CronJobs', 'sum(lifecycle_bridge_cronjobs)'),
    stat('Runs that go on', 'sum(cicd_pipeline_run_active{cicd_pipeline_run_state="executing"})'),
    stat('Oldest delivery', 'max(lifecycle_bridge_outbox_oldest_age_seconds)', { unit: 's', red: 900 }),
    stat('Not in sync', 'sum(lifecycle_bridge_desired_not_in_sync)', { red: 1 }),
    stat('Dead watches', 'sum(lifecycle_bridge_watch_dead)', { red: 1 }),
  ],
  Runs: [
    stacked('Runs that ended, by result', 'short', [
      within('cicd_pipeline_run_duration_seconds_count{cicd_pipeline_run_state="executing"}', 'cicd_pipeline_result'),
      '{{cicd_pipeline_result}}',
    ]),
    stacked('Failed runs, by reason', 'short', [
      within('cicd_pipeline_run_errors_total', 'error_type'),
      '{{error_type}}',
    ]),
    stacked('Runs that are not over', 'short', [
      'sum by (cicd_pipeline_run_state) (cicd_pipeline_run_active)',
      '{{cicd_pipeline_run_state}}',
    ]),
    graph('Duration: the ten longest at the 95th percentile', 's', [
      `topk(10, ${quantile(0.95, 'cicd_pipeline_run_duration_seconds_bucket{cicd_pipeline_run_state="executing"}', 'lifecycle_bridge_run_namespace', 'cicd_pipeline_name')})`,
      '{{lifecycle_bridge_run_namespace}}/{{cicd_pipeline_name}}',
    ]),
    stacked('Transitions', 'short', [within('lifecycle_bridge_transitions_total', 'kind'), '{{kind}}']),
    graph(
      'CronJobs with annotations that cannot be read, or whose missed runs are not judged',
      'short',
      ['sum by (destination, annotation) (lifecycle_bridge_annotation_problems)', '{{destination}} {{annotation}}'],
      ['sum by (reason) (lifecycle_bridge_cronjobs_unjudged)', '{{reason}}'],
    ),
  ],
  Delivery: [
    stacked('Answers of destinations', 'reqps', [
      perSecond('lifecycle_bridge_deliveries_total', 'destination', 'outcome'),
      '{{destination}} {{outcome}}',
    ]),
    stacked('Answers other than delivered, by reason', 'short', [
      within('lifecycle_bridge_deliveries_total{outcome!="delivered"}', 'destination', 'reason'),
      '{{destination}} {{reason}}',
    ]),
    stacked('Not reported, by reason', 'short', [
      within('lifecycle_bridge_decisions_dropped_total', 'destination', 'reason'),
      '{{destination}} {{reason}}',
    ]),
    graph(
      'What waits',
      'short',
      ['sum by (destination) (lifecycle_bridge_outbox_pending)', '{{destination}}'],
      ['sum by (destination) (lifecycle_bridge_journal_waiting)', '{{destination}} (journal)'],
    ),
    graph(
      'Age of the oldest that waits',
      's',
      ['max by (destination) (lifecycle_bridge_outbox_oldest_age_seconds)', '{{destination}}'],
      ['max by (destination) (lifecycle_bridge_journal_oldest_age_seconds)', '{{destination}} (journal)'],
    ),
    graph('Objects at vendors that are not in sync', 'short', [
      'sum by (destination) (lifecycle_bridge_desired_not_in_sync)',
      '{{destination}}',
    ]),
  ],
  'From the cluster to the bridge': [
    stacked('Records', 'cps', [perSecond('lifecycle_bridge_records_total', 'kind', 'result'), '{{kind}} {{result}}']),
    stacked('Exports of the Collector', 'reqps', [
      perSecond('lifecycle_bridge_requests_total', 'outcome'),
      '{{outcome}}',
    ]),
    graph('Time since the last record', 's', ['min by (kind) (lifecycle_bridge_record_age_seconds)', '{{kind}}']),
    stacked('What LISTs found that the stream had not brought', 'short', [
      within('lifecycle_bridge_audit_differences_total', 'kind', 'difference'),
      '{{kind}} {{difference}}',
    ]),
    graph(
      'Duration of a commit',
      's',
      [quantile(0.5, 'lifecycle_bridge_commit_duration_seconds_bucket'), 'median'],
      [quantile(0.99, 'lifecycle_bridge_commit_duration_seconds_bucket'), '99th percentile'],
    ),
    graph('Queues of the Collector', 'percentunit', [
      'max by (exporter) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)',
      '{{exporter}}',
    ]),
    graph(
      'Set aside, and errors of the bridge itself',
      'short',
      [within('lifecycle_bridge_quarantined_total', 'reason'), '{{reason}}'],
      [within('lifecycle_bridge_planner_errors_total', 'call'), '{{call}}'],
    ),
    graph('Refused by a backend for good', 'short', [
      within('lifecycle_bridge_backend_refused_total', 'exporter'),
      '{{exporter}}',
    ]),
    graph('Store', 'bytes', ['max(lifecycle_bridge_store_size_bytes)', 'size']),
  ],
  'Workloads and resources (kube-state-metrics, cAdvisor)': [
    stacked('Failed Jobs', 'short', ['sum by (namespace) (kube_job_failed{condition="true"})', '{{namespace}}']),
    graph('Time since the last success: the ten CronJobs with the longest', 's', [
      'topk(10, time() - max by (namespace, cronjob) (kube_cronjob_status_last_successful_time))',
      '{{namespace}}/{{cronjob}}',
    ]),
    stacked('Containers that wait, by reason', 'short', [
      'sum by (reason) (kube_pod_container_status_waiting_reason)',
      '{{reason}}',
    ]),
    graph('Memory of the parts', 'bytes', [
      `max by (pod, container) (container_memory_working_set_bytes{${PARTS}})`,
      '{{pod}} {{container}}',
    ]),
    graph('CPU of the parts', 'short', [
      perSecond(`container_cpu_usage_seconds_total{${PARTS}}`, 'pod', 'container'),
      '{{pod}} {{container}}',
    ]),
  ],
};

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const SIZE = { stat: { w: 4, h: 4 }, timeseries: { w: 8, h: 8 } } as const;

/** The panels one after another, as many in a line as fit into the 24 columns of Grafana. */
function panels(): object[] {
  const made: object[] = [];
  let y = 0;
  for (const [title, row] of Object.entries(ROWS)) {
    made.push({
      id: made.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    const { w, h } = SIZE[row[0]!.type];
    for (const [index, panel] of row.entries()) {
      const gridPos = { x: (index * w) % 24, y: y + Math.floor((index * w) / 24) * h, w, h };
      made.push({ id: made.length + 1, ...drawn(panel), gridPos });
    }
    y += Math.ceil((row.length * w) / 24) * h;
  }
  return made;
}

function drawn({ title, type, unit, queries, red, stacked: isStacked }: Panel): object {
  const steps = [{ color: 'green', value: null }, ...(red === undefined ? [] : [{ color: 'red', value: red }])];
  const custom = { fillOpacity: 10, stacking: { mode: isStacked === true ? 'normal' : 'none' } };
  const multi = { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } };
  const single = { reduceOptions: { calcs: ['lastNotNull'] }, textMode: queries[0]?.[1] === '' ? 'auto' : 'name' };
  return {
    type,
    title,
    description: described(queries.map(([expr]) => expr).join(' ')),
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit, ...(type === 'stat' ? { thresholds: { mode: 'absolute', steps } } : { min: 0, custom }) },
      overrides: [],
    },
    options: type === 'stat' ? single : multi,
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

/** What the bridge itself says of the metrics that are asked for. */
function described(text: string): string {
  const asked = Object.values(METRICS).filter((metric) =>
    new RegExp(`\\b${seriesName(metric)}(?:_bucket|_count|_sum)?\\b`).test(text),
  );
  return asked.map(({ description }) => description).join('. ');
}

/** The dashboard of the bridge for Grafana. Its filters are for any label, since each way of the metrics has its own for a cluster. */
export function dashboard(): string {
  const whole = {
    uid: 'lifecycle-bridge',
    title: 'lifecycle-bridge',
    tags: ['lifecycle-bridge', 'kubernetes'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        { name: 'filters', label: 'Filters', type: 'adhoc', datasource: DATASOURCE, filters: [] },
      ],
    },
    annotations: { list: [] },
    links: [],
    panels: panels(),
  };
  return `${JSON.stringify(whole, null, 1)}\n`;
}
