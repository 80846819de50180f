import type { Instant } from '../../lib/clock.ts';
import { iso } from '../../lib/clock.ts';
import { KINDS } from '../../kubernetes/kinds.ts';

const COMPONENT = 'lifecycle-bridge';

/** What an Event of the bridge says, and about what. */
export interface EventText {
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    /** Empty for what is in no namespace. */
    readonly namespace: string;
    readonly name: string;
    readonly uid?: string;
  };
}

/**
 * An Event of type Warning as events.k8s.io/v1 wants it. Its name is that of its object and 16 digits of `hash`: the API
 * refuses a second one of the same name. About what is in no namespace it is in `default`, as Kubernetes has it.
 */
export function warningEvent({ regarding, reason, action, note }: EventText, hash: string, at: Instant) {
  const { namespace, name, ...rest } = regarding;
  const inNamespace = namespace === '' ? {} : { namespace };
  return {
    apiVersion: KINDS.Event.apiVersion,
    kind: 'Event',
    metadata: { namespace: namespace || 'default', name: `${name}.${hash.slice(0, 16)}` },
    // Kubernetes takes no fewer digits.
    eventTime: iso(at).replace('Z', '000Z'),
    reportingController: COMPONENT,
    reportingInstance: COMPONENT,
    type: 'Warning',
    reason,
    action,
    regarding: { ...rest, ...inNamespace, name },
    note,
  };
}
