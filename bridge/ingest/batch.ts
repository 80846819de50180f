import { createHash } from 'node:crypto';
import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { Facts, Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { BadRecord } from '../otlp/decode/decode.ts';
import { DecodeError, decodeLogs } from '../otlp/decode/decode.ts';
import type { ObjectRecord } from '../otlp/decode/records.ts';
import { isKubeObject, readRecord } from '../otlp/decode/records.ts';
import type { Quarantined } from '../store/quarantine.ts';
import { KEPT_BYTES } from '../turn/quarantined.ts';
import type { Reading } from './reading.ts';
import { READING } from './reading.ts';

export type RecordResult = 'observed' | 'ignored' | 'not_kubernetes' | 'undecodable';

/** What one request or list page holds, decoded; nothing is written yet. */
export interface Batch {
  readonly observations: readonly Observation[];
  /** Events that are kept: they are not rows among the objects, and prove nothing about a watch. */
  readonly events?: readonly Observation<EventFacts>[];
  readonly quarantine: readonly Quarantined[];
  readonly records: readonly { readonly kind: string; readonly result: RecordResult }[];
  /** The latest time at which one of its records was observed, followed or not: they prove that the stream flows. */
  readonly newestAt?: Instant;
  /** The Collector sent it. */
  readonly isExport?: boolean;
  /** Set when the whole request cannot be decoded: its bytes are in `quarantine`. */
  readonly undecodable?: string;
}

/** A sender's clock may be ahead of ours; what it saw in another year it did not see. */
const MAX_AHEAD_MS = 86_400_000;

/**
 * Decodes an export request. Records of kinds that are not followed are counted. What is not an object or cannot be decoded
 * is quarantined: one record among many costs nothing but itself. A request of which nothing can be decoded is refused.
 */
export function readRequest(request: Uint8Array, receivedAt: Instant, reading: Reading = READING): Batch {
  const refused = (error: string): Batch => {
    const row = quarantined('request', 'undecodable', error, request, receivedAt);
    return { observations: [], quarantine: [row], records: [], undecodable: error };
  };
  const bad: BadRecord[] = [];
  let records: ReturnType<typeof decodeLogs>;
  try {
    records = decodeLogs(request, reading.levels, (record) => bad.push(record));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return refused(error.message);
  }
  if (bad.length > 0 && records.length === 0) return refused(bad[0]!.error);
  const taken: AnyObservation[] = [];
  const quarantine = bad.map(({ error, bytes }) => quarantined('record', 'undecodable', error, bytes, receivedAt));
  const counts: { kind: string; result: RecordResult }[] = bad.map(() => ({ kind: 'unknown', result: 'undecodable' }));
  let newestAt = 0;
  for (const { body, observedAt: stamped } of records) {
    const observedAt = stamped !== undefined && stamped <= receivedAt + MAX_AHEAD_MS ? stamped : receivedAt;
    const record = readRecord(body);
    if (record === undefined) {
      newestAt = Math.max(newestAt, observedAt);
      const bytes = Buffer.from(JSON.stringify(body) ?? '');
      quarantine.push(quarantined('record', 'not_kubernetes', 'no Kubernetes object in the body', bytes, receivedAt));
      counts.push({ kind: 'unknown', result: 'not_kubernetes' });
      continue;
    }
    const facts = readFacts(record, reading);
    const seen = facts === undefined ? observedAt : seenAt(observedAt, facts, receivedAt);
    newestAt = Math.max(newestAt, seen);
    if (facts !== undefined) taken.push({ deleted: record.deleted, observedAt: seen, facts });
    counts.push({ kind: String(record.object['kind']), result: facts === undefined ? 'ignored' : 'observed' });
  }
  return { ...sorted(taken), quarantine, records: counts, newestAt, isExport: true };
}

type AnyObservation = Observation<Facts | EventFacts>;

/** What is kept of a record's object. The end of an Event is that of its time in etcd: half of what comes of them. */
function readFacts({ object, deleted }: ObjectRecord, { read, keepsEvent }: Reading): Facts | EventFacts | undefined {
  if (deleted && object['kind'] === 'Event') return undefined;
  const facts = read(object);
  return facts?.kind === 'Event' && !keepsEvent(facts) ? undefined : facts;
}

function sorted(taken: readonly AnyObservation[]): Pick<Batch, 'observations' | 'events'> {
  const isEvent = (one: AnyObservation): one is Observation<EventFacts> => one.facts.kind === 'Event';
  const isObject = (one: AnyObservation): one is Observation => one.facts.kind !== 'Event';
  return { observations: taken.filter(isObject), events: taken.filter(isEvent) };
}

/** Nobody sees an object before it is there: then the sender's clock is behind, a little or (1970) entirely. */
function seenAt(stamped: Instant, { createdAt = 0 }: Facts | EventFacts, receivedAt: Instant): Instant {
  if (stamped >= createdAt || createdAt > receivedAt + MAX_AHEAD_MS) return stamped;
  return stamped < createdAt - MAX_AHEAD_MS ? receivedAt : createdAt;
}

/** An object as JSON or Kubernetes' protobuf has it. */
type Given = { readonly [key: string]: unknown };

/** The objects of one LIST page, fed through the same path as the stream. */
export function readList(objects: readonly Given[], observedAt: Instant, reading: Reading = READING): Batch {
  const taken = objects.flatMap((object): AnyObservation[] => {
    // A LIST of an API has no others; what has no UID would be taken for each other.
    const facts = isKubeObject(object) ? readFacts({ object, deleted: false }, reading) : undefined;
    return facts === undefined ? [] : [{ deleted: false, observedAt, facts, listed: true }];
  });
  // A page of pods proves nothing about what CronJobs did: its own stream may be down.
  const newestAt = objects.some(({ kind }) => kind === 'CronJob') ? observedAt : 0;
  return { ...sorted(taken), quarantine: [], records: [], newestAt };
}

/** What the bridge's own watch brought: `{type, object}`, fed through the same path as the stream. */
export function readWatched(events: readonly Given[], observedAt: Instant, reading: Reading = READING): Batch {
  const records = events.flatMap((event) => readRecord(event) ?? []);
  const taken = records.flatMap((record): AnyObservation[] => {
    const facts = readFacts(record, reading);
    return facts === undefined ? [] : [{ deleted: record.deleted, observedAt, facts, watched: true }];
  });
  const newestAt = taken.some(({ facts }) => facts.kind === 'CronJob') ? observedAt : 0;
  return { ...sorted(taken), quarantine: [], records: [], newestAt };
}

function quarantined(
  prefix: string,
  reason: Quarantined['reason'],
  error: string,
  bytes: Uint8Array,
  at: Instant,
): Quarantined {
  const subject = `${prefix}/${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
  return { subject, reason, version: undefined, error, bytes: bytes.subarray(0, KEPT_BYTES), at };
}
