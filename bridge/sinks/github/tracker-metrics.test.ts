import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { otherMetricsText } from '../other-metrics.ts';
import { digestOf, rowOf, rowsOf, startBench } from './bench.ts';
import type { Bench } from './bench.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

describe('what deployment-tracker counted', () => {
  it('is counted by its names', async () => {
    const deliverer = bench.deliverer({ bulkSync: false });
    const { unknown } = bench.vendors.github.artifacts;
    unknown.add(digestOf('unknown'));
    bench.vendors.inject({ match: 'POST', status: 422 });
    bench.vendors.inject({ match: 'POST', status: 500 });
    for (const row of [rowOf('bad'), rowOf('broken'), rowOf('web'), rowOf('unknown'), rowOf('unknown')])
      await bench.converge([row], deliverer);
    await bench.converge([rowOf('web', { status: 'decommissioned' })], deliverer);
    bench.vendors.inject({ match: 'POST', status: 429, retryAfter: 1 });
    await bench.converge([rowOf('limited')], deliverer);
    bench.clock.at += 1000;
    bench.vendors.inject({ match: 'POST', status: 500 });
    await bench.converge([rowOf('broken', {}, 4)], deliverer);
    const text = otherMetricsText(deliverer.otherMetrics!());
    for (const line of [
      'deptracker_post_record_ok 2',
      'deptracker_post_record_client_error 1',
      'deptracker_post_record_soft_fail 2',
      'deptracker_post_record_hard_fail 1',
      'deptracker_post_record_unknown_artifact 1',
      'deptracker_post_record_unknown_artifact_cache_hit 1',
      'deptracker_post_record_rate_limited 1',
      'deptracker_events_processed_ok{event_type="CREATED"} 4',
      'deptracker_events_processed_ok{event_type="DELETED"} 1',
      'deptracker_events_processed_failed{event_type="CREATED"} 2',
      'deptracker_events_processed_timer_count{status="ok"} 5',
      'deptracker_post_deployment_record_timer_bucket{le="+Inf"} 8',
      '# TYPE deptracker_post_deployment_record_timer histogram',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('is added up over destinations, each name once', () => {
    const all = [bench.deliverer(), bench.deliverer()].flatMap((one) => one.otherMetrics!());
    const types = otherMetricsText(all).match(/# TYPE \S+/g) ?? [];
    expect(types).toHaveLength(11);
    expect(new Set(types).size).toBe(11);
    expect(otherMetricsText([])).toBe('');
  });
});

describe('the line of a record', () => {
  it('says what was sent, and whether it was accepted', async () => {
    bench.vendors.github.artifacts.unwritable.add(digestOf('app-2'));
    await bench.converge(rowsOf(2));
    await bench.converge([rowOf('app-1', { status: 'decommissioned', version: '1.2' })]);
    expect(bench.lines).toMatchObject([
      {
        message: 'deployment record accepted',
        fields: {
          destination: 'github/default',
          result: 'OK',
          event_type: 'CREATED',
          name: 'ghcr.io/acme/app-1',
          deployment_name: 'app-1',
          digest: digestOf('app-1'),
          status: 'deployed',
        },
      },
      {
        message: 'deployment record not accepted; it is tried again',
        fields: { result: 'FAILED', deployment_name: 'app-2', reason: 'forbidden', error: expect.any(String) },
      },
      { fields: { result: 'OK', event_type: 'DELETED', status: 'decommissioned', version: '1.2' } },
    ]);
  });

  it('is not written for what waits', async () => {
    bench.vendors.inject({ status: 429, retryAfter: 60, body: '' });
    await bench.converge(rowsOf(50));
    await bench.converge(rowsOf(50));
    expect(bench.lines).toEqual([]);
  });
});
