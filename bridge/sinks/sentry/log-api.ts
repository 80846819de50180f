import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import { uidTraceId } from '../../lifecycle/trace-id.ts';
import type { Json } from '../../lib/json.ts';
import { isInNamespaces } from '../selection.ts';
import type { Deliverer, Delivery, JournalEntry } from '../sink.ts';
import type { Account } from './account.ts';
import type { SentryConfig } from './config.ts';
import type { Resolved } from './dsns.ts';
import type { Item } from './envelope.ts';
import { SDK } from './envelope.ts';
import { deliveryOf, post } from './item-api.ts';
import { CLUSTER_NAMESPACE, routeOf, targetKey } from './target.ts';

const CONTENT_TYPE = 'application/vnd.sentry.items.log+json';
const BATCH = 100;
const LEVELS = { Normal: ['info', 9], other: ['warn', 13] } as const;

type Journal = NonNullable<Deliverer['journal']>;

/** Kubernetes Events as Sentry logs: each once, and again when its count reaches 10, 100 and so on. */
export function exportLogs(account: Account): Journal {
  /** By limit key, the number of the last entry that arrived: a batch that is tried again may be whole or halved. */
  const arrived = new Map<string, number>();
  return {
    batch: BATCH,
    limits: [{ key: `${targetKey({})}/log_item`, perSecond: 2 }],
    async export(entries, signal) {
      for (const [key, { to, events, last }] of byDsn(account, entries, arrived)) {
        const delivery = await sendLogs(account, to, events, signal);
        if (delivery.outcome !== 'delivered') return delivery;
        arrived.set(key, last);
      }
      return { outcome: 'delivered' };
    },
  };
}

/** What goes to one DSN; `last`: the number of its last entry. */
interface Group {
  readonly to: Resolved;
  readonly events: EventFacts[];
  last: number;
}

/** The Events that are wanted, by where they go: labels and annotations of their objects are not known here. */
function byDsn(
  { config, dsns }: Account,
  entries: readonly JournalEntry[],
  arrived: ReadonlyMap<string, number>,
): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const entry of entries) {
    if (!('event' in entry) || !isWanted(entry.event, config)) continue;
    const to = dsns.resolve(routeOf({ ...entry.event, namespace: namespaceOf(entry.event) }, config));
    if (entry.seq <= (arrived.get(to.key) ?? -Infinity)) continue;
    const group = groups.get(to.key) ?? { to, events: [], last: entry.seq };
    group.events.push(entry.event);
    group.last = entry.seq;
    groups.set(to.key, group);
  }
  return groups;
}

function isWanted(event: EventFacts, config: SentryConfig): boolean {
  return isInNamespaces(namespaceOf(event), config) && (config.logs === 'all' || event.type === 'Normal');
}

function namespaceOf({ regarding }: EventFacts): string {
  return regarding.namespace || CLUSTER_NAMESPACE;
}

async function sendLogs(
  account: Account,
  to: Resolved,
  events: readonly EventFacts[],
  signal: AbortSignal,
): Promise<Delivery> {
  const { clock, limits, config } = account;
  const key = `${targetKey({})}/log_item`;
  const limited = limits.wait(to.id, 'log_item', clock.now());
  if (limited !== undefined) return { outcome: 'retry', reason: 'rate_limited', afterMs: limited.ms, hold: { key } };
  const items = events.map((event) => logOf(event, config, clock.now()));
  const header = { type: 'log', item_count: items.length, content_type: CONTENT_TYPE } as const;
  const item: Item = { header, payload: { items } };
  const result = await post(account, to, [item], undefined, signal);
  return deliveryOf(account, { ...to, limit: key }, 'log_item', result);
}

function logOf(event: EventFacts, { environment, tags }: SentryConfig, now: number): Json {
  const { type, reason, message, regarding, count, component } = event;
  const [level, severity] = type === 'Normal' ? LEVELS.Normal : LEVELS.other;
  const said = {
    'sentry.environment': environment,
    'sentry.sdk.name': SDK.name,
    'sentry.sdk.version': SDK.version,
    'k8s.event.type': type,
    'k8s.event.reason': reason,
    'k8s.event.component': component,
    'k8s.namespace.name': regarding.namespace || undefined,
    'k8s.object.kind': regarding.kind,
    'k8s.object.name': regarding.name,
    'k8s.object.uid': regarding.uid,
    ...tags,
  };
  const texts = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { value, type: 'string' }] as const],
  );
  return {
    timestamp: (event.lastAt ?? now) / 1000,
    // Of a Job it is the one that its run has everywhere.
    trace_id: uidTraceId(regarding.uid ?? event.uid),
    level,
    severity_number: severity,
    body: [reason, message].filter(Boolean).join(': ') || type,
    attributes: { ...Object.fromEntries(texts), 'k8s.event.count': { value: count, type: 'integer' } },
  };
}
