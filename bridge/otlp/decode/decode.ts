import type { Instant } from '../../lib/clock.ts';
import { DecodeError } from './decode-error.ts';
import type { Levels } from './levels.ts';
import { ALWAYS_LEVELS } from './levels.ts';
import { readRecord } from './records.ts';
import { Walker } from './walker.ts';
import { Wire } from './wire.ts';

export { DecodeError } from './decode-error.ts';

const MAX_RECORDS = 100_000;

/** Tags of opentelemetry/proto/{collector/logs,logs,resource}/v1: field number << 3 | wire type. */
const RESOURCE_LOGS = (1 << 3) | 2;
const RESOURCE = (1 << 3) | 2;
const ATTRIBUTE = (1 << 3) | 2;
const SCOPE_LOGS = (2 << 3) | 2;
const LOG_RECORD = (2 << 3) | 2;
const TIME = (1 << 3) | 1;
const BODY = (5 << 3) | 2;
const OBSERVED_TIME = (11 << 3) | 1;

const CLUSTER_NAME = 'k8s.cluster.name';

export interface DecodedRecord {
  /** When the Collector saw it; undefined when the record does not say. */
  readonly observedAt: Instant | undefined;
  /** Resource attribute `k8s.cluster.name`. */
  readonly clusterName: string | undefined;
  /**
   * Of a Kubernetes object what its kind's plan wants, of anything else all. Plain values: text, number (a decimal text
   * beyond ±2^53, as in protobuf's JSON), boolean, null, bytes, arrays and objects that inherit nothing, so that no key is
   * special. Undefined without a body.
   */
  readonly body: unknown;
}

export type DecodedLogs = readonly DecodedRecord[];

/** A record that cannot be decoded, in a request whose frame can. */
export interface BadRecord {
  readonly error: string;
  /** Those of the record; they belong to the request. */
  readonly bytes: Uint8Array;
}

/**
 * Every log record of an uncompressed ExportLogsServiceRequest, in its order, with what `levels` wants of objects (the
 * followed kinds). Throws `DecodeError` and nothing else: for a record too, unless `onBad` takes it and the walk goes on
 * behind it. A Collector that batches sends one bad record among hundreds of good ones.
 */
export function decodeLogs(
  request: Uint8Array,
  levels = ALWAYS_LEVELS,
  onBad?: (record: BadRecord) => void,
): DecodedLogs {
  return new RequestWalker(request, levels, onBad).records();
}

class RequestWalker {
  readonly #wire: Wire;
  readonly #walker: Walker;
  readonly #onBad: ((record: BadRecord) => void) | undefined;
  readonly #records: DecodedRecord[] = [];

  constructor(request: Uint8Array, levels: Levels, onBad: ((record: BadRecord) => void) | undefined) {
    this.#onBad = onBad;
    this.#wire = new Wire(request);
    this.#walker = new Walker(this.#wire, levels);
  }

  records(): DecodedRecord[] {
    const end = this.#wire.bytes.length;
    this.#each(0, end, RESOURCE_LOGS, (start, stop) => this.#resourceLogs(start, stop));
    return this.#records;
  }

  #resourceLogs(start: number, stop: number): void {
    const attributes: Record<string, unknown> = {};
    const keep = (key: string): boolean => key === CLUSTER_NAME;
    this.#each(start, stop, RESOURCE, (start, stop) => {
      this.#each(start, stop, ATTRIBUTE, (start, stop) => {
        this.#wire.pos = start;
        this.#walker.entry(stop, keep, attributes);
      });
    });
    const name = attributes[CLUSTER_NAME];
    const clusterName = typeof name === 'string' ? name : undefined;
    this.#each(start, stop, SCOPE_LOGS, (start, stop) => {
      this.#each(start, stop, LOG_RECORD, (start, stop) => this.#recordOrBad(start, stop, clusterName));
    });
  }

  #recordOrBad(start: number, end: number, clusterName: string | undefined): void {
    try {
      this.#record(start, end, clusterName);
    } catch (error) {
      // That a bound of the whole request is reached is not a fault of the record there.
      if (!(error instanceof DecodeError) || error.ofRequest || this.#onBad === undefined) throw error;
      this.#onBad({ error: error.message, bytes: this.#wire.bytes.subarray(start, end) });
    }
  }

  #record(start: number, end: number, clusterName: string | undefined): void {
    if (this.#records.length === MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} records`, true);
    const wire = this.#wire;
    let [time, observed]: (Instant | undefined)[] = [];
    const bodies: number[] = [];
    wire.pos = start;
    while (wire.pos < end) {
      const tag = wire.tag(end);
      if (tag === BODY) {
        const stop = wire.stop(end);
        bodies.push(wire.pos, stop);
        wire.pos = stop;
      } else if (tag === OBSERVED_TIME) observed = wire.milliseconds(end);
      else if (tag === TIME) time = wire.milliseconds(end);
      else wire.skip(tag, end);
    }
    this.#records.push({ observedAt: observed ?? time, clusterName, body: this.#body(bodies) });
  }

  /** What is wanted of an object; all of a body that is none, or of one so odd that its kind was not seen at once. */
  #body(parts: readonly number[]): unknown {
    if (parts.length === 0) return undefined;
    this.#walker.isInParts = false;
    const body = this.#merged(parts, 'body');
    return this.#walker.isInParts || readRecord(body) === undefined ? this.#merged(parts, 'whole') : body;
  }

  #merged(parts: readonly number[], wanted: 'body' | 'whole'): unknown {
    let value: unknown = null;
    for (let part = 0; part < parts.length; part += 2) {
      value = this.#walker.value(parts[part]!, parts[part + 1]!, wanted, value);
    }
    return value;
  }

  /** Calls back with the range of every field of this tag, and goes behind it. */
  #each(start: number, end: number, wanted: number, take: (start: number, stop: number) => void): void {
    const wire = this.#wire;
    wire.pos = start;
    while (wire.pos < end) {
      const tag = wire.tag(end);
      if (tag !== wanted) {
        wire.skip(tag, end);
        continue;
      }
      const stop = wire.stop(end);
      take(wire.pos, stop);
      wire.pos = stop;
    }
  }
}
