import { afterEach, expect, it } from 'vitest';

import { createMetrics, type Metrics } from './metrics.ts';
import { METRICS, seriesName } from './names.ts';
import { NO_ROWS, useAll } from './testing/used-metrics.ts';

let now = 1_000_000;
let metrics: Metrics;
const create = () => (metrics = createMetrics({ version: '1.2.3', clock: { now: () => now } }));
afterEach(() => metrics.close());

it('shows every declared metric under its Prometheus name once it was used', async () => {
  create();
  useAll(metrics, now);
  const text = await metrics.text();
  for (const definition of Object.values(METRICS))
    expect(text).toContain(`# TYPE ${seriesName(definition)} ${definition.type}\n`);
  expect(text).toContain('lifecycle_bridge_records_total{kind="Job",result="observed"} 1\n');
  expect(text).toContain('lifecycle_bridge_outbox_oldest_age_seconds{destination="cronitor/default"} 5\n');
  expect(text).toContain('lifecycle_bridge_journal_waiting{destination="otlp/default"} 3\n');
  expect(text).toContain('lifecycle_bridge_journal_oldest_age_seconds{destination="otlp/default"} 7\n');
  expect(text).toContain('lifecycle_bridge_watch_dead{kind="Job"} 1\n');
  expect(text).toContain('lifecycle_bridge_watch_own{kind="Job"} 1\n');
  expect(text).toContain('lifecycle_bridge_cronjobs 7\n');
  expect(text).toContain('lifecycle_bridge_cronjobs_unjudged{reason="zone_data_differ"} 2\n');
  expect(text).toContain('lifecycle_bridge_cronjobs_unjudged{reason="clock_ahead"} 0\n');
  expect(text).toContain('lifecycle_bridge_records_refused_total{reason="beyond_retention"} 3\n');
  expect(text).toContain(
    'lifecycle_bridge_annotation_problems{destination="cronitor/default",annotation="k8s.cronitor.io/exclude"} 2\n',
  );
  expect(text).toContain('lifecycle_bridge_store_size_bytes 4096\n');
  expect(text).toContain('lifecycle_bridge_retired 1\n');
  expect(text).toContain(`lifecycle_bridge_build_info{version="1.2.3",node_version="${process.version}"} 1\n`);
});

it('uses exactly the attributes that are declared', async () => {
  create();
  metrics.delivery('cronitor/default', 'retry', 'rate_limited');
  metrics.record('Pod', 'ignored', 3);
  const text = await metrics.text();
  const labels = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}\\{(.*)\\}`, 'gm'))].flatMap((m) => m[1]!.match(/\w+(?==)/g));
  expect(labels('lifecycle_bridge_deliveries_total')).toEqual([...METRICS.deliveries.attributes]);
  expect(labels('lifecycle_bridge_records_total')).toEqual([...METRICS.records.attributes]);
});

it('measures commits in seconds', async () => {
  create().commit(30);
  const text = await metrics.text();
  expect(text).toContain('lifecycle_bridge_commit_duration_seconds_sum 0.03\n');
  expect(text).toContain('lifecycle_bridge_commit_duration_seconds_bucket{le="0.05"} 1\n');
});

it('shows the age of the last record of each kind at the time of the scrape', async () => {
  create().record('Job', 'observed');
  now += 12_000;
  expect(await metrics.text()).toContain('lifecycle_bridge_record_age_seconds{kind="Job"} 12\n');
});

it('does not grow with odd or ever new kinds', async () => {
  create().record('x'.repeat(100_000), 'ignored');
  for (let i = 0; i < 200; i++)
    metrics.record(`Kind${String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26))}`, 'ignored');
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('lifecycle_bridge_records_total'));
  expect(lines).toHaveLength(50);
  expect(lines.find((line) => line.includes('"other"'))).toContain('result="ignored"} 152');
});

it('does not grow with names of annotations that people make up', async () => {
  const problem = (_: unknown, n: number) => ({
    destination: 'cronitor/a',
    annotation: `k8s.cronitor.io/${n}`,
    count: 1,
  });
  create().observeStore({
    ...NO_ROWS,
    problemCounts: () => Array.from({ length: 180 }, problem),
  });
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('lifecycle_bridge_annotation_problems{'));
  expect(lines).toHaveLength(101);
  expect(lines.find((line) => line.includes('"k8s.cronitor.io/99"'))).toMatch(/ 1$/);
  expect(lines.find((line) => line.includes('"other"'))).toMatch(/ 80$/);
});
