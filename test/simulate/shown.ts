import type { CallMessage } from '../../bridge/ingest/thread/protocol.ts';
import type { Scheduler } from './scheduler.ts';
import type { KubeObject } from './world/objects.ts';
import { hasEnded } from './world/objects.ts';

/** What the bridge has said that it keeps, of one object. */
export interface ShownObject {
  /** First time at all. */
  at: number;
  startedAt?: number;
  /** That it runs: started, and by that record not over. */
  runningAt?: number;
  /** That it is over: by its conditions, or deleted. */
  endedAt?: number;
  deletedAt?: number;
  /** Of a workload and its revisions, when each of its versions was shown. */
  versions?: Map<number, number>;
}

const WITH_VERSIONS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ControllerRevision']);

/** What the bridge has acknowledged: from then on it must not lose it. */
export class Shown {
  readonly #objects = new Map<string, ShownObject>();
  readonly #scheduler: Scheduler;
  lossy = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  add(object: KubeObject, deleted: boolean): void {
    const { now } = this.#scheduler;
    const { uid, resourceVersion } = object.metadata;
    let shown = this.#objects.get(uid);
    if (shown === undefined) this.#objects.set(uid, (shown = { at: now }));
    if (object.status?.['startTime'] !== undefined) shown.startedAt ??= now;
    if (WITH_VERSIONS.has(object.kind)) (shown.versions ??= new Map()).set(Number(resourceVersion), now);
    if (deleted) shown.deletedAt ??= now;
    if (deleted || (object.status !== undefined && hasEnded(object))) shown.endedAt ??= now;
    else if (shown.startedAt !== undefined && shown.endedAt === undefined) shown.runningAt ??= now;
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
