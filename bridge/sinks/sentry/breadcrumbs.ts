import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import type { Json } from '../../lib/json.ts';
import { cut } from './text.ts';

const MAX_MESSAGE = 500;

/**
 * What Kubernetes said about an object and its owners before and around something, the oldest first; of many the last ones.
 * The Event that the report itself is about is left out.
 */
export function breadcrumbs(events: readonly EventFacts[], transitionId: string, most: number): Json[] {
  if (most === 0) return [];
  const others = events.filter(({ uid }) => !transitionId.startsWith(`${uid}/`));
  return others
    .toSorted((a, b) => (a.lastAt ?? 0) - (b.lastAt ?? 0))
    .slice(-most)
    .map(breadcrumb);
}

function breadcrumb({ type, reason, message = '', lastAt, regarding, component, count }: EventFacts): Json {
  return {
    ...(lastAt !== undefined && { timestamp: lastAt / 1000 }),
    type: 'default',
    category: reason ?? 'Event',
    level: type === 'Normal' ? 'info' : 'warning',
    message: cut(message, MAX_MESSAGE),
    data: {
      object: `${regarding.kind} ${regarding.name}`,
      ...(component !== undefined && { source: component }),
      ...(count > 1 && { count }),
    },
  };
}
