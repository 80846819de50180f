import type { OtherMetric } from '../other-metrics.ts';
import type { Delivery } from '../sink.ts';
import type { DeploymentRecord } from './record.ts';
import type { Reply } from './reply.ts';

/** Those of Go's Prometheus client, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** So often deployment-tracker tried before it counted a record as failed for good. */
const TRIES = 4;

const COUNTERS = {
  post_record_ok: 'Deployment records, or jobs for many of them, that GitHub accepted',
  post_record_unknown_artifact: 'Records and jobs that GitHub answered with 404',
  post_record_unknown_artifact_cache_hit: 'Records not sent: GitHub did not know the artifact less than an hour ago',
  post_record_rate_limited: 'Requests that GitHub refused for a rate limit',
  post_record_soft_fail: 'Requests that failed and are made again: no answer, or a server error',
  post_record_hard_fail: 'Records that failed four times or more in a row; they are tried again',
  post_record_client_error: 'Requests that GitHub refused with another 4xx',
} as const;

type Counter = keyof typeof COUNTERS;

/** What deployment-tracker counted, by its names: dashboards and alerts go on. */
export class TrackerMetrics {
  readonly #counts = new Map<Counter, number>();
  readonly #events = new Map<string, number>();
  readonly #requests = new Timer();
  readonly #processed = { ok: new Timer(), failed: new Timer() };

  /** A record, or a job for many, was sent. */
  posted({ delivery, answer }: Reply): void {
    if (delivery.outcome === 'delivered') this.#count('post_record_ok');
    else if (delivery.outcome === 'retry' && delivery.reason === 'rate_limited') {
      if (answer !== undefined) this.#count('post_record_rate_limited');
    } else if (answer?.status === 404) this.#count('post_record_unknown_artifact');
    else if (answer !== undefined && answer.status >= 400 && answer.status < 500)
      this.#count('post_record_client_error');
    else if (delivery.outcome === 'retry' && delivery.reason !== 'shutting_down') this.#count('post_record_soft_fail');
  }

  skipped(): void {
    this.#count('post_record_unknown_artifact_cache_hit');
  }

  /** How long each request took. */
  took(ms: number): void {
    this.#requests.add(ms / 1000);
  }

  /** A record was looked at for the `attempt`th time. */
  processed({ status }: DeploymentRecord, { outcome }: Delivery, attempt: number, ms: number): void {
    const result = outcome === 'retry' ? 'failed' : 'ok';
    const type = status === 'deployed' ? 'CREATED' : 'DELETED';
    const key = `${result} ${type}`;
    this.#events.set(key, (this.#events.get(key) ?? 0) + 1);
    this.#processed[result].add(ms / 1000);
    if (outcome === 'retry' && attempt >= TRIES) this.#count('post_record_hard_fail');
  }

  read(): OtherMetric[] {
    const counters = Object.entries(COUNTERS).map(([name, help]): OtherMetric => {
      const value = this.#counts.get(name as Counter) ?? 0;
      return { name: `deptracker_${name}`, type: 'counter', help, samples: { '': value } };
    });
    const events = (['ok', 'failed'] as const).map((result): OtherMetric => {
      const count = (type: string) => this.#events.get(`${result} ${type}`) ?? 0;
      const samples = { '{event_type="CREATED"}': count('CREATED'), '{event_type="DELETED"}': count('DELETED') };
      return {
        name: `deptracker_events_processed_${result}`,
        type: 'counter',
        help: `Records that were ${result}`,
        samples,
      };
    });
    return [
      ...counters,
      ...events,
      {
        name: 'deptracker_events_processed_timer',
        type: 'histogram',
        help: 'Seconds that a record took',
        samples: { ...this.#processed.ok.samples('status="ok"'), ...this.#processed.failed.samples('status="failed"') },
      },
      {
        name: 'deptracker_post_deployment_record_timer',
        type: 'histogram',
        help: 'Seconds that a request took',
        samples: this.#requests.samples(),
      },
    ];
  }

  #count(counter: Counter): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
  }
}

/** A histogram of Prometheus. */
class Timer {
  readonly #counts = BUCKETS.map(() => 0);
  #count = 0;
  #sum = 0;

  add(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    for (const [index, limit] of BUCKETS.entries()) if (seconds <= limit) this.#counts[index]!++;
  }

  samples(label = ''): Record<string, number> {
    const before = label === '' ? '' : `${label},`;
    const labels = label === '' ? '' : `{${label}}`;
    const buckets = BUCKETS.map((limit, index) => [`_bucket{${before}le="${limit}"}`, this.#counts[index]!]);
    return {
      ...(Object.fromEntries(buckets) as Record<string, number>),
      [`_bucket{${before}le="+Inf"}`]: this.#count,
      [`_sum${labels}`]: this.#sum,
      [`_count${labels}`]: this.#count,
    };
  }
}
