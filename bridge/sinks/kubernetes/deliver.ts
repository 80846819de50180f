import type { Instant } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reasons.ts';
import { REASONS } from '../../lib/reasons.ts';
import type { Deps } from '../module.ts';
import type { ClaimedDesired, Deliverer, Delivery } from '../sink.ts';
import type { TestResult } from '../test-result.ts';
import { checkAccess } from './access.ts';
import type { Annotated } from './annotate.ts';
import { annotate, API_LIMIT } from './annotate.ts';
import type { KubernetesConfig } from './config.ts';
import type { Wanted } from './wanted.ts';
import { isStamp, wantedSchema } from './wanted.ts';

export type KubernetesDeps = Pick<Deps, 'clock' | 'log'> & { readonly kube: NonNullable<Deps['kube']> };

/** Pods of one batch that are written at the same time. */
const AT_ONCE = 8;
/** A permission is a decision of people: one pod of the namespace asks again after this. */
const FORBIDDEN_MS = 60_000;
/** For a pod with nothing to write: until it changes, or is deleted. */
const LEFT_MS = 365 * 86_400_000;
/** Nothing brings such a pod back: it is not asked for again, and has one line in the log. */
const LASTING: ReadonlySet<Reason> = new Set<Reason>(['object_over', 'object_gone']);

/** The half of `kubernetes/<name>` that talks to the Kubernetes API. */
export function createKubernetesDeliverer(name: string, config: KubernetesConfig, deps: KubernetesDeps): Deliverer {
  const writer = new Writer(`kubernetes/${name}`, deps);
  return {
    destination: `kubernetes/${name}`,
    batch: { intents: 1, desired: 50 },
    // At most 100 pods, and twice as many requests, a second.
    convergeLimits: [{ key: API_LIMIT, perSecond: 2 }],
    deliver: (batch) => Promise.resolve(batch.map(() => NO_TELEMETRY)),
    converge: (rows, signal) => writer.converge(rows, signal),
    check: (signal) => checkAccess(deps.kube, config, signal),
    async test(signal): Promise<TestResult> {
      const delivery = await checkAccess(deps.kube, config, signal);
      return { delivery, did: delivery.outcome === 'delivered' ? (delivery.detail ?? '') : '' };
    },
  };
}

const NO_TELEMETRY: Delivery = { outcome: 'drop', reason: 'bad_request', detail: 'it takes no telemetry' };
const UNREADABLE: Delivery = { outcome: 'drop', reason: 'bad_request', detail: 'the stored row cannot be read' };

function lasting(delivery: Delivery): Delivery {
  return delivery.outcome === 'drop' && LASTING.has(delivery.reason) ? { ...delivery, afterMs: LEFT_MS } : delivery;
}

type Retry = Extract<Delivery, { outcome: 'retry' }>;

class Writer {
  readonly #destination: string;
  readonly #deps: KubernetesDeps;
  /** Namespaces in which the bridge may not write, until when that is believed. */
  readonly #forbidden = new Map<string, { readonly until: Instant; readonly delivery: Retry }>();

  constructor(destination: string, deps: KubernetesDeps) {
    this.#destination = destination;
    this.#deps = deps;
  }

  /** `AT_ONCE` rows side by side: who ends first takes the next one. */
  async converge(rows: readonly ClaimedDesired[], signal: AbortSignal): Promise<Delivery[]> {
    const deliveries: Delivery[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < rows.length; at = next++) deliveries[at] = await this.#row(rows[at]!, signal);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return deliveries;
  }

  async #row({ wanted: stored }: ClaimedDesired, signal: AbortSignal): Promise<Delivery> {
    const { success, data: wanted } = wantedSchema.safeParse(stored);
    if (!success) return UNREADABLE;
    if (!isStamp(wanted)) return this.#left(wanted);
    const { clock, kube } = this.#deps;
    const known = this.#forbidden.get(wanted.namespace);
    const waitMs = (known?.until ?? 0) - clock.now();
    if (known !== undefined && waitMs > 0) return { ...known.delivery, afterMs: waitMs };
    const annotated = await annotate(kube, wanted, clock.now(), signal);
    this.#forbidden.delete(wanted.namespace);
    if (annotated.denied === true) return this.#denied(wanted.namespace, annotated.delivery.detail ?? '');
    this.#log(wanted, annotated);
    return lasting(annotated.delivery);
  }

  /** There is nothing to ask about such a pod: what it becomes, the stream brings. */
  #left(wanted: Wanted): Delivery {
    const reason = wanted.isOver === true ? 'object_over' : 'awaiting_start';
    const detail = `pod ${wanted.namespace}/${wanted.name}`;
    const delivery: Delivery = { outcome: 'drop', reason, detail, afterMs: LEFT_MS };
    this.#log(wanted, { delivery });
    return delivery;
  }

  /** No pod of the namespace can be written: the others are not tried, and those of other namespaces are. */
  #denied(namespace: string, detail: string): Delivery {
    const delivery = { outcome: 'retry', reason: 'forbidden', detail, afterMs: FORBIDDEN_MS } as const;
    this.#forbidden.set(namespace, { until: this.#deps.clock.now() + FORBIDDEN_MS, delivery });
    return delivery;
  }

  /** One line for each pod that is done with; what is tried again is reported as every delivery is. */
  #log({ namespace, name, annotation, value }: Wanted, { delivery, wrote }: Annotated): void {
    const fields = { destination: this.#destination, pod: `${namespace}/${name}`, annotation, value };
    if (wrote) this.#deps.log.info(fields, 'annotated a pod');
    if (delivery.outcome !== 'drop') return;
    const { reason, detail } = delivery;
    this.#deps.log.info({ ...fields, reason, what: REASONS[reason], detail }, 'a pod is not annotated');
  }
}
