import type { Instant } from '../../lib/clock.ts';
import type { ClaimedDesired, Delivery } from '../sink.ts';
import type { GithubClient, Refusal } from './client.ts';
import { asNotSent, inTurn, isBlocking } from './in-turn.ts';
import { SEND_ALONE } from './job-errors.ts';
import { jobKey, MAX_JOB, runJob } from './job.ts';
import type { RecordRow } from './record-row.ts';
import { readRecord } from './record.ts';
import type { DeploymentRecord } from './record.ts';
import { SingleRecords } from './single.ts';

/** The most records of one call that are sent one by one. */
const MAX_SINGLE = 20;
/** From how many on a job is worth its requests; from two on at the start, and after a pause. */
const JOB_FROM = 10;
const CATCH_UP_MS = 60_000;
/** A job that does not work is tried again after this long. */
const JOB_OFF_MS = 3_600_000;
/** So long may another job be in the way, or creating one fail. */
const MAX_CONFLICT_MS = 10 * 60_000;

const UNREADABLE: Delivery = { outcome: 'drop', reason: 'bad_request', detail: 'the stored record cannot be read' };
const LATER: Delivery = { outcome: 'retry', reason: 'awaiting_turn', afterMs: 1_000 };

/** Makes GitHub's deployment records what the rows want: many at once by a job, few one by one. */
export class Records {
  readonly #client: GithubClient;
  readonly #single: SingleRecords;
  readonly #bulkSync: boolean;
  readonly #settled: (record: DeploymentRecord, delivery: Delivery) => void;
  /** Keys of rows about which a job did not say enough. */
  readonly #alone = new Set<string>();
  #catchUpUntil: Instant | undefined;
  #jobOffUntil: Instant = -Infinity;
  #conflictSince: Instant | undefined;
  #jobRuns = false;

  /** `settled`: what became of a record. */
  constructor(
    client: GithubClient,
    bulkSync: boolean,
    settled: (record: DeploymentRecord, delivery: Delivery) => void,
  ) {
    this.#client = client;
    this.#settled = settled;
    this.#single = new SingleRecords(client);
    this.#bulkSync = bulkSync;
  }

  /** How many rows a call may have: as many as a job takes, while there may be one. */
  get most(): number {
    return this.#mayRunJob() ? MAX_JOB : MAX_SINGLE;
  }

  /** The credentials are others: what was unknown for them may be known. */
  renewed(): void {
    this.#single.renewed();
    this.#jobOffUntil = -Infinity;
  }

  /** One delivery per row, in their order. */
  async converge(rows: readonly ClaimedDesired[], signal: AbortSignal): Promise<Delivery[]> {
    const records = rows.flatMap((row) => {
      const record = readRecord(row.wanted);
      return record === undefined ? [] : [{ row, record }];
    });
    const began = this.#client.clock.now();
    const deliveries = new Map<ClaimedDesired, Delivery>();
    const settle = (some: readonly RecordRow[], answers: readonly Delivery[]) =>
      some.forEach(({ row }, index) => deliveries.set(row, answers[index]!));
    const { jobs, alone } = this.#divided(records);
    for (const job of jobs) {
      const blocked = [...deliveries.values()].find(isBlocking);
      settle(job, blocked ? job.map(() => asNotSent(blocked)) : await this.#job(job, signal));
    }
    const blocked = [...deliveries.values()].find(isBlocking);
    settle(alone, blocked ? alone.map(() => asNotSent(blocked)) : await this.#oneByOne(alone, signal));
    for (const { row, record } of records) this.#count(row, record, deliveries.get(row)!, began);
    const all = rows.map((row) => deliveries.get(row) ?? UNREADABLE);
    if (all.some(isBlocking)) this.#catchUp();
    return all;
  }

  #count({ attempt }: ClaimedDesired, record: DeploymentRecord, delivery: Delivery, began: Instant): void {
    if (wasNotSent(delivery)) return;
    this.#settled(record, delivery);
    this.#client.metrics.processed(record, delivery, attempt, this.#client.clock.now() - began);
  }

  /** What goes by jobs, by cluster and environment, and what is sent one by one. */
  #divided(records: readonly RecordRow[]): { readonly jobs: readonly RecordRow[][]; readonly alone: RecordRow[] } {
    const now = this.#client.clock.now();
    if (this.#catchUpUntil === undefined) this.#catchUp();
    if (!this.#mayRunJob()) return { jobs: [], alone: [...records] };
    const isMuch = records.length > MAX_SINGLE || this.#client.limits.isBusy() || now < this.#catchUpUntil!;
    // While another job is under way, it would set again what is sent alone.
    const least = this.#conflictSince !== undefined ? 1 : isMuch ? 2 : JOB_FROM;
    const alone = records.filter(({ row }) => this.#alone.has(row.key));
    const groups = Map.groupBy(
      records.filter(({ row }) => !this.#alone.has(row.key)),
      ({ record }) => jobKey(record),
    );
    const jobs = [...groups.values()].filter((group) => group.length >= least);
    const few = [...groups.values()].filter((group) => !jobs.includes(group)).flat();
    return { jobs, alone: [...few, ...alone] };
  }

  async #job(rows: readonly RecordRow[], signal: AbortSignal): Promise<readonly Delivery[]> {
    this.#jobRuns = true;
    const result = await runJob(this.#client, rows, signal);
    this.#jobRuns = false;
    const now = this.#client.clock.now();
    if ('conflict' in result) {
      this.#conflictSince ??= now;
      if (now - this.#conflictSince < MAX_CONFLICT_MS) return rows.map(() => result.conflict);
      return this.#withoutJob(rows, result.conflict);
    }
    this.#conflictSince = undefined;
    if ('failed' in result) return this.#withoutJob(rows, result.failed);
    rows.forEach(({ row }, index) => result.deliveries[index] === SEND_ALONE && this.#alone.add(row.key));
    return result.deliveries;
  }

  /** No job for an hour: what it should have done is sent one by one. */
  #withoutJob(rows: readonly RecordRow[], { detail = '', reason }: Refusal): Delivery[] {
    this.#jobOffUntil = this.#client.clock.now() + JOB_OFF_MS;
    this.#conflictSince = undefined;
    return rows.map(() => ({ outcome: 'retry', reason: 'job_failed', detail: detail || reason, afterMs: 1_000 }));
  }

  async #oneByOne(rows: readonly RecordRow[], signal: AbortSignal): Promise<Delivery[]> {
    const deliveries = await inTurn(rows.slice(0, MAX_SINGLE), async (one) => {
      const delivery = await this.#single.send(one, signal);
      if (delivery.outcome !== 'retry') this.#alone.delete(one.row.key);
      return delivery;
    });
    const blocked = deliveries.find(isBlocking);
    return [...deliveries, ...rows.slice(MAX_SINGLE).map(() => (blocked ? asNotSent(blocked) : LATER))];
  }

  #catchUp(): void {
    this.#catchUpUntil = this.#client.clock.now() + CATCH_UP_MS;
  }

  #mayRunJob(): boolean {
    return this.#bulkSync && !this.#jobRuns && this.#client.clock.now() >= this.#jobOffUntil;
  }
}

/** Whether nothing was heard of it: it waits for its turn, or for the end of a pause. */
function wasNotSent(delivery: Delivery): boolean {
  if (delivery.outcome !== 'retry') return false;
  return delivery.hold !== undefined || delivery.reason === 'awaiting_turn' || delivery.reason === 'shutting_down';
}
