import { followedKinds } from '../../config/watch.ts';
import type { Kind } from '../../kubernetes/observation.ts';
import { errorText, UserError } from '../../lib/errors.ts';
import type { IngestResult } from '../../otlp/receive/ingest.ts';
import { createPlanners } from '../../sinks/index.ts';
import { openStore } from '../../store/sqlite/open.ts';
import type { Store } from '../../store/store.ts';
import { StoreLost } from '../../store/trouble.ts';
import type { Engine } from '../engine.ts';
import { createEngine } from '../engine.ts';
import type { Reading } from '../reading.ts';
import { readingOf } from '../reading.ts';
import type { Answers, LoneMethod } from './answers.ts';
import { answer, answersOf } from './answers.ts';
import type { Waiting } from './group.ts';
import { committedOf, isGrouped, readBatch, receivedAt } from './group.ts';
import type { CallMessage, CallOf, WorkerInit, WorkerMessage } from './protocol.ts';

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

const COMMITTED: IngestResult = { result: 'committed' };

/**
 * What the thread does: it alone writes the store, and it decodes, reduces and plans too, so that nothing has to be
 * handed back and forth. All requests that wait in its queue share one commit (group commit).
 */
class Service {
  readonly #init: WorkerInit;
  readonly #kinds: readonly Kind[];
  readonly #reading: Reading;
  readonly #port: Port;
  #store: Store | undefined;
  /** Why the store must not be touched any more; a new start makes a new one. */
  #lost: string | undefined;
  /** Messages that are not sent yet: to send wakes the other thread, and each message is copied by itself. */
  #unsent: WorkerMessage[] = [];

  constructor(init: WorkerInit, port: Port) {
    this.#init = init;
    this.#kinds = followedKinds(init.config);
    this.#reading = readingOf(this.#kinds, init.config);
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
    this.#send();
  }

  #post(message: WorkerMessage): void {
    this.#unsent.push(message);
  }

  #send(): void {
    if (this.#unsent.length > 0) this.#port.post(this.#unsent.splice(0));
  }

  #start(): void {
    const { config, startedAt } = this.#init;
    const store = openStore(config.store.path, { now: () => startedAt });
    this.#store = store;
    const engine = this.#engineOf(store);
    if (store.recovery?.at === startedAt) engine.recovered(startedAt);
    engine.replan(startedAt);
    const answers = answersOf(store, engine, config);
    this.#port.onCalls((calls) => this.#drain(store, engine, answers, calls));
    this.#post({ type: 'ready', recovery: store.recovery });
  }

  #engineOf(store: Store): Engine {
    const { config, startedAt, scheduleTimers = true } = this.#init;
    const rule = (destination: string) => ({
      cutoff: store.cutoff(destination, startedAt - config.firstSight.lookback),
      running: config.firstSight.running,
      reportedUntil: store.recovery?.cutoff,
    });
    const { onUnknown } = config;
    // Without the Kubernetes API they cannot be read.
    const readsLogs = config.cluster.list;
    const world = { clusterId: store.clusterId(), clusterName: config.cluster.name, pageUrl: config.web.publicUrl };
    const destinations = createPlanners(config, world).map((planner) => {
      return { planner, rule: rule(planner.destination), onUnknown, readsLogs };
    });
    return createEngine(store, destinations, {
      scheduleTimers,
      stuck: config.stuck,
      graceMs: config.cluster.audit.grace,
      maxAgeMs: config.outbox.maxAge,
      lookbackMs: config.firstSight.lookback,
      kinds: this.#kinds,
      schemaOf: this.#reading.schemaOf,
    });
  }

  /** Takes everything that waits in the queue: records in groups, everything else in its place between them. */
  #drain(store: Store, engine: Engine, answers: Answers, first: readonly CallMessage[]): void {
    let group: Waiting[] = [];
    for (const call of this.#waitingCalls(first)) {
      if (isGrouped(call)) {
        try {
          group.push({ call, batch: readBatch(call, this.#reading) });
        } catch (error) {
          this.#post({ type: 'failed', id: call.id, error: errorText(error) });
        }
        if (group.length < MAX_GROUP) continue;
      }
      this.#commitGroup(store, engine, group);
      group = [];
      if (!isGrouped(call)) this.#answer(answers, call);
    }
    this.#commitGroup(store, engine, group);
    this.#send();
  }

  /** Those that arrived together, then those that arrived meanwhile. What was asked in one message is answered in one. */
  *#waitingCalls(first: readonly CallMessage[]): Generator<CallMessage> {
    for (let calls: readonly CallMessage[] | undefined = first; calls !== undefined; calls = this.#port.next()) {
      yield* calls;
      this.#send();
    }
  }

  #commitGroup(store: Store, engine: Engine, group: readonly Waiting[]): void {
    if (group.length === 0) return;
    const begunAt = performance.now();
    const now = Math.max(...group.map(({ call }) => receivedAt(call)));
    try {
      this.#refuseLost();
      const batches = group.map(({ batch }) => batch);
      const done = engine.commit(batches, now);
      store.ingested(now);
      this.#answerAll(group);
      this.#post({ type: 'committed', committed: committedOf(store, group, done, begunAt) });
    } catch (error) {
      this.#refuseAll(group, this.#failed(error));
    }
    this.#send();
  }

  #refuseAll(group: readonly Waiting[], error: string): void {
    const value: IngestResult = { result: 'unavailable', error, retryAfterMs: RETRY_AFTER_MS };
    const [exports, others] = [group.filter(isExport), group.filter((waiting) => !isExport(waiting))];
    if (exports.length > 0) this.#post({ type: 'answer', ids: idsOf(exports), value });
    for (const id of idsOf(others)) this.#post({ type: 'failed', id, error });
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

  #answer(answers: Answers, call: CallOf<LoneMethod>): void {
    const { id, method } = call;
    try {
      if (method !== 'close') this.#refuseLost();
      this.#post({ type: 'answer', ids: [id], value: answer(answers, call) });
    } catch (error) {
      this.#post({ type: 'failed', id, error: this.#failed(error) });
    }
  }

  /** What was found corrupted or gone is neither read nor written again by this process. */
  #refuseLost(): void {
    if (this.#lost !== undefined) throw new Error(this.#lost);
  }

  /** The text of what a call of the store threw. */
  #failed(error: unknown): string {
    const text = errorText(error);
    if (this.#lost === undefined && error instanceof StoreLost) {
      this.#lost = text;
      this.#store?.suspect(text);
      this.#post({ type: 'lost', error: text });
    }
    return text;
  }
}

function isExport({ call }: Waiting): boolean {
  return call.method === 'ingest';
}

function idsOf(group: readonly Waiting[]): number[] {
  return group.map(({ call }) => call.id);
}
