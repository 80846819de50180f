import type { CallMessage } from '../../bridge/ingest/thread/protocol.ts';
import type { Tenure } from './destinations.ts';
import type { Scheduler } from './scheduler.ts';
import type { KubeObject } from './world/objects.ts';
import { hasEnded } from './world/objects.ts';

/** What the bridge has said that it keeps, of one object. */
export interface ShownObject {
  /** First time at all. */
  at: number;
  /** The newest version, and when it came. */
  version: number;
  versionAt: number;
  startedAt?: number;
  /** That it runs: started, and by that record not over. */
  runningAt?: number;
  /** That it is over: by its conditions, or deleted. */
  endedAt?: number;
  deletedAt?: number;
  /** Of a workload and its revisions, when each of its versions was shown. */
  versions?: Map<number, number>;
}

/** Events are kept for two hours; the clock of the bridge may be wrong. */
const LATE_EVENT_MS = 45 * 60_000;
const SECOND = 1_000;

/** What of an Event was acknowledged and not looked for yet. */
export interface ShownEvent {
  readonly uid: string;
  readonly name: string;
  readonly version: number;
  readonly lastAt: number;
}

const WITH_VERSIONS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ControllerRevision']);

/** Events that a destination must hear of, if it hears of any: acknowledged, and said after its beginning. */
export function eventsOf({ shown }: { readonly shown: Shown }, { readyAt }: Pick<Tenure, 'readyAt'>): KubeObject[] {
  return [...shown.events.values()].filter(
    ({ deprecatedFirstTimestamp }) => Date.parse(deprecatedFirstTimestamp!) > readyAt + SECOND,
  );
}

/** What the bridge has acknowledged: from then on it must not lose it. */
export class Shown {
  readonly #objects = new Map<string, ShownObject>();
  readonly #scheduler: Scheduler;
  /** Each in the newest version that was acknowledged since somebody looked. */
  readonly newEvents = new Map<string, ShownEvent>();
  /** Every Event that was acknowledged, in time to be kept. */
  readonly events = new Map<string, KubeObject>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Returns whether it is the last word on something: nothing that comes later, and no LIST, would say it again. */
  add(object: KubeObject, deleted: boolean): boolean {
    const { now } = this.#scheduler;
    const { uid, resourceVersion } = object.metadata;
    if (object.kind === 'Event') return this.#addEvent(object);
    let shown = this.#objects.get(uid);
    if (shown === undefined) this.#objects.set(uid, (shown = { at: now, version: 0, versionAt: now }));
    if (Number(resourceVersion) > shown.version) {
      shown.version = Number(resourceVersion);
      shown.versionAt = now;
    }
    if (object.status?.['startTime'] !== undefined) shown.startedAt ??= now;
    if (WITH_VERSIONS.has(object.kind)) (shown.versions ??= new Map()).set(Number(resourceVersion), now);
    const isLast = deleted && object.kind === 'Job' && shown.endedAt === undefined;
    if (deleted) shown.deletedAt ??= now;
    if (deleted || (object.status !== undefined && hasEnded(object))) shown.endedAt ??= now;
    else if (shown.startedAt !== undefined && shown.endedAt === undefined) shown.runningAt ??= now;
    return isLast;
  }

  #addEvent(object: KubeObject): boolean {
    const { uid, name, resourceVersion } = object.metadata;
    const lastAt = Date.parse(object.deprecatedLastTimestamp!);
    // What comes late may be older than what the bridge keeps of Events.
    if (this.#scheduler.now - lastAt > LATE_EVENT_MS) return false;
    const version = Math.max(Number(resourceVersion), this.newEvents.get(uid)?.version ?? 0);
    this.newEvents.set(uid, { uid, name, version, lastAt });
    this.events.set(uid, object);
    // Warnings are LISTed after a gap.
    return object.type === 'Normal';
  }

  /** What it read of the API server by itself and committed. */
  read(call: CallMessage): void {
    if (call.method === 'observe') for (const object of call.args[0]) this.add(object as never, false);
    if (call.method !== 'observeWatched') return;
    for (const { type, object } of call.args[0]) this.add(object as never, type === 'DELETED');
  }

  get(uid: string): ShownObject | undefined {
    return this.#objects.get(uid);
  }
}
