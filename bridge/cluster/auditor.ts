import type { Tracer } from '@opentelemetry/api';
import type { KubeObject } from '../kubernetes/fields.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { Wake } from '../lib/wake.ts';
import { auditInterval, pacing } from '../policy/audit.ts';
import type { KubeApi } from './api.ts';
import type { AuditStore, Complete, UnitResult } from './audit-unit.ts';
import { auditUnit, sum } from './audit-unit.ts';
import type { Listed, ListFailure, Scope } from './list.ts';
import { listedOf } from './list.ts';
import type { OwnWatchState } from './own-watch.ts';
import { OwnWatches } from './own-watches.ts';
import type { WarningsResult } from './warnings.ts';
import { listWarnings } from './warnings.ts';

/** What the last audit of a kind found; `unaudited`: the permission is missing, so nothing of it is ever gone. */
export type AuditResult = Complete | ListFailure | (Omit<ListFailure, 'result'> & { readonly result: 'unaudited' });

export interface AuditorOptions {
  readonly api: KubeApi;
  readonly store: AuditStore;
  readonly scope: Scope;
  /** Those that are followed: what the audit LISTs of them is audited. */
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Asked before each round until it says true: whether this is the cluster of the store. */
  readonly isOurs: (signal: AbortSignal) => Promise<boolean>;
  readonly onResult: (kind: Kind, result: AuditResult) => void;
  readonly onWarnings: (result: WarningsResult) => void;
  readonly onWatch: (kind: Kind, dead: boolean) => void;
  /** Of the bridge's own watch of a kind whose stream is in doubt. */
  readonly onOwnWatch: (kind: Kind, state: OwnWatchState) => void;
  readonly onError: (error: unknown) => void;
  /** Gets a span of each LIST. */
  readonly tracer?: Tracer | undefined;
}

export interface Auditor {
  /** A Collector connected: every kind is audited now, and once more when its watches stand. */
  connected(): void;
  /** The clock was set by this many ms: what is due moves with it. */
  clockSet(ms: number): void;
  /** What is audited, in the order of the LISTs. */
  readonly kinds: readonly Kind[];
  results(): ReadonlyMap<Kind, AuditResult>;
  deadWatches(): ReadonlySet<Kind>;
  /** Kinds whose every change comes by the bridge's own watch. */
  ownWatches(): ReadonlySet<Kind>;
  stop(): Promise<void>;
}

/** 403 is a decision of people: asking every second does not change it. */
const RETRY = { firstMs: 1_000, maxMs: 60_000 };
/** Until what one LIST left open is settled by another, and until the watches of a new Collector stand. */
const SOON_MS = 30_000;
/** While something is wrong: the cluster is not known, a round failed, or a dead watch may come back. */
const LOOK_MS = 5_000;
const MAX_PAUSE_MS = 60_000;
const JITTER = 0.1;

/** Audits every kind at the start, when a Collector connects, and every interval. A kind that fails is tried again. */
export function startAuditor(options: AuditorOptions): Auditor {
  const auditor = new RepeatingAuditor(options);
  const running = auditor.run();
  return {
    connected: () => auditor.connected(),
    clockSet: (ms) => auditor.clockSet(ms),
    kinds: listedOf(options.kinds).map(({ kind }) => kind),
    results: () => auditor.results,
    deadWatches: () => auditor.dead,
    ownWatches: () => auditor.watchedHere(),
    async stop() {
      auditor.abort();
      await running;
      await auditor.own.stop();
    },
  };
}

interface Turn {
  readonly listed: Listed;
  dueAt: Instant;
  /** Not before it, or more than 100 objects a second would be read. */
  notBefore: Instant;
  /** One more, when the watches of the Collector that connected last stand. */
  extraAt: Instant | undefined;
  /** When the last LIST was complete. */
  listedAt: Instant;
  failures: number;
}

