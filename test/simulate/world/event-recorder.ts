import type { Random } from '../random.ts';
import { chance, pick, randomOf, skewed, uuid, whole } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import { WORLD } from '../scheduler.ts';
import type { ApiServer, WatchEvent } from './api-server.ts';
import type { Clocks } from './clocks.ts';
import type { KubeObject, Resource } from './objects.ts';
import { hasCondition, isBeingDeleted, timestamp } from './objects.ts';

/** The API server removes an Event so long after it was said last. */
const LEASE_MS = 3_600_000;
/** Of pods: how many have a Normal Event that is written, and how many a Warning that goes on. A real cluster writes all. */
const NORMAL = 0.3;
const WARNING = 0.04;

interface Said {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  readonly by: 'kubelet' | 'job-controller';
}

/** Controllers and kubelets that write Kubernetes Events about Jobs and their pods. */
export class EventRecorder {
  readonly #scheduler: Scheduler;
  readonly #api: ApiServer;
  readonly #clocks: Clocks;

  constructor(scheduler: Scheduler, api: ApiServer, clocks: Clocks) {
    this.#scheduler = scheduler;
    this.#api = api;
    this.#clocks = clocks;
  }

  begin(): void {
    this.#api.hear((resource, event) => this.#hear(resource, event));
  }

  #hear(resource: Resource, { type, object }: WatchEvent): void {
    if (resource === 'pods' && type === 'ADDED') this.#podMade(object);
    if (resource === 'jobs' && type === 'MODIFIED' && hasCondition(object, 'Failed') && !isBeingDeleted(object))
      this.#jobFailed(object);
  }

  #podMade(pod: KubeObject): void {
    const { name, uid } = pod.metadata;
    const random = randomOf('events', uid);
    if (chance(random, NORMAL)) {
      const [reason, note] = pick(random, [
        ['Pulled', 'Container image "shop/report:7" already present on machine'],
        ['Created', 'Created container: main'],
        ['Started', 'Started container main'],
      ] as const);
      this.#scheduler.in(
        skewed(random, 500, 8_000),
        () => this.#write(pod, { type: 'Normal', reason, note, by: 'kubelet' }, random),
        WORLD,
      );
    }
    if (chance(random, WARNING)) {
      const note = `MountVolume.SetUp failed for volume "data" : object "shop"/"${name}" not registered`;
      const event = this.#write(pod, { type: 'Warning', reason: 'FailedMount', note, by: 'kubelet' }, random);
      this.#goOn(event, pod, whole(random, 0, 15), random);
    }
  }

  /** The same again and again, as long as its pod is there. */
  #goOn(event: KubeObject, pod: KubeObject, times: number, random: Random): void {
    if (times === 0) return;
    this.#scheduler.in(
      skewed(random, 500, 60_000),
      () => {
        const last = this.#api.get('events', event.metadata.uid);
        if (last === undefined || this.#api.get('pods', pod.metadata.uid) === undefined) return;
        const at = timestamp(this.#clocks.kubelet());
        const count = (last.deprecatedCount ?? 1) + 1;
        this.#api.put({ ...last, deprecatedCount: count, deprecatedLastTimestamp: at });
        this.#goOn(event, pod, times - 1, random);
      },
      WORLD,
    );
  }

  #jobFailed(job: KubeObject): void {
    const random = randomOf('events', job.metadata.uid, job.metadata.resourceVersion!);
    const note = 'Job has reached the specified backoff limit';
    this.#write(job, { type: 'Warning', reason: 'BackoffLimitExceeded', note, by: 'job-controller' }, random);
  }

  #write({ apiVersion, kind, metadata }: KubeObject, { by, ...said }: Said, random: Random): KubeObject {
    const { namespace, name, uid } = metadata;
    const at = timestamp(by === 'kubelet' ? this.#clocks.kubelet() : this.#clocks.manager());
    const event = this.#api.put({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: `${name}.${whole(random, 0, 2 ** 32).toString(16)}`,
        namespace,
        uid: uuid(random),
        creationTimestamp: at,
      },
      spec: {},
      status: {},
      ...said,
      regarding: { apiVersion, kind, namespace, name, uid },
      deprecatedSource: { component: by },
      reportingController: by,
      deprecatedFirstTimestamp: at,
      deprecatedLastTimestamp: at,
      deprecatedCount: 1,
    });
    this.#expire(event);
    return event;
  }

  #expire({ metadata: { uid } }: KubeObject): void {
    this.#scheduler.in(
      LEASE_MS,
      () => {
        const event = this.#api.get('events', uid);
        if (event === undefined) return;
        const last = Date.parse(event.deprecatedLastTimestamp ?? '');
        if (last + LEASE_MS > this.#clocks.kubelet()) this.#expire(event);
        else this.#api.expire('events', uid);
      },
      WORLD,
    );
  }
}
