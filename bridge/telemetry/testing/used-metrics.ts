import type { EndedRun } from '../../lifecycle/ended-run.ts';
import type { Metrics, ObservedStore } from '../metrics.ts';

export const TRACE_ID = '6f1f3c524c2e4b6a9a550123456789ab';
const NOTHING_FAILED = { exportedAt: undefined, attempts: 0, reason: undefined, detail: undefined, nextAt: undefined };

/** A store with nothing in it. */
export const NO_ROWS: ObservedStore = {
  depth: () => [],
  journals: () => [],
  receiptCounts: () => [],
  cronJobCount: () => 0,
  unjudgedCounts: () => [],
  refusedCounts: () => [],
  usedBytes: () => 0,
  retirement: () => undefined,
  problemCounts: () => [],
  activeRuns: () => [],
};

/** A run of a CronJob that failed after 98 s and two pods. */
export function endedRun(changes: Partial<EndedRun> = {}): EndedRun {
  return {
    pipeline: { kind: 'Job', namespace: 'shop', name: 'report', recurs: true },
    traceId: TRACE_ID,
    at: 1_767_607_300_000,
    result: 'failure',
    errorType: 'BackoffLimitExceeded',
    waitMs: 2_000,
    runMs: 98_000,
    attempts: 2,
    ...changes,
  };
}

/** Uses every metric once. */
export function useAll(metrics: Metrics, now: number): void {
  metrics.request('committed');
  metrics.refusedConnection('limit');
  metrics.record('Job', 'observed');
  metrics.deduplicated('Pod', 'known', 1);
  metrics.commit(3);
  metrics.quarantine('core_error');
  metrics.plannerFailure('cronitor/default', 'plan', 1);
  metrics.ended(endedRun());
  metrics.drop('cronitor/default', 'no_cronjob');
  metrics.transition('cronjob.missed');
  metrics.list('Job', 'complete');
  metrics.collectorRestart('deleted');
  metrics.backendRefused('otlp/lifecycle-traces', 3);
  metrics.difference('Job', 'missed', 2);
  metrics.observeAudit(() => [{ kind: 'Job', watchDead: true, watchOwn: true, unaudited: false }]);
  metrics.delivery('cronitor/default', 'delivered', 'delivered');
  metrics.log('kept');
  metrics.observeLogs(() => 0);
  metrics.observeStore({
    ...NO_ROWS,
    depth: () => [{ destination: 'cronitor/default', pending: 2, oldestCreatedAt: now - 5000, notInSync: 1 }],
    journals: () => [{ ...NOTHING_FAILED, destination: 'otlp/default', waiting: 3, oldestAt: now - 7000 }],
    receiptCounts: () => [{ destination: 'cronitor/default', reason: 'delivered', count: 4 }],
    cronJobCount: () => 7,
    unjudgedCounts: () => [{ reason: 'zone_data_differ', count: 2 }],
    refusedCounts: () => [{ reason: 'beyond_retention', count: 3 }],
    problemCounts: () => [{ destination: 'cronitor/default', annotation: 'k8s.cronitor.io/exclude', count: 2 }],
    usedBytes: () => 4096,
    activeRuns: () => [{ kind: 'Job', namespace: 'shop', name: 'report', recurs: true, status: 'running', count: 1 }],
    retirement: () => ({ since: now, by: 'ada', destinations: [] }),
  });
}
