import type { Instant } from '../../lib/clock.ts';
import type { Store } from '../../store/store.ts';
import { UNREADABLE_ROW } from '../../store/quarantine.ts';
import type { Batch, RecordResult } from '../batch.ts';
import { readList, readRequest, readWatched } from '../batch.ts';
import type { Engine } from '../engine.ts';
import type { Reading } from '../reading.ts';
import type { CallMessage, CallOf, Committed, GroupedMethod, RecordCount, WorkerCalls } from './protocol.ts';

/** One request of a group: how to answer it, and what it holds. */
export interface Waiting {
  readonly call: CallOf<GroupedMethod>;
  readonly batch: Batch;
}

type Reader<M extends GroupedMethod> = (...args: [...Parameters<WorkerCalls[M]>, reading: Reading]) => Batch;

const READERS: { readonly [M in GroupedMethod]: Reader<M> } = {
  ingest: readRequest,
  observe: (objects, observedAt, _, reading) => readList(objects, observedAt, reading),
  observeWatched: (events, observedAt, _, reading) => readWatched(events, observedAt, reading),
};

export function isGrouped(call: CallMessage): call is CallOf<GroupedMethod> {
  return call.method in READERS;
}

/** When a call came, by the bridge's clock: a LIST carries the time of the API server. */
export function receivedAt({ args }: CallOf<GroupedMethod>): Instant {
  return args.at(-1) as Instant;
}

/** Decodes what a call holds; throws when it cannot be read at all. */
export function readBatch<M extends GroupedMethod>({ method, args }: CallOf<M>, reading: Reading): Batch {
  return READERS[method](...args, reading);
}

/** What a commit of a group did; it began at `began` by the monotonic clock. */
export function committedOf(
  store: Store,
  group: readonly Waiting[],
  { poisoned, quiet }: ReturnType<Engine['commit']>,
  began: number,
): Committed {
  const broken = group.flatMap(({ batch }) => batch.quarantine.map(({ reason }) => reason));
  const unreadable = times(store.takeUnreadable(), UNREADABLE_ROW);
  const quarantined = [...broken, ...times(poisoned, 'core_error'), ...unreadable];
  const seen = sum(group, ({ batch: { observations, events = [] } }) => observations.length + events.length);
  const changedNothing = sum(quiet, ({ unchanged, known }) => unchanged + known);
  return {
    records: countRecords(group),
    requests: group.length,
    quarantined,
    transitions: store.take('transitions'),
    ended: store.take('ended'),
    quiet,
    changed: seen > changedNothing || quarantined.length > 0,
    work: store.takeWork(),
    commitMs: performance.now() - began,
  };
}

function countRecords(group: readonly Waiting[]): RecordCount[] {
  const counts = new Map<string, { kind: string; result: RecordResult; count: number }>();
  for (const { batch } of group) {
    for (const { kind, result } of batch.records) {
      const counted = counts.get(`${result} ${kind}`);
      if (counted === undefined) counts.set(`${result} ${kind}`, { kind, result, count: 1 });
      else counted.count++;
    }
  }
  return [...counts.values()];
}

function times<const T>(count: number, what: T): T[] {
  return Array.from({ length: count }, () => what);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
