const MINUTE = 60_000;

export function runUid(number: number): string {
  return `66666666-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** CronJobs and their Jobs as the API server would send them; each call gives newer versions. */
export class BatchObjects {
  readonly #now: number;
  readonly #uids = new Map<string, string>();
  #version = 100;

  constructor(now: number) {
    this.#now = Math.floor(now / 1000) * 1000;
  }

  /** Ms; the higher the number, the later. */
  startOf(number: number): number {
    return this.#now - 10 * MINUTE + number * MINUTE;
  }

  cronJob(name: string): object {
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { ...this.#metadata(name, this.#cronJobUid(name)), creationTimestamp: iso(this.#now - 600 * MINUTE) },
      spec: { schedule: '*/5 * * * *', timeZone: 'Europe/Berlin' },
    };
  }

  started(cronJob: string, number: number): object[] {
    return [this.#job(cronJob, number, { startTime: iso(this.startOf(number)), active: 1 })];
  }

  succeeded(cronJob: string, number: number): object[] {
    const at = iso(this.startOf(number) + 20_000);
    const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: at }];
    const status = { startTime: iso(this.startOf(number)), completionTime: at, succeeded: 1, conditions };
    return [this.#job(cronJob, number, status)];
  }

  failed(cronJob: string, number: number): object[] {
    const lastTransitionTime = iso(this.startOf(number) + 20_000);
    const reason = 'BackoffLimitExceeded';
    const message = 'Job has reached the specified backoff limit';
    const conditions = [{ type: 'Failed', status: 'True', lastTransitionTime, reason, message }];
    return [this.#job(cronJob, number, { startTime: iso(this.startOf(number)), failed: 3, conditions })];
  }

  #job(cronJob: string, number: number, status: object): object {
    const owner = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      name: cronJob,
      uid: this.#cronJobUid(cronJob),
      controller: true,
    };
    const metadata = {
      ...this.#metadata(`${cronJob}-${number}`, runUid(number)),
      creationTimestamp: iso(this.startOf(number)),
      ownerReferences: [owner],
    };
    return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {}, status };
  }

  #metadata(name: string, uid: string): object {
    return { name, namespace: 'shop', uid, resourceVersion: String(this.#version++) };
  }

  #cronJobUid(name: string): string {
    const known = this.#uids.get(name);
    const uid = known ?? `77777777-0000-4000-8000-${String(this.#uids.size).padStart(12, '0')}`;
    this.#uids.set(name, uid);
    return uid;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, '');
}
