import { beforeEach, describe, expect, it } from 'vitest';
import type { ActiveRuns } from '../lifecycle/ended-run.ts';
import { RunMetrics } from './run-metrics.ts';
import { endedRun, TRACE_ID } from './testing/used-metrics.ts';

const HOUR = 3_600_000;
const LIMITS = { recurring: 3, single: 2 };
const OVERFLOW = 'otel_metric_overflow="true"';

let now: number;
let runs: RunMetrics;
beforeEach(() => {
  now = 0;
  runs = new RunMetrics(() => now, LIMITS);
});

const named = (name: string, recurs = true) => endedRun({ pipeline: { kind: 'Job', namespace: 'shop', name, recurs } });
const lines = (start: string, format: 'prometheus' | 'openmetrics' = 'prometheus'): string[] =>
  runs
    .text(format)
    .split('\n')
    .filter((line) => line.startsWith(start));
const OF = 'cicd_pipeline_name="report",lifecycle_bridge_run_namespace="shop",lifecycle_bridge_run_kind="Job"';

describe('a run that ended', () => {
  it('counts with how long it waited, how long it went on, its pods, and why it failed', () => {
    runs.ended(endedRun());
    expect(lines('cicd_pipeline_run_duration_seconds_sum')).toEqual([
      `cicd_pipeline_run_duration_seconds_sum{${OF},cicd_pipeline_run_state="pending"} 2`,
      `cicd_pipeline_run_duration_seconds_sum{${OF},cicd_pipeline_run_state="executing",cicd_pipeline_result="failure",error_type="BackoffLimitExceeded"} 98`,
    ]);
    expect(lines('cicd_pipeline_run_errors')).toEqual([
      `cicd_pipeline_run_errors_total{${OF},error_type="BackoffLimitExceeded"} 1`,
    ]);
    expect(lines('lifecycle_bridge_run_attempts_sum')).toEqual([
      `lifecycle_bridge_run_attempts_sum{${OF},cicd_pipeline_result="failure"} 2`,
    ]);
  });

  it('is the exemplar of its buckets and of its error, in OpenMetrics only', () => {
    runs.ended(endedRun());
    runs.ended(endedRun({ traceId: 'f'.repeat(32), runMs: 5_000 }));
    const buckets = lines('cicd_pipeline_run_duration_seconds_bucket', 'openmetrics').filter((line) =>
      line.includes('result="failure"'),
    );
    expect(buckets.map((line) => / (\d+)( #.*)?$/.exec(line)?.[0])).toEqual([
      ' 0',
      ` 1 # {trace_id="${'f'.repeat(32)}"} 5 1767607300`,
      ' 1',
      ' 1',
      ` 2 # {trace_id="${TRACE_ID}"} 98 1767607300`,
      ...Array.from({ length: 6 }, () => ' 2'),
    ]);
    expect(lines('cicd_pipeline_run_errors_total', 'openmetrics')[0]).toMatch(
      / 2 # \{trace_id="f{32}"\} 1 1767607300$/,
    );
    expect(runs.text('prometheus')).not.toContain('trace_id');
  });

  it('that succeeded has no error, and one whose start is not known no duration', () => {
    const { errorType: _, waitMs: __, runMs: ___, attempts: ____, ...succeeded } = endedRun({ result: 'success' });
    runs.ended(succeeded);
    expect(runs.text('prometheus')).toBe('');
  });
});

describe('series', () => {
  it('are bounded: what is beyond the limit shares those of the overflow, which is said', () => {
    const kept = ['a', 'b', 'c', 'd', 'e', 'a'].map((name) => runs.ended(named(name)));
    expect(kept).toEqual([true, true, true, false, false, true]);
    const errors = lines('cicd_pipeline_run_errors_total');
    expect(errors).toHaveLength(4);
    expect(errors.find((line) => line.includes(OVERFLOW))).toMatch(
      /_total\{otel_metric_overflow="true",error_type="\w+"\} 2$/,
    );
  });

  it('of runs that ran once take no room from what runs again', () => {
    for (const name of ['x', 'y', 'z']) runs.ended(named(name, false));
    expect(runs.ended(named('a'))).toBe(true);
    expect(lines('cicd_pipeline_run_errors_total').filter((line) => line.includes(OVERFLOW))).toHaveLength(1);
  });

  it('of what has not run for a day make room', () => {
    for (const name of ['a', 'b', 'c']) runs.ended(named(name));
    now += 23 * HOUR;
    runs.ended(named('a'));
    now += 2 * HOUR;
    expect(['d', 'e', 'f'].map((name) => runs.ended(named(name)))).toEqual([true, true, false]);
    expect(runs.text('prometheus')).not.toContain('name="b"');
    expect(runs.text('prometheus')).toContain('name="a"');
  });

  it('do not grow with reasons that others make up, and hold no line that is not one', () => {
    for (let n = 0; n < 30; n++) runs.ended(endedRun({ errorType: `Reason${n}` }));
    runs.ended(endedRun({ errorType: 'odd "reason"\n} 7' }));
    const errors = lines('cicd_pipeline_run_errors_total');
    expect(errors).toHaveLength(11);
    expect(errors.at(-1)).toMatch(/error_type="_OTHER"\} 21$/);
    runs.ended(named('a"\n\\b'));
    expect(runs.text('openmetrics')).toContain('cicd_pipeline_name="a\\"\\n\\\\b"');
  });
});

describe('runs that go on', () => {
  const active = (status: ActiveRuns['status'], count: number): ActiveRuns => {
    return { kind: 'Job', namespace: 'shop', name: 'report', recurs: true, status, count };
  };

  it('are read at each collection: pending and suspended ones wait, running and stuck ones execute', () => {
    runs.observe(() => [active('pending', 1), active('suspended', 2), active('running', 3), active('stuck', 4)]);
    const all = [
      `cicd_pipeline_run_active{${OF},cicd_pipeline_run_state="pending"} 3`,
      `cicd_pipeline_run_active{${OF},cicd_pipeline_run_state="executing"} 7`,
    ];
    expect(lines('cicd_pipeline_run_active')).toEqual(all);
    expect(lines('cicd_pipeline_run_active')).toEqual(all);
  });

  it('are 0 when they are over', () => {
    runs.observe(() => [active('running', 1)]);
    runs.text('prometheus');
    runs.observe(() => []);
    expect(lines('cicd_pipeline_run_active')).toEqual([
      `cicd_pipeline_run_active{${OF},cicd_pipeline_run_state="executing"} 0`,
    ]);
  });
});