class RepeatingAuditor {
  readonly results = new Map<Kind, AuditResult>();
  dead: ReadonlySet<Kind> = new Set();
  readonly own: OwnWatches;
  readonly #options: AuditorOptions;
  readonly #stopping = new AbortController();
  readonly #turns: readonly Turn[];
  #isOurs = false;
  #connected = false;
  #gap = false;
  /** When the next watch may turn out to be dead or in doubt. */
  #watchesAt: Instant = Infinity;
  /** Whether a stream that is in doubt may live again. */
  #doubts = false;
  readonly #wake = new Wake();

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#turns = listedOf(options.kinds).map((listed) => ({
      listed,
      dueAt: 0,
      notBefore: 0,
      extraAt: undefined,
      listedAt: 0,
      failures: 0,
    }));
    const { store, clock } = options;
    const onState = (kind: Kind, state: OwnWatchState): void => this.#ownWatch(kind, state);
    const take = (events: KubeObject[], at: Instant): Promise<void> => store.observeWatched(events, at, clock.now());
    this.own = new OwnWatches({ ...options, take, onState });
  }

  watchedHere(): ReadonlySet<Kind> {
    return new Set(this.#turns.map(({ listed }) => listed.kind).filter((kind) => this.own.covers(kind)));
  }

  connected(): void {
    this.#connected = true;
    this.#wake.wake();
  }

  clockSet(ms: number): void {
    for (const turn of this.#turns) {
      turn.dueAt += ms;
      turn.notBefore += ms;
      turn.listedAt += ms;
      if (turn.extraAt !== undefined) turn.extraAt += ms;
    }
    this.#watchesAt += ms;
  }

  abort(): void {
    this.#stopping.abort();
    this.#wake.wake();
  }

  async run(): Promise<void> {
    const { onError } = this.#options;
    while (!this.#stopping.signal.aborted) {
      let pause = LOOK_MS;
      try {
        await this.#round();
        pause = this.#sleepMs();
      } catch (error) {
        if (!this.#stopping.signal.aborted) onError(error);
      }
      if (!this.#stopping.signal.aborted) await this.#wake.wait(pause);
    }
  }

  /** Until the next LIST, or until a watch is to be judged. */
  #sleepMs(): number {
    const due = this.#turns.map(({ dueAt, notBefore }) => Math.max(dueAt, notBefore));
    const next = Math.min(this.#watchesAt, ...due) - this.#options.clock.now();
    return Math.min(Math.max(next, 0), this.dead.size > 0 || this.#doubts ? LOOK_MS : MAX_PAUSE_MS);
  }

  async #round(): Promise<void> {
    const { clock, isOurs } = this.#options;
    const { signal } = this.#stopping;
    this.#isOurs ||= await isOurs(signal);
    if (!this.#isOurs) {
      for (const turn of this.#turns) turn.dueAt = clock.now() + LOOK_MS;
      return;
    }
    if (this.#connected) await this.#startOver();
    for (const turn of this.#turns) {
      const isDue = Math.max(turn.dueAt, turn.notBefore) <= clock.now();
      if (isDue && !signal.aborted) await this.#audit(turn);
    }
    if (!signal.aborted) await this.#checkWatches();
    if (this.#gap && !signal.aborted && this.#options.kinds.includes('Event')) await this.#readWarnings();
  }

  async #startOver(): Promise<void> {
    const { clock, store } = this.#options;
    this.#connected = false;
    this.#gap = true;
    const now = clock.now();
    await store.auditConnected(now);
    for (const turn of this.#turns) Object.assign(turn, { dueAt: now, extraAt: now + SOON_MS });
  }

  async #audit(turn: Turn): Promise<void> {
    const { clock, onResult } = this.#options;
    const { kind } = turn.listed;
    const result = await this.#auditScope(turn.listed);
    if (this.#stopping.signal.aborted) return;
    const isNews = result.result === 'complete' || result.result !== this.results.get(kind)?.result;
    this.results.set(kind, result);
    const now = clock.now();
    if (result.result === 'complete') {
      this.#gap ||= result.missed + result.stale > 0;
      const isUrgent = result.again || this.#isBlind(kind);
      Object.assign(turn, { failures: 0, listedAt: now, notBefore: now + pacing(result.objects) });
      turn.dueAt = this.#nextAt(turn, isUrgent, result.objects, now);
    } else {
      turn.failures++;
      turn.dueAt = now + backoffDelay(turn.failures, RETRY, Math.random());
    }
    if (isNews) onResult(kind, result);
  }

  #nextAt(turn: Turn, isUrgent: boolean, objects: number, now: Instant): Instant {
    const interval = auditInterval(this.#options.intervalMs, objects) * (1 - JITTER + 2 * JITTER * Math.random());
    const times = [now + interval];
    if (isUrgent) times.push(now + SOON_MS);
    if (turn.extraAt !== undefined && turn.extraAt > now) times.push(turn.extraAt);
    return Math.min(...times);
  }

  /** All units of a kind; one that fails does not keep the others from being audited, but the kind is not complete. */
  async #auditScope(listed: Listed): Promise<AuditResult> {
    const { api, store, clock, scope, tracer } = this.#options;
    const { signal } = this.#stopping;
    const results: UnitResult[] = [];
    for (const namespace of scope === 'cluster' ? [undefined] : scope) {
      const result = await auditUnit({ api, store, clock, signal, tracer }, listed, namespace);
      if (result.result === 'complete') this.own.listed(listed, namespace, result.version);
      results.push(result);
    }
    const failure = results.find((result) => result.result === 'failed');
    if (failure !== undefined) return failure.status === 403 ? { ...failure, result: 'unaudited' } : failure;
    return sum(results);
  }

  /** Neither the stream nor a watch of ours brings what changes. */
  #isBlind(kind: Kind): boolean {
    return this.dead.has(kind) && !this.own.covers(kind);
  }

  /** A watch of ours whose version is too old goes on from a LIST, which is not made more often than every 30 s. */
  #ownWatch(kind: Kind, state: OwnWatchState): void {
    this.#options.onOwnWatch(kind, state);
    if (state.state !== 'expired') return;
    const turn = this.#turns.find(({ listed }) => listed.kind === kind)!;
    turn.dueAt = this.#options.clock.now();
    turn.notBefore = Math.min(turn.notBefore, turn.listedAt + SOON_MS);
    this.#wake.wake();
  }

  /**
   * A kind whose stream is in doubt is watched by the bridge itself, until the stream delivers again. Where that fails and
   * the stream is dead, it is LISTed every 30 s.
   */
  async #checkWatches(): Promise<void> {
    const { clock, store, onWatch } = this.#options;
    const now = clock.now();
    const watches = await store.auditWatches(now);
    const dead = new Set(watches.dead);
    this.#watchesAt = watches.nextAt;
    this.#doubts = watches.doubted.length > 0;
    if (!this.#stopping.signal.aborted) this.own.follow(new Set(watches.doubted));
    for (const turn of this.#turns) {
      const { kind } = turn.listed;
      const isDead = dead.has(kind);
      if (isDead !== this.dead.has(kind)) onWatch(kind, isDead);
    }
    this.dead = dead;
    for (const turn of this.#turns) {
      if (this.#isBlind(turn.listed.kind)) turn.dueAt = Math.min(turn.dueAt, now + SOON_MS);
      if (watches.silent) turn.dueAt = now;
    }
  }

  /** What happened in a gap that no watch will show again. */
  async #readWarnings(): Promise<void> {
    const { api, store, clock, scope, onWarnings } = this.#options;
    this.#gap = false;
    const take = (objects: KubeObject[]): Promise<void> => store.observe(objects, clock.now(), clock.now());
    const result = await listWarnings(api, scope, take, this.#stopping.signal);
    if (!this.#stopping.signal.aborted) onWarnings(result);
  }
}
