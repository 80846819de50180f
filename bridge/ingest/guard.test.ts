import { desiredContext } from '../../test/fixtures/desired-context.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { container, cronJobFacts, podFacts, T0, terminated } from '../../test/fixtures/facts.ts';
import type { Json } from '../lib/json.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { Planner } from '../sinks/sink.ts';
import type { PlannerFailure } from '../turn/guarded-planner.ts';
import { guarded } from '../turn/guarded-planner.ts';
import { at, complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';
import { StoreTrouble } from '../store/trouble.ts';

let bridge: TestEngine;
afterEach(() => bridge.close());

const good = createCronitorPlanner('good', planConfig());
const sound = createCronitorPlanner('bad', planConfig());
const SECRET = 'password=hunter2';
const fail = (): never => {
  throw new Error(`cannot plan this: ${SECRET} ${'x'.repeat(9_000)}`);
};
const bad = (changes: Partial<Planner>): Planner => ({ ...sound, destination: 'bad/one', ...changes });
const open = (changes: Partial<Planner>, options = {}): void => {
  bridge = new TestEngine({ planners: [bad(changes), good], ...options });
};
const failures = (): string[] => bridge.takePlannerFailures().map(({ destination, call }) => `${destination} ${call}`);
const run = [at(CRON, T0), at(scheduled(), T0), at(complete(), T0 + 9_000)];
const decisionsOf = (destination: string): string[] =>
  (bridge.reader.run(JOB_UID)?.decisions ?? [])
    .filter((decision) => decision.destination === destination)
    .map(({ verdict, reason }) => `${verdict} ${reason}`);

describe('a planner that fails', () => {
  it('on a transition costs a recorded decision, and nothing of the other destinations', () => {
    open({ plan: fail });
    expect(bridge.take(run).poisoned).toBe(0);
    expect(bridge.pings().map(({ destination, state }) => `${destination} ${state}`)).toEqual([
      'cronitor/good run',
      'cronitor/good complete',
    ]);
    expect(bridge.run()?.status).toBe('succeeded');
    expect(decisionsOf('bad/one')).toEqual(['dropped planner_error', 'dropped planner_error']);
    const [drop] = bridge.reader.drops({ limit: 10 }).items;
    expect(drop).toMatchObject({ kind: 'decision', destination: 'bad/one', reason: 'planner_error' });
    expect(drop?.detail).toMatch(/^cannot plan this: password=\[redacted\] x+$/);
    expect(drop?.detail?.length).toBeLessThanOrEqual(300);
    expect(failures()).toEqual(['bad/one plan']);
    expect(failures()).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an intent without key', { intents: [{ lane: 'l', payload: {}, limits: [] }] }],
    ['an intent without limits', { intents: [{ key: 'k', lane: 'l', payload: {} }] }],
    ['what is not JSON', { intents: [{ key: 'k', lane: 'l', payload: 1n, limits: [] }] }],
    ['no payload', { intents: [{ key: 'k', lane: 'l', limits: [] }] }],
    ['a memo that is not JSON', { intents: [], memo: 1n }],
    ['a drop for no reason', { drop: {} }],
    ['a drop for a reason that there is not', { drop: 'too_late' }],
    ['a drop whose detail is not text', { drop: 'not_selected', detail: {} }],
  ])('by giving %s costs its own decision only', (_name, planned) => {
    open({ plan: () => planned as never });
    expect(bridge.take(run).poisoned).toBe(0);
    expect(bridge.pings()).toHaveLength(2);
    expect(decisionsOf('bad/one')).toEqual(['dropped planner_error', 'dropped planner_error']);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no list', {}],
    ['a row without key', [{ wanted: {} }]],
    ['a row without what is wanted', [{ key: 'k' }]],
    ['a row that is not JSON', [{ key: 'k', wanted: 1n }]],
    ['a hole', Array.from({ length: 1 })],
  ])('by giving %s as desired state stops neither the others nor the start', (_name, rows) => {
    open({ planDesired: () => rows as never, planOwn: () => (rows === undefined ? fail() : rows) as never });
    expect(bridge.take(run).poisoned).toBe(0);
    expect(failures()).toContain('bad/one planDesired');
    expect(() => bridge.restart()).not.toThrow();
    expect(failures()).toEqual(expect.arrayContaining(['bad/one planOwn', 'bad/one planDesired']));
    expect(bridge.reader.desired({ limit: 10 }).items.map(({ destination }) => destination)).toEqual(['cronitor/good']);
  });

  it.each<[string, unknown]>([
    ['no list', {}],
    ['a problem without texts', [{}]],
    ['nothing of one', [null]],
  ])('by giving %s as problems is reported as one itself', (_name, problems) => {
    open({ problems: () => problems as never });
    expect(bridge.take(run).poisoned).toBe(0);
    expect(failures()).toEqual(['bad/one problems']);
    expect(bridge.pings().filter(({ destination }) => destination === 'cronitor/good')).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['an error without a message', Object.assign(new Error('x'), { message: undefined })],
    ['an error whose message cannot be read', Object.defineProperty(new Error('x'), 'message', { get: fail })],
    ['nothing', undefined],
  ])('by throwing %s costs its own decision only', (_name, thrown) => {
    open({
      plan: () => {
        throw thrown;
      },
    });
    expect(bridge.take(run).poisoned).toBe(0);
    expect(decisionsOf('bad/one')).toEqual(['dropped planner_error', 'dropped planner_error']);
    expect(bridge.pings()).toHaveLength(2);
  });

  it('on the desired state of a CronJob leaves the row as it is, and is shown with the CronJob until it works', () => {
    let broken = false;
    open({ planDesired: (...args) => (broken ? fail() : sound.planDesired(...args)) });
    bridge.take([at(CRON, T0)]);
    const wanted = (): readonly Json[] =>
      bridge.reader
        .desired({ limit: 10 })
        .items.filter(({ destination }) => destination === 'bad/one')
        .map((row) => row.wanted);
    const before = wanted();
    expect(before).toHaveLength(1);
    broken = true;
    const changed = cronJobFacts({ schedule: '1 2 3 4 5', resourceVersion: '200' });
    expect(bridge.take([at(changed, T0)]).poisoned).toBe(0);
    expect(wanted()).toEqual(before);
    const [monitor] = bridge.reader.desired({ limit: 10 }).items.filter(({ destination }) => destination !== 'bad/one');
    expect(monitor?.wanted).toMatchObject({ schedule: '1 2 3 4 5' });
    const problems = () => bridge.reader.cronJob(CRON.namespace, CRON.name)?.problems;
    expect(problems()).toMatchObject([{ annotation: 'planner_error', destinations: ['bad/one'] }]);
    expect(JSON.stringify(problems())).not.toContain('hunter2');
    expect(failures()).toEqual(['bad/one planDesired']);
    // The next start plans all again: with another release of the bridge it may work.
    bridge.restart();
    expect(problems()).toHaveLength(1);
    expect(wanted()).toEqual(before);
    broken = false;
    bridge.restart();
    expect(problems()).toEqual([]);
    expect(wanted()).toMatchObject([{ schedule: '1 2 3 4 5' }]);
  });

  it('on the desired state of a deleted CronJob retires what it claimed', () => {
    let broken = false;
    open({ planDesired: (...args) => (broken ? fail() : sound.planDesired(...args)) });
    bridge.take([at(CRON, T0)]);
    broken = true;
    bridge.take([at(cronJobFacts({ resourceVersion: '200' }), T0, true)]);
    const { items } = bridge.reader.desired({ limit: 10 });
    expect(items.map((row) => (row.wanted as { paused?: boolean }).paused)).toEqual([true, true]);
  });

  it.each<[PlannerFailure['call'], Partial<Planner>]>([
    ['wantsLogs', { wantsLogs: fail }],
    ['planDesired', { planDesired: fail }],
    ['planOwn', { planOwn: fail }],
    ['problems', { problems: fail }],
    ['retire', { retire: fail }],
    ['adopt', { adopt: fail }],
    ['plan', { plan: fail }],
  ])('in %s stops neither a start, nor a record, nor a retirement, nor the audit', (call, changes) => {
    const cron = cronJobFacts({ uid: uidOf(9), name: 'other', createdAt: T0 - 1 });
    open(changes);
    const pod = podFacts({ phase: 'Failed', containers: [container({ terminated: terminated(4, T0 + 8_000) })] });
    expect(bridge.take([at(cron, T0), ...run, at(pod, T0)]).poisoned).toBe(0);
    const heard = failures();
    bridge.restart();
    bridge.take([at(cronJobFacts({ schedule: '@hourly', resourceVersion: '200' }), T0)]);
    bridge.retire(true);
    bridge.retire(false);
    expect(bridge.take([at(cronJobFacts({ resourceVersion: '300' }), T0, true)]).poisoned).toBe(0);
    bridge.tick(T0 + 120_000);
    expect(bridge.pings().filter(({ destination }) => destination === 'cronitor/good')).toHaveLength(2);
    expect([...heard, ...failures()]).toContain(`bad/one ${call}`);
  });

  it('throws trouble of the store on: that is not the fault of the planner', () => {
    open({});
    const full = new StoreTrouble('disk full');
    const heard: PlannerFailure[] = [];
    const planner = guarded(
      bad({
        planDesired: () => {
          throw full;
        },
      }),
      (failure) => heard.push(failure),
    );
    expect(() => planner.planDesired(CRON, desiredContext())).toThrow(full);
    expect(heard).toEqual([]);
  });
});

describe('records that the core cannot process', () => {
  it('do not stop a start: what follows from a CronJob that cannot be planned is quarantined', () => {
    bridge = new TestEngine({ planners: [sound] });
    const other = cronJobFacts({ uid: uidOf(9), name: 'other' });
    bridge.take([at(CRON, T0), at(other, T0)]);
    bridge.store.transaction((tx) => tx.objects.put({ ...tx.objects.get(CRON.uid)!, state: { facts: {} } }));
    bridge.restart([createCronitorPlanner('new', planConfig())]);
    const { items } = bridge.reader.desired({ limit: 10 });
    expect(items.filter(({ destination }) => destination === 'cronitor/new')).toHaveLength(1);
    expect(bridge.reader.drops({ limit: 10 }).items).toMatchObject([{ subject: CRON.uid, reason: 'core_error' }]);
  });

  it('cost two passes, however many they are, and nothing of the others', () => {
    let calls = 0;
    const counting: Planner = { ...sound, plan: (...args) => (calls++, sound.plan(...args)) };
    bridge = new TestEngine({ planners: [counting] });
    bridge.take([at(CRON, T0)]);
    const jobs = Array.from({ length: 403 }, (_, n) => scheduled({ uid: uidOf(n), scheduledAt: T0 + n * 60_000 }));
    const broken = Array.from({ length: 100 }, (_, n) =>
      scheduled({ uid: uidOf(1_000 + n), scheduledAt: T0 + (500 + n) * 60_000, conditions: null as never }),
    );
    const all = [...jobs, ...broken].map((facts) => at(facts, T0));
    expect(bridge.take(all).poisoned).toBe(100);
    expect(calls).toBe(2 * 403);
    expect(bridge.pings()).toHaveLength(403);
    expect(bridge.reader.dropCounts()).toEqual([{ kind: 'quarantine', reason: 'core_error', count: 100 }]);
    expect(bridge.reader.run(uidOf(1_000))).toBeUndefined();
  });

  it('leave no version, no count and no transition behind', () => {
    bridge = new TestEngine({ planners: [sound] });
    bridge.take([at(CRON, T0), at(scheduled(), T0)]);
    bridge.store.take('transitions');
    // Its start is recorded before the planner's context reads what is broken.
    const broken = complete({ resourceVersion: '130', conditions: [null as never] });
    const quiet = cronJobFacts({ resourceVersion: '150' });
    const result = bridge.take([at(quiet, T0), at(broken, T0)]);
    expect(result).toMatchObject({ poisoned: 1 });
    expect(bridge.store.take('transitions')).toEqual([]);
    expect(bridge.take([at(complete({ resourceVersion: '140' }), T0)]).poisoned).toBe(0);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
  });
});
