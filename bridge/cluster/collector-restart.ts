import type { AuditCalls } from '../ingest/audit/audit-calls.ts';
import { messageAt } from '../kubernetes/fields.ts';
import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Async } from '../lib/async.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { sha256Hex } from '../lib/ids.ts';
import type { KubeApi } from './api.ts';
import { postEvent } from './write/post-event.ts';
import { resourcePath } from './list.ts';

/** What became of the deletion of one pod. */
export interface Restarted {
  readonly pod: string;
  readonly at: Instant;
  readonly outcome: 'deleted' | 'absent' | 'forbidden' | 'failed';
  readonly error?: string;
}

export interface CollectorRestartOptions {
  readonly api: KubeApi;
  readonly store: Async<Pick<AuditCalls, 'auditRestart'>>;
  readonly clock: Clock;
  /** `namespace/name` of each pod. */
  readonly pods: readonly string[];
  /** Whether an Event on the pod is tried. */
  readonly events: boolean;
  /** Why the Collector cannot be what is wrong; undefined when it can. */
  readonly excuse: () => string | undefined;
  readonly onRestarted: (restarted: Restarted) => void;
  readonly onExcused: (why: string) => void;
  readonly onError: (error: unknown) => void;
  readonly afterMs?: number;
  readonly everyMs?: number;
}

export interface CollectorRestart {
  /** The watch of a kind is dead, or not any more. */
  watch(kind: Kind, isDead: boolean): void;
  /** The last deletion of this process. */
  last(): Restarted | undefined;
  stop(): Promise<void>;
}

/** All dead for this time: no restart of the API server and no queue that is drained looks like that. */
const AFTER_MS = 5 * 60_000;
const EVERY_MS = 15 * 60_000;
const JUDGED: readonly Kind[] = ['CronJob', 'Job', 'Pod'];

/**
 * Deletes the Collector's pods when every one of its watches that we judge is dead and stays so: with client-go 0.32 or
 * later they end for good, its health check stays green, and nothing but a restart brings them back. Its StatefulSet
 * makes the pod again, and its queue is on the volume. A new connection makes no watch look dead, so one that has just been
 * restarted is left alone. At most once in 15 minutes; after a refusal not again until the watches have lived.
 */
export function startCollectorRestart(options: CollectorRestartOptions): CollectorRestart {
  const restart = new Restarter(options);
  return {
    watch: (kind, isDead) => restart.watch(kind, isDead),
    last: () => restart.last,
    stop: () => restart.stop(),
  };
}

class Restarter {
  last: Restarted | undefined;
  readonly #options: CollectorRestartOptions;
  readonly #stopping = new AbortController();
  readonly #dead = new Set<Kind>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CollectorRestartOptions) {
    this.#options = options;
  }

  watch(kind: Kind, isDead: boolean): void {
    if (isDead) this.#dead.add(kind);
    else this.#dead.delete(kind);
    const { afterMs = AFTER_MS, pods } = this.#options;
    if (!this.#allDead) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined && pods.length > 0) this.#after(afterMs);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  get #allDead(): boolean {
    return JUDGED.every((kind) => this.#dead.has(kind));
  }

  /** By what has elapsed: a clock that is set restarts nothing. */
  #after(ms: number): void {
    if (!this.#allDead || this.#stopping.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.#round().catch((error: unknown) => {
        this.#options.onError(error);
        this.#after(this.#everyMs);
      });
    }, ms);
  }

  get #everyMs(): number {
    return this.#options.everyMs ?? EVERY_MS;
  }

  async #round(): Promise<void> {
    const { store, clock, pods, excuse, onExcused, afterMs = AFTER_MS } = this.#options;
    const why = excuse();
    if (why !== undefined) {
      onExcused(why);
      return this.#after(afterMs);
    }
    const waitMs = await store.auditRestart(this.#everyMs, clock.now());
    if (!this.#allDead || this.#stopping.signal.aborted) return;
    if (waitMs > 0) return this.#after(waitMs);
    const outcomes: Restarted['outcome'][] = [];
    for (const pod of pods) outcomes.push(await this.#delete(pod));
    // Nobody is asked again for what people have to grant: only watches that lived and died meanwhile begin again.
    if (!outcomes.every((outcome) => outcome === 'forbidden')) this.#after(this.#everyMs);
  }

  async #delete(pod: string): Promise<Restarted['outcome']> {
    const { api, clock, onRestarted } = this.#options;
    const { signal } = this.#stopping;
    const [namespace, name] = pod.split('/') as [string, string];
    const answer = await api.remove(`${resourcePath(KINDS.Pod, namespace)}/${encodeURIComponent(name)}`, signal);
    const restarted: Restarted = { pod, at: clock.now(), ...outcomeOf(answer) };
    this.last = restarted;
    if (!signal.aborted) onRestarted(restarted);
    if (restarted.outcome === 'deleted') await this.#writeEvent(namespace, name, restarted.at);
    return restarted.outcome;
  }

  /** Colour: where Events may not be written, log, metric and page say it. */
  async #writeEvent(namespace: string, name: string, at: Instant): Promise<void> {
    const { api, events } = this.#options;
    if (!events) return;
    const regarding = { apiVersion: KINDS.Pod.apiVersion, kind: 'Pod', namespace, name };
    const note = 'The watches of CronJobs, Jobs and Pods are dead: the bridge deleted this pod of its Collector.';
    const text = { regarding, reason: 'WatchesDead', action: 'RestartCollector', note };
    await postEvent(api, text, sha256Hex(String(at)), at, this.#stopping.signal);
  }
}

/** What was done, and what a person may have to do. */
export function restartText(pod: string, outcome: Restarted['outcome']): string {
  const why = 'the watches of CronJobs, Jobs and Pods are all dead';
  return {
    deleted: `${why}: the Collector's pod ${pod} was deleted, so that it starts again`,
    absent: `${why}: the Collector's pod ${pod} was to be deleted, and is not there: look at its StatefulSet`,
    forbidden: `${why}: the Collector's pod ${pod} may not be deleted: delete it, or grant the verb delete on it`,
    failed: `${why}: the Collector's pod ${pod} could not be deleted; tried again in 15 minutes`,
  }[outcome];
}

function outcomeOf(answer: Awaited<ReturnType<KubeApi['remove']>>): Pick<Restarted, 'outcome' | 'error'> {
  if (answer.kind === 'failed') return { outcome: 'failed', error: answer.error };
  const { status, body } = answer;
  if (status === 200 || status === 202) return { outcome: 'deleted' };
  const error = messageAt(body, 'message') ?? `the Kubernetes API answered ${status}`;
  if (status === 404) return { outcome: 'absent', error };
  return { outcome: status === 403 ? 'forbidden' : 'failed', error };
}
