import type { PassResult } from '../ingest/audit-calls.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { auditInterval, pacing } from '../policy/audit.ts';
import type { KubeApi } from './api.ts';
import type { AuditStore, UnitResult } from './audit-unit.ts';
import { auditUnit } from './audit-unit.ts';
import type { Listed, ListFailure, Scope } from './list.ts';
import { LISTED } from './list.ts';
import type { WarningsResult } from './warnings.ts';
import { listWarnings } from './warnings.ts';

/** What the last audit of a kind told; `unaudited`: the permission is missing, so nothing of it is ever gone. */
export type AuditResult =
  | ({ readonly result: 'complete'; readonly objects: number } & PassResult)
  | ListFailure
  | (Omit<ListFailure, 'result'> & { readonly result: 'unaudited' });

export interface AuditorOptions {
  readonly api: KubeApi;
  readonly store: AuditStore;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Asked before each round until it says true: whether this is the cluster of the store. */
  readonly isOurs: (signal: AbortSignal) => Promise<boolean>;
  readonly onResult: (kind: Kind, result: AuditResult) => void;
  readonly onWarnings: (result: WarningsResult) => void;
  readonly onWatch: (kind: Kind, dead: boolean) => void;
  readonly onError: (error: unknown) => void;
}

export interface Auditor {
  /** A Collector connected: every kind is audited now, and once more when its watches stand. */
  connected(): void;
  /** The clock was set by so many ms: what is due moves with it. */
  clockSet(ms: number): void;
  results(): ReadonlyMap<Kind, AuditResult>;
  deadWatches(): ReadonlySet<Kind>;
  stop(): Promise<void>;
}

/** 403 is a decision of people: asking every second does not change it. */
const RETRY = { firstMs: 1_000, maxMs: 60_000 };
/** Until what one LIST left open is settled by another, and until the watches of a new Collector stand. */
const SOON_MS = 30_000;
/** Dead watches are looked for at least that often. */
const MAX_PAUSE_MS = 5_000;
const JITTER = 0.1;

/** Audits every kind at the start, when a Collector connects, and every interval. A kind that fails is tried again. */
export function startAuditor(options: AuditorOptions): Auditor {
  const auditor = new RepeatingAuditor(options);
  const running = auditor.run();
  return {
    connected: () => auditor.connected(),
    clockSet: (ms) => auditor.clockSet(ms),
    results: () => auditor.results,
    deadWatches: () => auditor.dead,
    async stop() {
      auditor.abort();
      await running;
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
  failures: number;
}

class RepeatingAuditor {
  readonly results = new Map<Kind, AuditResult>();
  dead: ReadonlySet<Kind> = new Set();
  readonly #options: AuditorOptions;
  readonly #stopping = new AbortController();
  readonly #turns: readonly Turn[];
  #isOurs = false;
  #connected = false;
  #gap = false;
  #wake: () => void = () => undefined;

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#turns = LISTED.map((listed) => ({ listed, dueAt: 0, notBefore: 0, extraAt: undefined, failures: 0 }));
  }

  connected(): void {
    this.#connected = true;
    this.#wake();
  }

  clockSet(ms: number): void {
    for (const turn of this.#turns) {
      turn.dueAt += ms;
      turn.notBefore += ms;
      if (turn.extraAt !== undefined) turn.extraAt += ms;
    }
  }

  abort(): void {
    this.#stopping.abort();
    this.#wake();
  }

  async run(): Promise<void> {
    const { clock, onError } = this.#options;
    while (!this.#stopping.signal.aborted) {
      let pause = MAX_PAUSE_MS;
      try {
        await this.#round();
        const next = Math.min(...this.#turns.map(({ dueAt, notBefore }) => Math.max(dueAt, notBefore)));
        pause = Math.min(Math.max(next - clock.now(), 0), MAX_PAUSE_MS);
      } catch (error) {
        if (!this.#stopping.signal.aborted) onError(error);
      }
      if (!this.#connected) await this.#pause(pause);
    }
  }

  async #round(): Promise<void> {
    const { clock, isOurs } = this.#options;
    const { signal } = this.#stopping;
    this.#isOurs ||= await isOurs(signal);
    if (!this.#isOurs) {
      for (const turn of this.#turns) turn.dueAt = clock.now() + MAX_PAUSE_MS;
      return;
    }
    if (this.#connected) await this.#beginAnew();
    for (const turn of this.#turns) {
      const isDue = Math.max(turn.dueAt, turn.notBefore) <= clock.now();
      if (isDue && !signal.aborted) await this.#audit(turn);
    }
    if (!signal.aborted) await this.#checkWatches();
    if (this.#gap && !signal.aborted) await this.#readWarnings();
  }

  async #beginAnew(): Promise<void> {
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
      const isUrgent = result.again || this.dead.has(kind);
      Object.assign(turn, { failures: 0, notBefore: now + pacing(result.objects) });
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
    const { api, store, clock, scope } = this.#options;
    const { signal } = this.#stopping;
    const results: UnitResult[] = [];
    for (const namespace of scope === 'cluster' ? [undefined] : scope) {
      results.push(await auditUnit({ api, store, clock, signal }, listed, namespace));
    }
    const failure = results.find((result) => result.result === 'failed');
    if (failure !== undefined) return failure.status === 403 ? { ...failure, result: 'unaudited' } : failure;
    return sum(results.filter((result) => result.result === 'complete'));
  }

  /** A kind whose watch is dead is audited every 30 s from now on, until its stream delivers again. */
  async #checkWatches(): Promise<void> {
    const { clock, store, onWatch } = this.#options;
    const now = clock.now();
    const dead = new Set((await store.auditWatches(now)).dead);
    for (const turn of this.#turns) {
      const { kind } = turn.listed;
      const isDead = dead.has(kind);
      if (isDead !== this.dead.has(kind)) onWatch(kind, isDead);
      if (isDead) turn.dueAt = Math.min(turn.dueAt, now + SOON_MS);
    }
    this.dead = dead;
  }

  /** What happened in a gap that no watch will tell again. */
  async #readWarnings(): Promise<void> {
    const { api, store, clock, scope, onWarnings } = this.#options;
    this.#gap = false;
    const take = (objects: KubeObject[]): Promise<void> => store.observe(objects, clock.now());
    const result = await listWarnings(api, scope, take, this.#stopping.signal);
    if (!this.#stopping.signal.aborted) onWarnings(result);
  }

  /** Until the time is over, a Collector connects or the end. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopping.signal.aborted) this.#wake();
    });
  }
}

function sum(results: readonly Extract<UnitResult, { result: 'complete' }>[]): AuditResult {
  const total = (count: (result: (typeof results)[number]) => number): number =>
    results.reduce((all, result) => all + count(result), 0);
  return {
    result: 'complete',
    objects: total(({ objects }) => objects),
    first: results.some(({ first }) => first),
    missed: total(({ missed }) => missed),
    stale: total(({ stale }) => stale),
    gone: total(({ gone }) => gone),
    outdated: total(({ outdated }) => outdated),
    held: total(({ held }) => held),
    epoch: results.some(({ epoch }) => epoch),
    again: results.some(({ again }) => again),
  };
}
