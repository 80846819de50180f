import { uuidv5 } from '../../lib/ids.ts';
import type { Json } from '../../lib/json.ts';
import type { Intent } from '../sink.ts';
import type { StormReport, StormRules } from '../storm.ts';
import type { SentryPayload, Target } from './payload.ts';
import { targetSchema } from './payload.ts';
import type { SentryRules } from './rules.ts';
import { limitsOf, targetKey } from './target.ts';
import { cut } from './text.ts';

/** Most kinds that a digest names. */
const MAX_NAMED = 20;
const MAX_TEXT = 200;

/** Most issue events of one DSN in a window; the rest of it is one event that says what happened. */
export function stormRules(rules: SentryRules): StormRules<Intent> {
  const { events, eventsOfOneIssue, window } = rules.storm;
  return {
    budget: { most: events, mostOfOne: eventsOfOneIssue, windowMs: window },
    digest: (report) => [digestOf(report, rules)],
  };
}

function digestOf(report: StormReport, rules: SentryRules): Intent {
  const { scope, since, left } = report;
  const target: Target = targetSchema.safeParse(scope).data ?? {};
  const key = `storm/${targetKey(target)}/${since}`;
  const eventId = uuidv5(JSON.stringify([rules.clusterId, rules.destination, key])).replaceAll('-', '');
  const item = itemOf(report, eventId, rules);
  const payload = { kind: 'event', target, item, discarded: left.count } satisfies SentryPayload;
  return { key, lane: key, payload, limits: limitsOf(payload) };
}

function itemOf(report: StormReport, eventId: string, rules: SentryRules): { [key: string]: Json } {
  const { until, since, passed, left } = report;
  const kinds = Object.entries(left.kinds).toSorted(([, a], [, b]) => b - a);
  const named = kinds.slice(0, MAX_NAMED);
  const rest = kinds.slice(MAX_NAMED).reduce((sum, [, count]) => sum + count, left.others);
  const minutes = Math.max(1, Math.round((until - since) / 60_000));
  // A reason may hold a line break: each kind is one line.
  const lines = named.map(([what, count]) => `${count} × ${cut(what.replaceAll(/\s+/g, ' '), MAX_TEXT)}`);
  const more = rest > 0 ? [`${rest} × others`] : [];
  const head = `${left.count} more events in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}: not sent one by one`;
  return {
    event_id: eventId,
    timestamp: left.lastAt / 1000,
    platform: 'other',
    logger: 'lifecycle-bridge.storm',
    level: 'error',
    message: [head, ...lines, ...more].join('\n'),
    environment: rules.environment,
    fingerprint: ['lifecycle-bridge', 'storm', rules.clusterId],
    tags: { cluster: rules.clusterName, ...rules.tags },
    contexts: {
      storm: {
        left_out: left.count,
        sent: passed,
        first: new Date(left.firstAt).toISOString(),
        last: new Date(left.lastAt).toISOString(),
      },
    },
  };
}
