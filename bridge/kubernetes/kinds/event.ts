import { isOwnAnnotation } from '../annotations.ts';
import type { Instant } from '../../lib/clock.ts';
import type { KubeObject } from '../fields.ts';
import { countAt, messageAt, objectAt, textAt, timeAt } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { groupOf, readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';

export interface EventFacts extends ObjectFacts {
  readonly kind: 'Event';
  /** `Warning` or `Normal`. */
  readonly type: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly regarding: Regarding;
  /** Who says it, such as `kubelet`, and where, such as the node's name. */
  readonly component: string | undefined;
  readonly instance: string | undefined;
  /** How often it was said so far, at least once. */
  readonly count: number;
  readonly firstAt: Instant | undefined;
  readonly lastAt: Instant | undefined;
}

/** The object that an Event is about. */
export interface Regarding {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  /** Such as `spec.containers{main}`. */
  readonly fieldPath: string | undefined;
}

const REFERENCE: FieldsPlan = {
  apiVersion: 'scalar',
  kind: 'scalar',
  namespace: 'scalar',
  name: 'scalar',
  uid: 'scalar',
  fieldPath: 'scalar',
};
const SOURCE: FieldsPlan = { component: 'scalar', host: 'scalar' };

/** Both shapes of the same stored object: of events.k8s.io/v1, then of core/v1. What labels it may have says nothing. */
const PLAN: FieldsPlan = {
  metadata: { labels: () => false },
  type: 'scalar',
  reason: 'scalar',
  eventTime: 'scalar',
  series: { count: 'scalar', lastObservedTime: 'scalar' },
  reportingInstance: 'scalar',
  regarding: REFERENCE,
  note: 'scalar',
  reportingController: 'scalar',
  deprecatedSource: SOURCE,
  deprecatedFirstTimestamp: 'scalar',
  deprecatedLastTimestamp: 'scalar',
  deprecatedCount: 'scalar',
  involvedObject: REFERENCE,
  message: 'scalar',
  reportingComponent: 'scalar',
  source: SOURCE,
  firstTimestamp: 'scalar',
  lastTimestamp: 'scalar',
  count: 'scalar',
};

/** A recorder of the new kind fills `series`, one of the old kind the count and the times; never both. */
function read(object: KubeObject, keeps = isOwnAnnotation): EventFacts {
  const metadata = readMetadata(object, keeps);
  const series = objectAt(object, 'series');
  const [source, oldSource] = [objectAt(object, 'deprecatedSource'), objectAt(object, 'source')];
  const counts = [countAt(series, 'count'), countAt(object, 'deprecatedCount'), countAt(object, 'count')];
  const eventAt = timeAt(object, 'eventTime');
  const first = timeAt(object, 'deprecatedFirstTimestamp') ?? timeAt(object, 'firstTimestamp');
  const last = timeAt(object, 'deprecatedLastTimestamp') ?? timeAt(object, 'lastTimestamp');
  const firstAt = eventAt ?? first ?? metadata.createdAt;
  const component = textAt(object, 'reportingController') ?? textAt(object, 'reportingComponent');
  return {
    kind: 'Event',
    ...metadata,
    labels: {},
    type: textAt(object, 'type') ?? '',
    reason: messageAt(object, 'reason'),
    message: messageAt(object, 'note') ?? messageAt(object, 'message'),
    regarding: readRegarding(object),
    component: component ?? textAt(source, 'component') ?? textAt(oldSource, 'component'),
    instance: textAt(object, 'reportingInstance') ?? textAt(source, 'host') ?? textAt(oldSource, 'host'),
    count: Math.max(1, ...counts.map((count) => count ?? 1)),
    firstAt,
    lastAt: timeAt(series, 'lastObservedTime') ?? last ?? firstAt,
  };
}

function readRegarding(object: KubeObject): Regarding {
  const regarding = objectAt(object, 'regarding');
  const reference = textAt(regarding, 'kind') === undefined ? objectAt(object, 'involvedObject') : regarding;
  return {
    group: groupOf(textAt(reference, 'apiVersion') ?? ''),
    kind: textAt(reference, 'kind') ?? '',
    namespace: textAt(reference, 'namespace') ?? '',
    name: textAt(reference, 'name') ?? '',
    uid: textAt(reference, 'uid'),
    fieldPath: textAt(reference, 'fieldPath'),
  };
}

export const EVENT: KindSpec<EventFacts> = {
  apiVersion: 'events.k8s.io/v1',
  alsoAs: 'v1',
  resource: 'events',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 1,
  longLived: false,
  audit: 'none',
};
