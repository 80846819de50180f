import type { Clock, Instant } from '../lib/clock.ts';
import { iso } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import { pathOf } from '../lib/url-path.ts';
import type { KubeApi } from './api.ts';
import { lastTime, readCollectorLog, type BackendAnswer } from './collector-log-lines.ts';
import { wordsOf } from './read-log.ts';

/** What one exporter of the Collector says of its backend, since the bridge began to read. */
export interface BackendState {
  readonly pod: string;
  /** As the Collector's configuration names it: `otlp/lifecycle-traces`. */
  readonly exporter: string;
  /** Spans, log records or data points that the backend refused for good. The Collector's log leaves out what repeats too often. */
  readonly refused: number;
  /** In the words of the backend. */
  readonly refusal?: { readonly at: Instant; readonly why: string };
  /** Since when it takes nothing; tried again for ever. Absent when it was not said for two minutes. */
  readonly away?: Away;
}

interface Away {
  readonly since: Instant;
  /** When it was said last. */
  readonly at: Instant;
  readonly why: string;
  /** What the backend had refused for good before. */
  readonly refusedBefore: number;
}

/** A backend that took nothing, and of which the log has said nothing for two minutes now: it takes again what is sent. */
export interface BackendBack {
  readonly pod: string;
  readonly exporter: string;
  /** By the log, from the first try that failed to the last. */
  readonly awayMs: number;
  /** What it refused for good meanwhile: lost there. All else the Collector kept. */
  readonly refused: number;
}

export interface CollectorLogOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** `namespace/name` of each pod. */
  readonly pods: readonly string[];
  readonly onAnswer: (answer: BackendAnswer, pod: string) => void;
  readonly onBack: (back: BackendBack) => void;
  /** The log of a pod cannot be read; undefined when it can again. */
  readonly onUnread: (pod: string, why: string | undefined) => void;
  readonly everyMs?: number;
}

export interface CollectorLog {
  states(): readonly BackendState[];
  /** Pods whose log may not be read, with the words of the API. */
  forbidden(): ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

const EVERY_MS = 30_000;
/** The Collector tries at least every half minute. */
const AWAY_MS = 120_000;
/** What happened while the bridge was restarted. */
const LOOKBACK_MS = 5 * 60_000;
const MAX_BYTES = 1_048_576;
const CONTAINER = 'collector';

/**
 * Reads in the log of the Collector what became of what it took from the bridge: nothing else says it. A partial success of
 * a backend is in none of its metrics.
 */
export function startCollectorLog(options: CollectorLogOptions): CollectorLog {
  const reader = new Reader(options);
  reader.start();
  return { states: () => reader.states(), forbidden: () => reader.forbidden, stop: () => reader.stop() };
}

class Reader {
  readonly forbidden = new Map<string, string>();
  readonly #options: CollectorLogOptions;
  readonly #states = new Map<string, BackendState>();
  readonly #readUntil: Map<string, Instant>;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CollectorLogOptions) {
    this.#options = options;
    // Also where a log cannot be read for long after the start.
    const since = options.clock.now() - LOOKBACK_MS;
    this.#readUntil = new Map(options.pods.map((pod) => [pod, since]));
  }

  start(): void {
    if (this.#options.pods.length > 0) this.#after(0);
  }

  states(): readonly BackendState[] {
    const now = this.#options.clock.now();
    return [...this.#states.values()].map(({ away, ...state }) =>
      away !== undefined && now - away.at < AWAY_MS ? { ...state, away } : state,
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #after(ms: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#round().finally(() => this.#after(this.#options.everyMs ?? EVERY_MS));
    }, ms);
  }

  async #round(): Promise<void> {
    for (const [pod, since] of this.#readUntil) {
      await this.#read(pod, since).catch((error: unknown) => this.#options.onUnread(pod, errorText(error)));
    }
  }

  async #read(pod: string, since: Instant): Promise<void> {
    const { api, clock, onUnread } = this.#options;
    const { signal } = this.#stopping;
    const [namespace = '', name = ''] = pod.split('/');
    // The API takes whole seconds: what was read of that second is skipped below.
    const query = new URLSearchParams({ container: CONTAINER, sinceTime: iso(Math.floor(since / 1000) * 1000) });
    const path = pathOf('api', 'v1', 'namespaces', namespace, 'pods', name);
    if (path === undefined) return;
    const askedAt = clock.now();
    const answer = await api.tail(`${path}/log?${query.toString()}`, MAX_BYTES, signal);
    if (signal.aborted) return;
    if (answer.kind === 'failed') return onUnread(pod, answer.error);
    const text = answer.text.toString();
    if (answer.status !== 200) return this.#refused(pod, answer.status, text);
    this.forbidden.delete(pod);
    onUnread(pod, undefined);
    this.#readUntil.set(pod, Math.max(since, lastTime(text) ?? since));
    for (const said of readCollectorLog(text)) if (said.at > since) this.#take(pod, said);
    this.#backAgain(pod, askedAt);
  }

  /** Only after its log was read: what cannot be read says nothing, nor does a log of what came after it was asked for. */
  #backAgain(pod: string, askedAt: Instant): void {
    for (const [key, { away, ...state }] of this.#states) {
      if (state.pod !== pod || away === undefined || askedAt - away.at < AWAY_MS) continue;
      this.#states.set(key, state);
      this.#isBack(state, away);
    }
  }

  #isBack({ pod, exporter, refused }: BackendState, away: Away): void {
    const awayMs = away.at - away.since;
    this.#options.onBack({ pod, exporter, awayMs, refused: refused - away.refusedBefore });
  }

  #refused(pod: string, status: number, text: string): void {
    const why = `the Kubernetes API answered ${status}: ${wordsOf(text)}`;
    if (status === 403) this.forbidden.set(pod, why);
    this.#options.onUnread(pod, why);
  }

  #take(pod: string, said: BackendAnswer): void {
    const { exporter, at, why } = said;
    const key = `${pod} ${exporter}`;
    const { refused, ...before } = this.#states.get(key) ?? { pod, exporter, refused: 0 };
    if (said.what === 'refused') {
      this.#states.set(key, { ...before, refused: refused + said.count, refusal: { at, why } });
    } else {
      const { away } = before;
      const goesOn = away !== undefined && at - away.at < AWAY_MS;
      if (away !== undefined && !goesOn) this.#isBack({ ...before, refused }, away);
      const began = goesOn ? away : { since: at, refusedBefore: refused };
      this.#states.set(key, { ...before, refused, away: { ...began, at, why } });
    }
    this.#options.onAnswer(said, pod);
  }
}
