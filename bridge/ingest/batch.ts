import { createHash } from 'node:crypto';
import type { Facts, Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { BadRecord } from '../otlp/decode/decode.ts';
import { DecodeError, decodeLogs } from '../otlp/decode/decode.ts';
import { isKubeObject, readRecord } from '../otlp/decode/records.ts';
import type { Quarantined } from '../store/store.ts';
import { KEPT_BYTES } from '../turn/quarantined.ts';
import type { Reading } from './reading.ts';
import { READING } from './reading.ts';

export type RecordResult = 'observed' | 'ignored' | 'not_kubernetes' | 'undecodable';

/** What one request or list page holds, decoded; nothing is written yet. */
export interface Batch {
  readonly observations: readonly Observation[];
  readonly quarantine: readonly Quarantined[];
  readonly records: readonly { readonly kind: string; readonly result: RecordResult }[];
  /** The latest time at which one of its records was observed, followed or not: they prove that the stream flows. */
  readonly newestAt?: Instant;
  /** Set when the whole request cannot be decoded: its bytes are in `quarantine`. */
  readonly undecodable?: string;
}

/** A sender's clock may be ahead of ours; what it saw in another year it did not see. */
const MAX_AHEAD_MS = 86_400_000;

/**
 * Decodes an export request. Records of kinds that are not followed are counted; what is no object is quarantined, and so is a
 * record that cannot be decoded: one among many costs nothing but itself. A request of which nothing can be decoded is refused.
 */
export function readRequest(request: Uint8Array, receivedAt: Instant, { levels, read }: Reading = READING): Batch {
  const refused = (error: string): Batch => {
    const row = quarantined('request', 'undecodable', error, request, receivedAt);
    return { observations: [], quarantine: [row], records: [], undecodable: error };
  };
  const bad: BadRecord[] = [];
  let records: ReturnType<typeof decodeLogs>;
  try {
    records = decodeLogs(request, levels, (record) => bad.push(record));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return refused(error.message);
  }
  if (bad.length > 0 && records.length === 0) return refused(bad[0]!.error);
  const observations: Observation[] = [];
  const quarantine = bad.map(({ error, bytes }) => quarantined('record', 'undecodable', error, bytes, receivedAt));
  const counts: { kind: string; result: RecordResult }[] = bad.map(() => ({ kind: 'unknown', result: 'undecodable' }));
  let newestAt = 0;
  for (const { body, observedAt: told } of records) {
    const observedAt = told !== undefined && told <= receivedAt + MAX_AHEAD_MS ? told : receivedAt;
    newestAt = Math.max(newestAt, observedAt);
    const record = readRecord(body);
    if (record === undefined) {
      const bytes = Buffer.from(JSON.stringify(body) ?? '');
      quarantine.push(quarantined('record', 'not_kubernetes', 'no Kubernetes object in the body', bytes, receivedAt));
      counts.push({ kind: 'unknown', result: 'not_kubernetes' });
      continue;
    }
    const facts = read(record.object);
    if (facts !== undefined)
      observations.push({ deleted: record.deleted, observedAt: seenAt(observedAt, facts, receivedAt), facts });
    counts.push({ kind: String(record.object['kind']), result: facts === undefined ? 'ignored' : 'observed' });
  }
  return { observations, quarantine, records: counts, newestAt };
}

/** Nobody sees an object before it is there: then the sender's clock is behind, a little or (1970) entirely. */
function seenAt(told: Instant, { createdAt = 0 }: Facts, receivedAt: Instant): Instant {
  if (told >= createdAt || createdAt > receivedAt + MAX_AHEAD_MS) return told;
  return told < createdAt - MAX_AHEAD_MS ? receivedAt : createdAt;
}

/** An object as JSON or Kubernetes' protobuf has it. */
type Given = { readonly [key: string]: unknown };

/** The objects of one LIST page, fed through the same path as the stream. */
export function readList(objects: readonly Given[], observedAt: Instant, { read }: Reading = READING): Batch {
  const observations = objects.flatMap((object) => {
    // A LIST of an API has no others; what has no UID would be taken for each other.
    const facts = isKubeObject(object) ? read(object) : undefined;
    return facts === undefined ? [] : [{ deleted: false, observedAt, facts, listed: true as const }];
  });
  // A page of pods proves nothing about what CronJobs did: its own stream may be down.
  const newestAt = objects.some(({ kind }) => kind === 'CronJob') ? observedAt : 0;
  return { observations, quarantine: [], records: [], newestAt };
}

/** What the bridge's own watch brought: `{type, object}`, fed through the same path as the stream. */
export function readWatched(events: readonly Given[], observedAt: Instant, { read }: Reading = READING): Batch {
  const records = events.flatMap((event) => readRecord(event) ?? []);
  const observations = records.flatMap(({ object, deleted }): Observation[] => {
    const facts = read(object);
    return facts === undefined ? [] : [{ deleted, observedAt, facts, watched: true }];
  });
  const newestAt = observations.some(({ facts }) => facts.kind === 'CronJob') ? observedAt : 0;
  return { observations, quarantine: [], records: [], newestAt };
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
