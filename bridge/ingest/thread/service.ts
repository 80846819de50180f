import { followedKinds } from '../../config/watch.ts';
import type { Kind } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import { errorText, UserError } from '../../lib/errors.ts';
import type { IngestResult } from '../../otlp/receive/ingest.ts';
import type { Identity } from '../../policy/identity.ts';
import { createPlanners } from '../../sinks/index.ts';
import { isLost } from '../../store/sqlite/file/integrity.ts';
import { openStore } from '../../store/sqlite/open.ts';
import { markSuspect } from '../../store/sqlite/file/side-files.ts';
import type { Store } from '../../store/store.ts';
import { UNREADABLE_ROW } from '../../store/quarantine.ts';
import type { AuditCalls } from '../audit/audit-calls.ts';
import type { Batch, RecordResult } from '../batch.ts';
import { readList, readRequest, readWatched } from '../batch.ts';
import type { Engine } from '../engine.ts';
import { createEngine } from '../engine.ts';
import { identify } from '../audit/identify.ts';
import type { Reading } from '../reading.ts';
import { readingOf } from '../reading.ts';
import { BY_CLOCK } from '../timers.ts';
import type { CallMessage, Method, RecordCount, Ticked, WorkerInit, WorkerMessage } from './protocol.ts';

const RETRY_AFTER_MS = 1_000;
const MAX_GROUP = 256;

/** How the thread hears and answers. */
export interface Port {
  post(messages: readonly WorkerMessage[]): void;
  /** Hands over the calls that arrive from now on, those of one message together. */
  onCalls(take: (calls: readonly CallMessage[]) => void): void;
  /** The next calls that have arrived meanwhile; undefined when there are none. */
  next(): readonly CallMessage[] | undefined;
}

/** Opens the store and answers the calls of `port`; what keeps it from starting is answered too. */
export function serve(init: WorkerInit, port: Port): void {
  new Service(init, port).start();
}

/** One request of a group: its batch and how to answer it. */
interface Waiting {
  readonly call: CallMessage;
  readonly batch: Batch;
}

function readBatch({ method, args }: CallMessage, reading: Reading): Batch {
  if (method === 'ingest') return readRequest(args[0] as Uint8Array, args[1] as Instant, reading);
  const read = method === 'observe' ? readList : readWatched;
  return read(args[0] as Parameters<typeof read>[0], args[1] as Instant, reading);
}

function isExport({ call }: Waiting): boolean {
  return call.method === 'ingest';
}

function idsOf(group: readonly Waiting[]): number[] {
  return group.map(({ call }) => call.id);
}

const COMMITTED: IngestResult = { result: 'committed' };

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

/** What holds records: those that wait share a commit. */
function isGrouped(method: Method): method is 'ingest' | 'observe' | 'observeWatched' {
  return method === 'ingest' || method === 'observe' || method === 'observeWatched';
}

function isAuditCall(method: Method): method is keyof AuditCalls {
  return method.startsWith('audit');
}

/** A row that is written to see whether the store can commit; never due. */
const PROBE = { id: 'probe', kind: 'probe', uid: 'probe', due: Number.MAX_SAFE_INTEGER } as const;

/**
 * What the thread does: it alone writes the store, and it decodes, reduces and plans too, so that nothing has to be
 * handed back and forth. All requests that wait in its queue share one commit (group commit).
 */
class Service {
  readonly #init: WorkerInit;
  readonly #kinds: readonly Kind[];
  readonly #reading: Reading;
  readonly #port: Port;
  /** Why the store must not be touched any more; a new start makes a new one. */
  #lost: string | undefined;
  /** What is to be said; to say it wakes the other thread, and each message is copied by itself. */
  #unsaid: WorkerMessage[] = [];

  constructor(init: WorkerInit, port: Port) {
    this.#init = init;
    this.#kinds = followedKinds(init.config);
    this.#reading = readingOf(this.#kinds);
    this.#port = port;
  }

  start(): void {
    try {
      this.#start();
    } catch (error) {
      this.#failed(error);
      const next = error instanceof UserError ? error.next : 'Look at the error above and start again.';
      this.#post({ type: 'refused', message: errorText(error), next });
    }
    this.#say();
  }

