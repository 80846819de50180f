import type { Kind } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import type { WatchState } from '../../policy/audit.ts';
import {
  areSilent,
  awaitVersion,
  connectWatch,
  deadFrom,
  doubtedFrom,
  doubtWatch,
  isDeadWatch,
  shiftWatch,
  streamVersion,
} from '../../policy/audit.ts';
import type { Store } from '../../store/store.ts';
import type { Watches } from './audit-calls.ts';

/** A cluster with a run due each second is not looked at each second. */
const AGAIN_MS = 15_000;
const UNKNOWN: WatchState = { awaited: undefined, streamAt: undefined };

/** What is known of the Collector's watches, by what came of them and what should have. Doubts outlive the process. */
export class StreamWatches {
  readonly #store: Store;
  readonly #kinds: readonly Kind[];
  readonly #watches = new Map<Kind, WatchState>();
  /** As the store holds them. */
  readonly #doubts = new Map<Kind, string | undefined>();
  /** Which one `silent` was said for last. */
  #silentAt: Instant | undefined;

  constructor(store: Store, kinds: readonly Kind[]) {
    this.#store = store;
    this.#kinds = kinds;
    store.transaction((tx) => {
      for (const kind of kinds) {
        const doubted = tx.meta.get(doubtKey(kind)) || undefined;
        this.#doubts.set(kind, doubted);
        if (doubted !== undefined) this.#watches.set(kind, { ...UNKNOWN, doubted });
      }
    });
  }

  /** The stream brought this version of a kind. */
  streamed(kind: Kind, version: string, now: Instant): void {
    this.#watches.set(kind, streamVersion(this.#of(kind), version, now));
  }

  /** A LIST or the bridge's own watch found this version of a kind, which the stream should have brought. */
  found(kind: Kind, version: string, now: Instant): void {
    this.#watches.set(kind, awaitVersion(this.#of(kind), version, now));
  }

  /** A Collector connected; `newest` is the newest version of a kind that is known. */
  connected(newest: (kind: Kind) => string): void {
    for (const [kind, watch] of this.#watches) this.#watches.set(kind, connectWatch(watch, newest(kind)));
  }

  /** Versions of the kind mean nothing any more. */
  forget(kind: Kind): void {
    this.#watches.delete(kind);
  }

  clockSet(ms: number): void {
    for (const [kind, watch] of this.#watches) this.#watches.set(kind, shiftWatch(watch, ms));
  }

  /** How they are now. Writes a doubt that began or is over. */
  look(now: Instant): Watches {
    for (const [kind, watch] of this.#watches) this.#watches.set(kind, doubtWatch(watch, now));
    this.#keepDoubts();
    const watches = [...this.#watches];
    const dead = watches.filter(([, watch]) => isDeadWatch(watch, now)).map(([kind]) => kind);
    const doubted = watches.filter(([, watch]) => watch.doubted !== undefined).map(([kind]) => kind);
    const judgedAt = this.#firstJudged();
    const judgedNext = judgedAt > now ? Math.max(judgedAt, now + AGAIN_MS) : Infinity;
    const times = [judgedNext, ...watches.flatMap(([, watch]) => [deadFrom(watch), doubtedFrom(watch)])];
    const nextAt = Math.min(Infinity, ...times.filter((at) => at > now));
    const silent = judgedAt <= now && judgedAt !== this.#silentAt && areSilent([...this.#watches.values()], judgedAt);
    if (silent) this.#silentAt = judgedAt;
    return { dead, doubted, silent, nextAt };
  }

  /** When a missed run is, or was to be, judged first: without records it waits. */
  #firstJudged(): Instant {
    const [first] = this.#store.transaction((tx) => tx.timers.due('schedule', Number.MAX_SAFE_INTEGER, 1));
    return first?.due ?? Infinity;
  }

  #keepDoubts(): void {
    const changed = this.#kinds.filter((kind) => this.#of(kind).doubted !== this.#doubts.get(kind));
    if (changed.length === 0) return;
    this.#store.transaction((tx) => {
      for (const kind of changed) tx.meta.set(doubtKey(kind), this.#of(kind).doubted ?? '');
    });
    for (const kind of changed) this.#doubts.set(kind, this.#of(kind).doubted);
  }

  #of(kind: Kind): WatchState {
    return this.#watches.get(kind) ?? UNKNOWN;
  }
}

function doubtKey(kind: Kind): string {
  return `audit/doubted/${kind}`;
}
