import type { Tracer } from '@opentelemetry/api';
import { SpanKind } from '@opentelemetry/api';
import type { AuditCalls, PassResult, SameList } from '../ingest/audit/audit-calls.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import { objectAt, textAt } from '../kubernetes/fields.ts';
import type { Async } from '../lib/async.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Unit } from '../policy/audit.ts';
import { rereadPage } from '../policy/audit.ts';
import type { SpanEnd } from '../lib/traced.ts';
import { traced } from '../lib/traced.ts';
import type { KubeApi } from './api.ts';
import type { Listed, ListFailure, ListPage } from './list.ts';
import { listKind, readOne, sameList } from './list.ts';
import { quietSince } from './quiet.ts';

/** The store's side: compares, and takes in what differs. */
export type AuditStore = Async<AuditCalls> & {
  observe(objects: KubeObject[], observedAt: Instant, receivedAt: Instant): Promise<void>;
  observeWatched(events: KubeObject[], observedAt: Instant, receivedAt: Instant): Promise<void>;
};

export interface UnitOptions {
  readonly api: KubeApi;
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tracer?: Tracer | undefined;
}

export type Complete = { readonly result: 'complete'; readonly objects: number } & PassResult;
/** `version`: of the LIST. */
export type UnitResult = (Complete & { readonly version: string }) | ListFailure;

const MAX_RESTARTS = 3;

/** One LIST of one unit, compared with the store; what differs is read and fed through the path of the stream. */
export function auditUnit(options: UnitOptions, listed: Listed, namespace: string | undefined): Promise<UnitResult> {
  const attributes = {
    'lifecycle_bridge.list.kind': listed.kind,
    ...(namespace !== undefined && { 'lifecycle_bridge.list.namespace': namespace }),
  };
  return traced(
    options.tracer,
    'list',
    { kind: SpanKind.CLIENT, attributes },
    () => compare(options, listed, namespace),
    listEnd,
  );
}

function listEnd(unit: UnitResult): SpanEnd {
  if (unit.result === 'complete') return { attributes: { 'lifecycle_bridge.list.objects': unit.objects } };
  return { attributes: {}, errorType: unit.status === undefined ? 'connection_failed' : String(unit.status) };
}

async function compare(options: UnitOptions, listed: Listed, namespace: string | undefined): Promise<UnitResult> {
  const { api, store, clock, signal } = options;
  const unit: Unit = { kind: listed.kind, namespace };
  for (let restarts = 0; restarts <= MAX_RESTARTS; restarts++) {
    const { known, same: before } = await store.auditBegin(unit, clock.now());
    const same = restarts === 0 && before && (await sameAsBefore(options, listed, namespace, before));
    if (same) return same;
    const list = { namespace, metadata: known, signal };
    const digests: (string | undefined)[] = [];
    const listing = await listKind(api, listed, list, (page) => {
      digests.push(page.digest);
      return takePage(options, listed, page);
    });
    if (listing.result === 'failed') return listing;
    if (listing.result === 'expired') continue;
    for (let after: number | undefined = 0; after !== undefined;) after = (await store.auditScan(after)).next;
    return { ...listing, ...(await store.auditEnd(clock.now(), digests)) };
  }
  return { result: 'failed', status: 410, error: `the LIST expired ${MAX_RESTARTS + 1} times before its end` };
}

/**
 * What the LIST shows if nothing has changed since the one before, neither in the cluster nor in the store, as while nothing
 * happens. The API says so, or the LIST is, byte for byte, the one before and nothing of it is decoded. Undefined when it is
 * to be compared.
 */
async function sameAsBefore(
  { api, store, clock, signal }: UnitOptions,
  listed: Listed,
  namespace: string | undefined,
  { digests, version: from, isFresh }: SameList,
): Promise<UnitResult | undefined> {
  // One page is as cheap as to ask.
  const quiet = isFresh && digests.length > 1 ? await quietSince(api, listed, namespace, from, signal) : undefined;
  const version = quiet ?? (await sameList(api, listed, namespace, digests, signal));
  if (version === undefined) return undefined;
  const same = await store.auditSame(version, quiet === undefined, clock.now());
  return same && { result: 'complete', version, objects: same.objects, ...same.result };
}

async function takePage(options: UnitOptions, listed: Listed, page: ListPage): Promise<ListFailure | undefined> {
  const { store, clock } = options;
  const objects = page.objects.map((object) => ({ object, ...identify(object) }));
  const entries = objects.map(({ uid, version }) => ({ uid, version }));
  const { differing, full } = await store.auditPage(page.version, entries, clock.now());
  if (differing.length === 0) return undefined;
  const differs = new Set(differing);
  const wanted = objects.filter(({ uid }) => differs.has(uid));
  if (!page.metadataOnly) {
    const found = wanted.map(({ object }) => object);
    await store.observe(found, listedAt(options, page), clock.now());
    return undefined;
  }
  if (full || rereadPage(wanted.length, objects.length)) return reread(options, page);
  for (const target of wanted) {
    const object = await readOne(options.api, listed, target, options.signal);
    if (object === undefined) continue;
    // Without the verb get, the page shows the same.
    if ('result' in object) return object.status === 403 ? reread(options, page) : (object as ListFailure);
    await store.observe([object], listedAt(options, page), clock.now());
  }
  return undefined;
}

async function reread(options: UnitOptions, page: ListPage): Promise<ListFailure | undefined> {
  const objects = await page.readFull();
  if ('result' in objects) return objects;
  await options.store.observe([...objects], listedAt(options, page), options.clock.now());
  return undefined;
}

/** A clock of ours that is ahead would prove what has not happened yet. */
function listedAt({ clock }: UnitOptions, { at = Infinity }: ListPage): Instant {
  return Math.min(clock.now(), at);
}

function identify(object: KubeObject): { uid: string; version: string; namespace: string; name: string } {
  const metadata = objectAt(object, 'metadata');
  const text = (field: string): string => textAt(metadata, field) ?? '';
  return { uid: text('uid'), version: text('resourceVersion'), namespace: text('namespace'), name: text('name') };
}

/** What the LISTs of all units of a kind showed together. */
export function sum(results: readonly UnitResult[]): Complete {
  const complete = results.filter((result) => result.result === 'complete');
  const total = (count: (result: Complete) => number): number =>
    complete.reduce((all, result) => all + count(result), 0);
  return {
    result: 'complete',
    objects: total(({ objects }) => objects),
    first: complete.some(({ first }) => first),
    missed: total(({ missed }) => missed),
    stale: total(({ stale }) => stale),
    gone: total(({ gone }) => gone),
    outdated: total(({ outdated }) => outdated),
    held: total(({ held }) => held),
    epoch: complete.some(({ epoch }) => epoch),
    again: complete.some(({ again }) => again),
  };
}