  #post(message: WorkerMessage): void {
    this.#unsaid.push(message);
  }

  #say(): void {
    if (this.#unsaid.length > 0) this.#port.post(this.#unsaid.splice(0));
  }

  #start(): void {
    const { config, startedAt, scheduleTimers = true } = this.#init;
    const store = openStore(config.store.path, { now: () => startedAt });
    const rule = (destination: string) => ({
      cutoff: store.cutoff(destination, startedAt - config.firstSight.lookback),
      running: config.firstSight.running,
      toldUntil: store.recovery?.cutoff,
    });
    const { onUnknown } = config;
    // Without the Kubernetes API nobody could read them.
    const readsLogs = config.cluster.list;
    const world = { clusterId: store.clusterId(), clusterName: config.cluster.name, pageUrl: config.web.publicUrl };
    const destinations = createPlanners(config, world).map((planner) => {
      return { planner, rule: rule(planner.destination), onUnknown, readsLogs };
    });
    const engine = createEngine(store, destinations, {
      scheduleTimers,
      stuck: config.stuck,
      graceMs: config.cluster.audit.grace,
      maxAgeMs: config.outbox.maxAge,
      lookbackMs: config.firstSight.lookback,
      kinds: this.#kinds,
      schemaOf: this.#reading.schemaOf,
    });
    if (store.recovery?.at === startedAt) engine.recovered(startedAt);
    engine.replan(startedAt);
    this.#port.onCalls((calls) => this.#drain(store, engine, calls));
    this.#post({ type: 'ready', recovery: store.recovery });
  }

  /** Takes everything that waits in the queue: records in groups, everything else in its place between them. */
  #drain(store: Store, engine: Engine, first: readonly CallMessage[]): void {
    let group: Waiting[] = [];
    for (const call of this.#waitingCalls(first)) {
      if (isGrouped(call.method)) {
        try {
          group.push({ call, batch: readBatch(call, this.#reading) });
        } catch (error) {
          this.#post({ type: 'failed', id: call.id, error: errorText(error) });
        }
        if (group.length < MAX_GROUP) continue;
      }
      this.#commitGroup(store, engine, group);
      group = [];
      if (!isGrouped(call.method)) this.#run(store, engine, call);
    }
    this.#commitGroup(store, engine, group);
    this.#say();
  }

  /** Those that arrived together, then those that arrived meanwhile. */
  *#waitingCalls(first: readonly CallMessage[]): Generator<CallMessage> {
    for (let calls: readonly CallMessage[] | undefined = first; calls !== undefined; calls = this.#port.next())
      yield* calls;
  }

  #commitGroup(store: Store, engine: Engine, group: readonly Waiting[]): void {
    if (group.length === 0) return;
    const began = performance.now();
    const now = Math.max(...group.map(({ call }) => call.args[1] as Instant));
    try {
      this.#refuseLost();
      const { poisoned, quiet } = engine.commit(
        group.map(({ batch }) => batch),
        now,
      );
      store.ingested(now);
      this.#answerAll(group);
      const broken = group.flatMap(({ batch }) => batch.quarantine.map(({ reason }) => reason));
      const quarantined = [
        ...broken,
        ...times(poisoned, 'core_error'),
        ...times(store.takeUnreadable(), UNREADABLE_ROW),
      ];
      const records = countRecords(group);
      const told = group.reduce(
        (sum, { batch: { observations, events = [] } }) => sum + observations.length + events.length,
        0,
      );
      const nothing = quiet.reduce((sum, { unchanged, known }) => sum + unchanged + known, 0);
      const changed = told > nothing || quarantined.length > 0;
      const transitions = store.take('transitions');
      const commitMs = performance.now() - began;
      const counts = { records, requests: group.length, quarantined, transitions, quiet, changed };
      this.#post({ type: 'committed', committed: { commitMs, ...counts } });
    } catch (error) {
      const text = this.#failed(error);
      const value: IngestResult = { result: 'unavailable', error: text, retryAfterMs: RETRY_AFTER_MS };
      const [exports, others] = [group.filter(isExport), group.filter((waiting) => !isExport(waiting))];
      if (exports.length > 0) this.#post({ type: 'answer', ids: idsOf(exports), value });
      for (const id of idsOf(others)) this.#post({ type: 'failed', id, error: text });
    }
    this.#say();
  }

  /** After the commit: nothing of it can be lost any more. */
  #answerAll(group: readonly Waiting[]): void {
    const decoded = group.filter(({ batch }) => batch.undecodable === undefined);
    if (decoded.length > 0) this.#post({ type: 'answer', ids: idsOf(decoded), value: COMMITTED });
    for (const { call, batch } of group) {
      if (batch.undecodable === undefined) continue;
      const value: IngestResult = { result: 'undecodable', error: batch.undecodable };
      this.#post({ type: 'answer', ids: [call.id], value });
    }
  }

  #run(store: Store, engine: Engine, { id, method, args }: CallMessage): void {
    try {
      if (method !== 'close') this.#refuseLost();
      const value = this.#dispatch(store, engine, method, args);
      this.#post({ type: 'answer', ids: [id], value });
    } catch (error) {
      this.#post({ type: 'failed', id, error: this.#failed(error) });
    }
    this.#say();
  }

  #dispatch(store: Store, engine: Engine, method: CallMessage['method'], args: readonly unknown[]): unknown {
    if (method === 'tick') return this.#tick(store, engine, args[0] as Instant);
    if (method === 'clockSet') engine.clockSet(args[0] as number);
    if (method === 'retire') return engine.retire(...(args as Parameters<Engine['retire']>));
    if (method === 'probe') return store.transaction((tx) => tx.timers.set(PROBE));
    if (isGrouped(method)) throw new Error('belongs to a group');
    if (method === 'identify') return identify(store, args[0] as Identity);
    if (isAuditCall(method)) {
      const call = engine.audit[method] as (...args: unknown[]) => unknown;
      return call.apply(engine.audit, [...args]);
    }
    const call = store[method] as (...args: unknown[]) => unknown;
    return call.apply(store, [...args]);
  }

  #tick(store: Store, engine: Engine, now: Instant): Ticked {
    const { config } = this.#init;
    const engineAt = engine.tick(now);
    const limits = { ...config.store.retention, logAge: config.logs.keep };
    const problems = store.take('problems');
    const plannerFailures = engine.takePlannerFailures();
    const state = store.retain(now, limits);
    const unreadable = store.takeUnreadable();
    const dropped = store.take('dropped');
    const unjudged = store.take('unjudged');
    const nextAt = Math.min(engineAt, store.nextAt(now, BY_CLOCK));
    const found = { problems, plannerFailures, unreadable, dropped, unjudged };
    return { transitions: store.take('transitions'), ...found, state, nextAt };
  }

  /** What SQLite called corrupted once is neither read nor written again by this process. */
  #refuseLost(): void {
    if (this.#lost !== undefined) throw new Error(this.#lost);
  }

  /** The text of what a call of the store threw. */
  #failed(error: unknown): string {
    const text = errorText(error);
    if (this.#lost === undefined && isLost(error)) {
      this.#lost = text;
      markSuspect(this.#init.config.store.path, text);
      this.#post({ type: 'lost', error: text });
    }
    return text;
  }
}
