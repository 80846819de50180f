import { afterEach, beforeEach, expect, it } from 'vitest';
import { container, podFacts, seen, T0 } from '../../../test/fixtures/facts.ts';
import { complete, CRON, scheduled, TestEngine } from '../../ingest/test-engine.ts';
import { withNeeded } from '../../kubernetes/followed.ts';
import type { Facts } from '../../kubernetes/observation.ts';
import { at, deployment, progress, replicaSet } from '../../lifecycle/testing/rollouts.ts';
import type { ClaimedIntent } from '../sink.ts';
import { otlpSchema } from './config.ts';
import { spansOf, spansSoFar } from './deliver.ts';
import type { Milestone } from './plan.ts';
import { createOtlpPlanner } from './plan.ts';

const MINUTE = 60_000;
const planner = createOtlpPlanner('default', otlpSchema.parse({ endpoint: 'http://127.0.0.1:4317' }));
const ORIGIN = { clusterName: 'production', attributes: {} };

let bridge: TestEngine;
let minute: number;
beforeEach(() => {
  const engine = { kinds: withNeeded(planner.reads.kinds), lookbackMs: 0 };
  bridge = new TestEngine({ planners: [planner], cutoff: T0 - MINUTE, engine });
  minute = 0;
});
afterEach(() => bridge.close());

const now = (): number => T0 + minute * MINUTE;
let version = 1_000;
const take = (...all: Facts[]): void => {
  bridge.take(
    all.map((facts) => seen({ ...facts, resourceVersion: String(++version) })),
    now(),
  );
};

/** What is due each minute up to then, as `minute: its part of the key`. */
function sent(until: number): { readonly lines: string[]; readonly intents: ClaimedIntent[] } {
  const [lines, intents]: [string[], ClaimedIntent[]] = [[], []];
  for (; minute <= until; minute++) {
    bridge.take([], now());
    bridge.tick(now());
    for (;;) {
      const claimed = bridge.store.claim(planner.destination, 10, now(), [], false);
      if (claimed.length === 0) break;
      bridge.store.settle(
        claimed.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' } as const })),
        now(),
      );
      lines.push(...claimed.map(({ key }) => `${minute}: ${key.split('/').slice(2).join('/')}`));
      intents.push(...claimed);
    }
  }
  return { lines, intents };
}

const FIRST = [deployment({ createdAt: at(-86_400) }), replicaSet('a', { createdAt: at(-86_400) })];
const SECOND = replicaSet('b', { revision: 2, createdAt: at(0), replicas: 1, available: 0 });
const OWNER = { group: 'apps', kind: 'ReplicaSet', name: 'web-b', uid: 'rs-b' };
const POD = podFacts({
  uid: 'p',
  name: 'web-b-p',
  owner: OWNER,
  createdAt: at(2),
  podScheduledAt: at(5),
  nodeName: 'n',
  startAt: at(5),
  phase: 'Running',
  containers: [container({ runningSince: at(6) })],
});
const going = (updated: number) =>
  deployment({
    generation: 2,
    observedGeneration: 2,
    revision: 2,
    updated,
    replicas: 4,
    available: 3,
    conditions: [progress('ReplicaSetUpdated', 'web-b', 3)],
  });
const done = { updated: 3, replicas: 3, conditions: [progress('NewReplicaSetAvailable', 'web-b', 7_500)] };

it('a rollout that goes on sends what is over of it after 10, 30 and 60 minutes, then after twice as long, until it ends', () => {
  take(...FIRST, SECOND, POD, going(1));
  const { lines, intents } = sent(124);
  expect(lines).toEqual(['0: progressing', '10: active/1', '30: active/2', '60: active/3', '120: active/4']);
  const early = intents.flatMap(({ story, payload }) =>
    spansSoFar(story!, (payload as { milestone: Milestone }).milestone, ORIGIN, undefined).map(
      (span) => span.spanContext().spanId,
    ),
  );
  take(deployment({ ...going(3), ...done }));
  const after = sent(400);
  expect(after.lines).toEqual([expect.stringMatching(/: settled$/)]);
  const whole = new Set(spansOf(after.intents[0]!.story!, ORIGIN, undefined).map((span) => span.spanContext().spanId));
  expect([early.length > 0, early.filter((id) => !whole.has(id))]).toEqual([true, []]);
  // A backend may keep a span as often as it is sent.
  expect(early).toEqual([...new Set(early)]);
});

it('a bridge that was away sends one milestone for all that it missed', () => {
  take(...FIRST, SECOND, POD, going(1));
  sent(1);
  minute = 45;
  expect(sent(61).lines).toEqual(['45: active/1', '60: active/2']);
});

it('a Job has no milestones, however long it runs', () => {
  take(CRON, scheduled());
  expect(sent(90).lines).toEqual([]);
  take(complete());
  expect(sent(120).lines).toHaveLength(1);
});
