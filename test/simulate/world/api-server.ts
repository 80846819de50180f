import type { Scheduler } from '../scheduler.ts';
import { WORLD } from '../scheduler.ts';
import type { KubeObject, Resource } from './objects.ts';
import { ALL_RESOURCES, resourceOf } from './objects.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchEvent {
  readonly version: number;
  readonly type: EventType;
  /** As it is after the event; of a deletion the last state. */
  readonly object: KubeObject;
}

/** All objects at one version: a backup of etcd. */
export interface Backup {
  readonly version: number;
  readonly objects: ReadonlyMap<Resource, ReadonlyMap<string, KubeObject>>;
}

/** Events that a resource's watch cache holds: who asks for older ones gets 410. */
const CACHED = 400;

/** Asks for a timestamp. */
export const ADDTIME = 'addtime';

/** A quarter of the pods ask for a timestamp. */
function asking(pod: KubeObject): KubeObject {
  if (!/^[0-3]/.test(pod.metadata.uid)) return pod;
  const annotations = { ...pod.metadata.annotations, [ADDTIME]: '' };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** What the API server holds: objects, one count of versions for all of them, and the events of each resource. */
export class ApiServer {
  readonly #scheduler: Scheduler;
  readonly #objects = new Map<Resource, Map<string, KubeObject>>();
  /** What `list` gave since its resource was changed last, by namespace. */
  readonly #lists = new Map<Resource, Map<string | undefined, readonly KubeObject[]>>();
  readonly #events = new Map<Resource, WatchEvent[]>();
  /** Versions up to this one are in no watch cache any more. */
  readonly #forgotten = new Map<Resource, number>();
  readonly #hearers = new Set<(resource: Resource, event: WatchEvent) => void>();
  version = 1000;
  /** How often it was restored: no watch goes on after it. */
  restores = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls back for each event from now on. Returns how to end it. */
  hear(hearer: (resource: Resource, event: WatchEvent) => void): () => void {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  get(resource: Resource, uid: string): KubeObject | undefined {
    return this.#all(resource).get(uid);
  }

  byName(resource: Resource, namespace: string, name: string): KubeObject | undefined {
    return this.list(resource, namespace).find(({ metadata }) => metadata.name === name);
  }

  /** As a LIST has them: by namespace and name. The same list as long as nothing of the resource changes. */
  list(resource: Resource, namespace?: string): readonly KubeObject[] {
    const lists = this.#lists.get(resource) ?? new Map<string | undefined, readonly KubeObject[]>();
    this.#lists.set(resource, lists);
    const list = lists.get(namespace) ?? this.#sorted(resource, namespace);
    lists.set(namespace, list);
    return list;
  }

  #sorted(resource: Resource, namespace: string | undefined): KubeObject[] {
    const all = [...this.#all(resource).values()];
    const within = namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
    return within
      .map((object) => ({ object, key: `${object.metadata.namespace}/${object.metadata.name}` }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ object }) => object);
  }

  /** Creates or replaces an object; the version of the given one does not count. */
  put(object: KubeObject): KubeObject {
    const resource = resourceOf(object);
    const known = this.#all(resource).has(object.metadata.uid);
    const written = this.#versioned(known || resource !== 'pods' ? object : asking(object));
    this.#all(resource).set(object.metadata.uid, written);
    this.#lists.delete(resource);
    this.#notify(resource, known ? 'MODIFIED' : 'ADDED', written);
    return written;
  }

  /** Changes an object if it is still there. */
  change(
    resource: Resource,
    uid: string,
    change: (object: KubeObject) => Partial<Pick<KubeObject, 'metadata' | 'spec' | 'status' | 'revision'>>,
  ): KubeObject | undefined {
    const object = this.get(resource, uid);
    return object && this.put({ ...object, ...change(object) });
  }

  /** Removes an object; its deletion has a version of its own. */
  remove(resource: Resource, uid: string): void {
    const object = this.get(resource, uid);
    if (object === undefined) return;
    this.#all(resource).delete(uid);
    this.#lists.delete(resource);
    this.#notify(resource, 'DELETED', this.#versioned(object));
  }

  /** Removes an Event whose lease is over: who watches Events leaves their deletions out. */
  expire(resource: 'events', uid: string): void {
    this.#all(resource).delete(uid);
    this.#lists.delete(resource);
  }

  /** Events after a version, or undefined when that is too old. */
  since(resource: Resource, version: number): readonly WatchEvent[] | undefined {
    // A version that is not there yet is from before a restore.
    if (version < (this.#forgotten.get(resource) ?? 0) || version > this.version) return undefined;
    const events = this.#events.get(resource) ?? [];
    let first = events.length;
    while (first > 0 && events[first - 1]!.version > version) first--;
    return events.slice(first);
  }

  /** Nothing older than now can be watched any more. */
  compact(): void {
    for (const resource of ALL_RESOURCES) {
      this.#events.set(resource, []);
      this.#forgotten.set(resource, this.version);
    }
  }

  backup(): Backup {
    return { version: this.version, objects: new Map([...this.#objects].map(([of, all]) => [of, new Map(all)])) };
  }

  /** Everything is as it was, the count of versions too, and every watch begins again. Returns what changed, by UID. */
  restore({ version, objects }: Backup): Map<string, { readonly before?: KubeObject; readonly after?: KubeObject }> {
    const changed = new Map<string, { readonly before?: KubeObject; readonly after?: KubeObject }>();
    for (const resource of new Set([...this.#objects.keys(), ...objects.keys()])) {
      const [now, then] = [this.#all(resource), objects.get(resource) ?? new Map<string, KubeObject>()];
      for (const uid of new Set([...now.keys(), ...then.keys()])) {
        const [before, after] = [now.get(uid), then.get(uid)];
        if (before !== after) changed.set(uid, { ...(before && { before }), ...(after && { after }) });
      }
      this.#objects.set(resource, new Map(then));
    }
    this.#lists.clear();
    this.version = version;
    this.compact();
    this.restores++;
    return changed;
  }

  #versioned(object: KubeObject): KubeObject {
    this.version++;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
  }

  #notify(resource: Resource, type: EventType, object: KubeObject): void {
    const event = { version: this.version, type, object };
    let events = this.#events.get(resource);
    if (events === undefined) this.#events.set(resource, (events = []));
    events.push(event);
    if (events.length > 2 * CACHED) {
      events.splice(0, events.length - CACHED);
      this.#forgotten.set(resource, events[0]!.version - 1);
    }
    for (const hearer of this.#hearers) this.#scheduler.in(0, () => hearer(resource, event), WORLD);
  }

  #all(resource: Resource): Map<string, KubeObject> {
    let all = this.#objects.get(resource);
    if (all === undefined) this.#objects.set(resource, (all = new Map()));
    return all;
  }
}
