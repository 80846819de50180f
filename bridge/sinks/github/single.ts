import type { Instant } from '../../lib/clock.ts';
import { readJson } from '../../lib/json.ts';
import type { Delivery } from '../sink.ts';
import type { GithubClient } from './client.ts';
import { API_LIMIT } from './limits.ts';
import { forbidden, Probe } from './probe.ts';
import type { RecordRow } from './record-row.ts';
import { singleBody } from './record.ts';
import type { DeploymentRecord } from './record.ts';
import type { Reply } from './reply.ts';

const HOUR_MS = 3_600_000;
/** Artifacts that GitHub did not know a moment ago, at most. */
const MAX_UNKNOWN = 10_000;
/** A conflict that does not pass is one of this record. */
const MAX_CONFLICTS = 5;
const CONFLICT_MS = 5_000;
/** This many refusals in a row are not about the records: from then on they are sent more slowly. */
const MANY_FORBIDDEN = 3;
const MIN_GAP_MS = 5_000;
const MAX_GAP_MS = 60_000;

/** Sets deployment records one by one. */
export class SingleRecords {
  readonly #client: GithubClient;
  readonly #probe: Probe;
  readonly #unknown = new Map<string, { readonly until: Instant; readonly delivery: Delivery }>();
  /** In a row. */
  #forbidden = 0;
  #slowUntil: Instant = -Infinity;

  constructor(client: GithubClient) {
    this.#client = client;
    this.#probe = new Probe(client);
  }

  renewed(): void {
    this.#unknown.clear();
    this.#probe.renewed();
    this.#forbidden = 0;
    this.#slowUntil = -Infinity;
  }

  async send({ row, record }: RecordRow, signal: AbortSignal): Promise<Delivery> {
    const known = this.#wasUnknown(record);
    if (known !== undefined) {
      this.#client.metrics.skipped();
      return known;
    }
    const slowMs = this.#slowUntil - this.#client.clock.now();
    if (slowMs > 0 && slowMs <= MAX_GAP_MS) return slow(slowMs);
    const path = `/orgs/${record.org}/artifacts/metadata/deployment-record`;
    const reply = await this.#client.call({ method: 'POST', path, body: singleBody(record) }, signal);
    this.#client.metrics.posted(reply);
    const status = reply.answer?.status;
    if (status !== 403) this.#forbidden = 0;
    if (reply.delivery.outcome === 'delivered') return accepted(this.#client, reply);
    if (reply.delivery.outcome === 'retry') return reply.delivery;
    if (status === 404) return this.#notFound(row.attempt, record, signal);
    if (status === 403) return this.#refused(reply.delivery, row.attempt);
    if (status === 409) return conflict(reply.delivery, row.attempt);
    return reply.delivery;
  }

  async #notFound(attempt: number, record: DeploymentRecord, signal: AbortSignal): Promise<Delivery> {
    const delivery = await this.#probe.explain(record, attempt, signal);
    if (delivery.outcome === 'drop' && delivery.reason !== 'forbidden') {
      const [oldest] = this.#unknown.keys();
      if (this.#unknown.size >= MAX_UNKNOWN && oldest !== undefined) this.#unknown.delete(oldest);
      this.#unknown.set(artifactOf(record), { until: this.#client.clock.now() + HOUR_MS, delivery });
    }
    return delivery;
  }

  /** What was answered for the same artifact less than an hour ago. */
  #wasUnknown(record: DeploymentRecord): Delivery | undefined {
    const key = artifactOf(record);
    const known = this.#unknown.get(key);
    const leftMs = (known?.until ?? -Infinity) - this.#client.clock.now();
    if (known !== undefined && leftMs > 0 && leftMs <= HOUR_MS) return known.delivery;
    this.#unknown.delete(key);
    return undefined;
  }

  /** One repository may forbid it; when it is all of them, each is still tried, more and more slowly. */
  #refused(delivery: Extract<Delivery, { outcome: 'drop' }>, attempt: number): Delivery {
    const gaps = ++this.#forbidden - MANY_FORBIDDEN;
    if (gaps >= 0) {
      const gapMs = Math.min(MAX_GAP_MS, MIN_GAP_MS * 2 ** Math.min(gaps, 10));
      this.#slowUntil = this.#client.clock.now() + gapMs;
    }
    return forbidden(delivery.detail ?? '', attempt);
  }
}

/** An answer with a body is JSON: a 200 of something between us and GitHub is not an acceptance. */
function accepted(client: GithubClient, { answer, delivery }: Reply): Delivery {
  if (answer === undefined || answer.body.trim() === '') return delivery;
  const value = readJson(answer.body);
  return typeof value === 'object' && value !== null ? delivery : client.badAnswer({ answer });
}

function conflict(delivery: Extract<Delivery, { outcome: 'drop' }>, attempt: number): Delivery {
  if (attempt > MAX_CONFLICTS) return delivery;
  const { reason, detail = '' } = delivery;
  return { outcome: 'retry', reason, detail, afterMs: CONFLICT_MS };
}

function slow(afterMs: number): Delivery {
  const detail = 'GitHub forbids one record after the other';
  return { outcome: 'retry', reason: 'forbidden', detail, afterMs, hold: { key: API_LIMIT } };
}

const artifactOf = ({ org, digest, github_repository: repository = '' }: DeploymentRecord): string =>
  `${org}/${repository}/${digest}`;
