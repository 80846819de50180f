import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { Observation, PodFacts } from '../kubernetes/observation.ts';
import { Db } from '../store/sqlite/db/db.ts';
import type { RetentionLimits } from '../store/store.ts';
import { TestEngine } from './test-engine.ts';

const DAY = 86_400_000;
/** The longest back-off of kubelet: a container that crashes at once does so every five minutes. */
const BACK_OFF = 300_000;
const LIMITS: RetentionLimits = { age: 2 * DAY, maxBytes: 1 << 30 };
const UID = podFacts().uid;

let bridge: TestEngine;
beforeEach(() => (bridge = new TestEngine({ cutoff: T0 - DAY })));
afterEach(() => bridge.close());

/** A pod of a Deployment whose container has crashed for the (n + 1)th time. */
function crash(n: number, owner?: PodFacts['owner']): Observation {
  const end = { ...terminated(1, T0 + n * BACK_OFF)!, containerId: `id-${n}` };
  const deployment = { group: 'apps', kind: 'ReplicaSet', name: 'web-1', uid: 'replica-set' };
  const main = container({ restartCount: n, terminated: end });
  return seen(
    podFacts({ resourceVersion: String(200 + n), phase: 'Running', owner: owner ?? deployment, containers: [main] }),
  );
}

function retain(now: number, limits = LIMITS): ReturnType<TestEngine['store']['retain']> {
  let state = bridge.store.retain(now, limits);
  for (let n = 0; n < 200; n++) state = bridge.store.retain(now, limits);
  return state;
}

function sizes(): { readonly rows: number; readonly stateBytes: number } {
  const db = new Db(bridge.path, true);
  const rows = db.get<{ n: number }>('SELECT count(*) AS n FROM transitions')!.n;
  const stateBytes = db.get<{ n: number }>('SELECT max(length(state)) AS n FROM objects')!.n;
  db.close();
  return { rows, stateBytes };
}

describe('a container of a living pod that crashes 5,000 times in 17 days', () => {
  it('leaves a state as small as at first, and the ends of the last days', () => {
    bridge.take([crash(0)], T0);
    const { stateBytes } = sizes();
    for (let n = 1; n < 5_000; n += 50) {
      const records = Array.from({ length: Math.min(50, 5_000 - n) }, (_, k) => crash(n + k));
      bridge.take(records, T0 + (n + 49) * BACK_OFF);
    }
    expect(sizes().rows).toBe(5_000);
    const now = T0 + 5_000 * BACK_OFF;
    retain(now);
    const after = sizes();
    expect(after.rows).toBeLessThan((LIMITS.age / BACK_OFF) * 1.1);
    expect(after.rows).toBeGreaterThan((LIMITS.age / BACK_OFF) * 0.9);
    expect(after.stateBytes).toBeLessThan(stateBytes + 200);

    bridge.take([crash(17), crash(4_999)], now);
    expect(sizes().rows).toBe(after.rows);
  });
});

describe('what a living pod repeats', () => {
  beforeEach(() => {
    for (let n = 0; n < 500; n += 10) {
      bridge.take(
        Array.from({ length: 10 }, (_, k) => crash(n + k)),
        T0 + n * BACK_OFF,
      );
    }
  });

  it('goes by size before its time when nothing else is left', () => {
    const now = T0 + 500 * BACK_OFF;
    const { usedBytes } = retain(now, { age: 100 * DAY, maxBytes: 1 << 30 });
    const limits = { age: 100 * DAY, maxBytes: usedBytes - 100_000 };
    expect(retain(now + 3_600_000, limits)).toMatchObject({ exhausted: false });
    expect(sizes().rows).toBeLessThan(400);
    expect(sizes().rows).toBeGreaterThan(0);
  });

  it('stays while it waits to be sent or decided', () => {
    const id = (n: number): string => `${UID}/main/${n}/terminated`;
    bridge.store.transaction((tx) => {
      tx.timeline.enqueue('cronitor/default', id(3), { key: 'k', lane: 'l', payload: null, limits: [] }, T0);
      tx.timeline.decide({
        transitionId: id(4),
        destination: 'd',
        verdict: 'waiting',
        reason: undefined,
        detail: undefined,
        at: T0,
      });
    });
    retain(T0 + 100 * DAY);
    const db = new Db(bridge.path, true);
    expect(db.all<{ id: string }>('SELECT id FROM transitions').map((row) => row.id)).toEqual([id(3), id(4)]);
    db.close();
  });
});
