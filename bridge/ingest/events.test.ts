import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, CRON, JOB_UID, scheduled, TestEngine } from './test-engine.ts';
import { podFacts, T0 } from '../../test/fixtures/facts.ts';
import { CORE_EVENT, EVENT, SERIES_EVENT } from '../../test/fixtures/workload-objects.ts';
import type { JsonObject } from '../../test/fixtures/hostile.ts';
import { encodeLogs, watchBody } from '../../test/otlp-client.ts';
import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { Transition } from '../lifecycle/transition.ts';
import type { PlanContext, Planner } from '../sinks/sink.ts';
import { runText } from '../commands/run-text.ts';
import { html } from '../web/html.ts';
import { runPage } from '../web/pages/run.ts';
import { readList, readRequest } from './batch.ts';
import { ALWAYS } from '../kubernetes/followed.ts';
import { readingWith } from './reading.ts';

const READING = readingWith([], [...ALWAYS, 'Event']);
const POD_UID = podFacts().uid;
const NOW = T0 + 60_000;

let bridge: TestEngine | undefined;
let heard: { transition: Transition; context: PlanContext; events: readonly EventFacts[] }[];
beforeEach(() => {
  heard = [];
});
afterEach(() => bridge?.close());

/** A destination that hears of Warnings, and nothing else. */
const hearing: Planner = {
  destination: 'demo/warnings',
  hears: new Set(['event.warned']),
  reads: { kinds: new Set(['Event']), annotations: [] },
  plan(transition, context) {
    heard.push({ transition, context, events: context.events() });
    return { intents: [{ key: transition.id, lane: transition.about.uid, payload: transition.text, limits: [] }] };
  },
  planDesired: () => [],
  retire: () => null,
};

function open(...planners: Planner[]): TestEngine {
  bridge = new TestEngine({ planners });
  return bridge;
}

/** An Event of the API about the pod of `podFacts()`; `uid` may be that of something else. */
function event(changes: JsonObject = {}, uid = POD_UID, shape = EVENT): JsonObject {
  const about = { ...((shape['regarding'] ?? shape['involvedObject']) as object), uid, name: 'report-1-abcde' };
  const where = shape['regarding'] === undefined ? { involvedObject: about } : { regarding: about };
  return { ...shape, deprecatedLastTimestamp: new Date(T0).toISOString(), ...where, ...changes };
}

const version = (resourceVersion: string, uid = 'e1') => {
  return { metadata: { ...(EVENT['metadata'] as object), uid, resourceVersion } };
};

function stream(objects: readonly JsonObject[], type: 'ADDED' | 'DELETED' = 'ADDED', now = NOW) {
  const request = encodeLogs(objects.map((object) => ({ body: watchBody(type, object), observedAt: now })));
  const batch = readRequest(request, now, READING);
  expect(bridge!.commit([batch], now).poisoned).toBe(0);
  return batch;
}

const seen = () => bridge!.store.transaction((tx) => tx.events.about([POD_UID]));
const run = () => bridge!.take([at(CRON, T0), at(scheduled(), T0), at(podFacts(), T0)]);

describe('an Event of the stream', () => {
  it.each([
    ['events.k8s.io', EVENT],
    ['core', CORE_EVENT],
    ['events.k8s.io, as a series', SERIES_EVENT],
  ])('in the shape of %s is kept, and none of its object is', (_group, shape) => {
    open();
    stream([event(version('7'), POD_UID, shape)]);
    expect(seen()).toMatchObject([{ uid: 'e1', resourceVersion: '7', regarding: { kind: 'Pod', uid: POD_UID } }]);
    expect(bridge!.store.transaction((tx) => tx.objects.get('e1'))).toBeUndefined();
  });

  it('is not kept when it is normal and about what is not followed, or only its end', () => {
    open();
    const node = event({ type: 'Normal', regarding: { kind: 'Node', apiVersion: 'v1', name: 'n', uid: 'n' } });
    expect(stream([node]).records).toEqual([{ kind: 'Event', result: 'ignored' }]);
    expect(stream([event(version('7'))], 'DELETED').records).toEqual([{ kind: 'Event', result: 'ignored' }]);
    expect(seen()).toEqual([]);
  });

  it('is not another one when it comes again, though our clock was behind at first and was set right since', () => {
    open();
    const behind = T0 - 18 * 60_000;
    const later = behind + 2 * 3_600_000 + 60_000;
    stream([event(version('7'))], 'ADDED', behind);
    bridge!.store.retain(later, { age: 10 ** 9, maxBytes: 10 ** 9 });
    stream([event(version('7'))], 'ADDED', later);
    expect(bridge!.store.transaction((tx) => tx.events.event('e1')?.takenAt)).toBe(behind);
  });

  it('stays when the API server removes it', () => {
    open();
    stream([event(version('7'))]);
    stream([event(version('8'))], 'DELETED');
    expect(seen()).toHaveLength(1);
  });

  it('is known by a LIST after it, which brings what the stream lost', () => {
    open(hearing);
    stream([event(version('7'))]);
    const listed = [event(version('7')), event({ ...version('9', 'e2'), reason: 'Evicted' })];
    const quiet = bridge!.commit([readList(listed, NOW, READING)], NOW);
    expect(quiet).toMatchObject({ poisoned: 0, quiet: [{ kind: 'Event', known: 1, unchanged: 0 }] });
    expect(heard.map(({ transition }) => transition.reason)).toEqual(['BackOff', 'Evicted']);
  });

  it.each([
    ['is as large as can be', { note: 'x'.repeat(1_000_000), reason: 'r'.repeat(10_000) }],
    [
      'has 20,000 labels',
      {
        metadata: {
          ...version('7').metadata,
          labels: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`l${n}`, 'x'])),
        },
      },
    ],
    ['has nothing but what it is', { regarding: null, note: 7, series: [], deprecatedCount: 'many', type: {} }],
    [
      'was said in the year 9000 two thousand million times',
      { deprecatedLastTimestamp: '9000-01-01T00:00:00Z', deprecatedCount: 2_147_483_647 },
    ],
  ])('harms nothing when it %s', (_what, changes) => {
    open(hearing);
    run();
    stream([event({ ...version('7'), ...changes }), event(version('8', 'e2'))]);
    const kept = bridge!.store.transaction((tx) => tx.events.event('e1'));
    expect(JSON.stringify(kept ?? '').length).toBeLessThan(6_000);
    expect(kept?.at ?? 0).toBeLessThanOrEqual(NOW);
    expect(seen().map(({ uid }) => uid)).toContain('e2');
    expect(runText(bridge!.reader.run(JOB_UID)!)).toBeTypeOf('string');
  });

  it('holds no credential that its message has', () => {
    open();
    stream([event({ ...version('7'), note: 'pull of https://bob:SEED@registry failed: password=SEED' })]);
    expect(JSON.stringify(bridge!.store.transaction((tx) => tx.events.event('e1')))).not.toContain('SEED');
  });
});

