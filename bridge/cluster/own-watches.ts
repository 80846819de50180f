import type { KubeObject } from '../kubernetes/fields.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { unitKey } from '../policy/audit.ts';
import type { KubeApi } from './api.ts';
import type { Listed } from './list.ts';
import type { OwnWatchState } from './own-watch.ts';
import { OwnWatch } from './own-watch.ts';

export interface OwnWatchesOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly take: (events: KubeObject[], at: Instant) => Promise<void>;
  readonly onState: (kind: Kind, state: OwnWatchState) => void;
}

/** A part of the cluster that is LISTed at once, and at which version that was last. */
interface Unit {
  readonly listed: Listed;
  readonly namespace: string | undefined;
  version: string | undefined;
  watch: OwnWatch | undefined;
}

/** The bridge's own watches of the kinds whose streams are in doubt: each begins where a LIST ended. */
export class OwnWatches {
  readonly #options: OwnWatchesOptions;
  readonly #units = new Map<string, Unit>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: OwnWatchesOptions) {
    this.#options = options;
  }

  /** A LIST was complete at this version. A watch that does not stand goes on from there: what was before is known. */
  listed(listed: Listed, namespace: string | undefined, version: string): void {
    const key = unitKey({ kind: listed.kind, namespace });
    const unit = this.#units.get(key) ?? { listed, namespace, version, watch: undefined };
    this.#units.set(key, unit);
    unit.version = version;
    if (unit.watch === undefined || unit.watch.stands) return;
    this.#end(unit);
    this.#begin(unit);
  }

  /** Watches these kinds and no others. */
  follow(kinds: ReadonlySet<Kind>): void {
    for (const unit of this.#units.values()) {
      if (!kinds.has(unit.listed.kind)) this.#end(unit);
      else if (unit.watch === undefined) this.#begin(unit);
    }
  }

  /** Whether every change of a kind comes by them. */
  covers(kind: Kind): boolean {
    const units = [...this.#units.values()].filter(({ listed }) => listed.kind === kind);
    return units.length > 0 && units.every(({ watch }) => watch?.stands === true);
  }

  async stop(): Promise<void> {
    this.follow(new Set());
    await Promise.all(this.#ending);
  }

  #begin(unit: Unit): void {
    const { listed, namespace, version } = unit;
    if (version === undefined) return;
    const onState = (state: OwnWatchState): void => {
      if (unit.watch !== watch) return;
      if (state.state === 'expired') Object.assign(unit, { version: undefined, watch: undefined });
      this.#options.onState(listed.kind, state);
    };
    const watch = new OwnWatch({ ...this.#options, onState }, listed, namespace, version);
    unit.watch = watch;
    watch.start();
  }

  #end(unit: Unit): void {
    const ended = unit.watch?.stop();
    unit.watch = undefined;
    if (ended === undefined) return;
    this.#ending.add(ended);
    void ended.finally(() => this.#ending.delete(ended));
  }
}