describe('a Warning', () => {
  const said = (count: number) => event({ ...version(String(100 + count)), deprecatedCount: count });

  it('is reported to destinations of Warnings at its first, tenth, hundredth, … time, in the timeline of the run', () => {
    open(hearing);
    run();
    for (const count of [1, 2, 10, 11, 150]) stream([said(count)]);
    expect(heard.map(({ transition: { id, runUid, count } }) => [id, runUid, count])).toEqual([
      ['e1/warned/1', JOB_UID, 1],
      ['e1/warned/10', JOB_UID, 10],
      ['e1/warned/100', JOB_UID, 150],
    ]);
    expect(bridge!.transitions().filter(({ kind }) => kind === 'event.warned')).toHaveLength(3);
    expect(bridge!.reader.deliveries({ limit: 10 }).items).toHaveLength(3);
  });

  it('is reported once, though it was forgotten in between', () => {
    open(hearing);
    run();
    stream([said(1)]);
    bridge!.store.transaction((tx) => tx.events.update({ ...tx.events.event('e1')!, at: 0 }));
    bridge!.store.retain(NOW, { age: 10 ** 9, maxBytes: 10 ** 9 });
    stream([said(1)]);
    expect(heard).toHaveLength(1);
  });

  it('about what belongs to no run is reported too', () => {
    open(hearing);
    const regarding = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'node-1' };
    stream([event({ ...version('7'), regarding, reason: 'NodeNotReady' })]);
    expect(heard).toMatchObject([
      { transition: { about: { kind: 'Node', name: 'node-1' }, runUid: undefined }, context: { run: undefined } },
    ]);
    expect(heard[0]!.events).toMatchObject([{ reason: 'NodeNotReady' }]);
  });

  it('from before the cut-off is recorded and not reported', () => {
    open(hearing);
    const before = { ...version('7'), deprecatedLastTimestamp: new Date(T0 - 60_000).toISOString() };
    stream([event({ ...before, deprecatedFirstTimestamp: null })]);
    expect(bridge!.reader.deliveries({ limit: 10 }).items).toEqual([]);
    expect(bridge!.reader.drops({ limit: 10 }).items).toMatchObject([{ reason: 'before_cutoff' }]);
  });

  it('that nobody hears of is not a transition', () => {
    open();
    run();
    stream([event(version('7'))]);
    expect(bridge!.transitions().map(({ kind }) => kind)).not.toContain('event.warned');
  });
});

it('what was said about a run, its pods and its CronJob is there when a planner asks, in the order of the times', () => {
  open(hearing);
  run();
  const about = (uid: string, name: string, seconds: number) =>
    event(
      { ...version(name, name), type: 'Normal', deprecatedLastTimestamp: new Date(T0 + seconds * 1_000).toISOString() },
      uid,
    );
  stream([about(POD_UID, '12', 3), about(JOB_UID, '11', 2), about(CRON.uid, '10', 1), about('another', '13', 4)]);
  stream([event({ ...version('14', '14'), deprecatedLastTimestamp: new Date(T0 + 5_000).toISOString() })]);
  expect(heard[0]?.events.map(({ uid }) => uid)).toEqual(['10', '11', '12', '14']);
  const detail = bridge!.reader.run(JOB_UID)!;
  expect(detail.events.map(({ uid }) => uid)).toEqual(['11', '12', '14']);
  expect(runText(detail)).toMatch(
    /Kubernetes Events\n.*Normal +BackOff: Back-off restarting failed container \(12 times\)/,
  );
  expect(html`${runPage(detail, { now: NOW }).body}`.text).toContain('<h2>Kubernetes Events</h2>');
});
