import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DueEvent, Problem } from '../../problems.ts';
import { HOUR, MINUTE, SECOND, T0, TestStore } from '../../testing/test-store.ts';

let test: TestStore;
beforeEach(() => {
  test = new TestStore();
});
afterEach(() => test.remove());

const problem = (annotation: string, destinations = ['cronitor/default']): Problem => {
  return { annotation, value: 'x', allowed: 'true or false', used: 'false', destinations };
};
const subject = (uid: string) => ({ kind: 'CronJob' as const, uid, namespace: 'shop', name: `name-${uid}` });

function found(uid: string, ...problems: Problem[]): void {
  test.store.transaction((tx) => tx.problems.set(subject(uid), problems, test.now));
}
const due = (limit = 10): DueEvent[] => test.store.dueEvents(limit, test.now);
const written = (event: DueEvent): void => test.store.settleEvents([event], test.now);
const failed = (event: DueEvent, delayMs: number): void =>
  test.store.settleEvents([{ ...event, failed: { error: 'forbidden', delayMs } }], test.now);

describe('the Event of a CronJob with problems', () => {
  it('is due until it is written, over restarts, and a day later again', () => {
    found('a', problem('exclude'), problem('grace-seconds'));
    test.restart();
    const [event] = due();
    expect(event).toMatchObject({ ...subject('a'), attempt: 1 });
    expect(event!.problems.map(({ annotation }) => annotation)).toEqual(['exclude', 'grace-seconds']);
    written(event!);
    expect(due()).toEqual([]);
    test.restart(23 * HOUR);
    expect(due()).toEqual([]);
    test.now += HOUR;
    expect(due()).toEqual([{ ...event!, attempt: 1 }]);
  });

  it('that failed is tried again after its delay or a restart, and shows why', () => {
    found('a', problem('exclude'));
    failed(due()[0]!, MINUTE);
    expect(due()).toEqual([]);
    expect(test.reader.problems({ limit: 1 }).items[0]).toMatchObject({ eventAt: undefined, eventError: 'forbidden' });
    test.now += MINUTE;
    expect(due()).toMatchObject([{ attempt: 2 }]);
    failed(due()[0]!, HOUR);
    expect(due()).toEqual([]);
    test.restart();
    expect(due()).toMatchObject([{ attempt: 3 }]);
    written(due()[0]!);
    expect(test.reader.problems({ limit: 1 }).items[0]).toMatchObject({ eventAt: test.now, eventError: undefined });
  });

  it('is another one when the set of problems is another, whatever became of the first', () => {
    found('a', problem('exclude'));
    const first = due()[0]!;
    found('a', problem('exclude'), problem('grace-seconds'));
    written(first);
    const second = due()[0]!;
    expect(second.setHash).not.toBe(first.setHash);
    written(second);
    found('a', problem('grace-seconds'), problem('exclude', ['cronitor/default', 'cronitor/second']));
    expect(due(), 'the same set, said by one account more').toEqual([]);
    found('a', problem('exclude'));
    expect(due()[0]!.setHash).toBe(first.setHash);
    found('a');
    expect(due()).toEqual([]);
  });

  it('is never the same for two CronJobs', () => {
    found('a', problem('exclude'));
    found('b', problem('exclude'));
    const [a, b] = due();
    expect(a!.setHash).not.toBe(b!.setHash);
  });

  it('waits as long as before when the clock is set', () => {
    found('a', problem('exclude'));
    failed(due()[0]!, MINUTE);
    test.now += HOUR;
    test.store.clockSet(HOUR);
    expect(due()).toEqual([]);
    test.now += MINUTE;
    expect(due()).toHaveLength(1);
  });

  it('comes in the order of waiting, at most as many as asked for', () => {
    for (const uid of ['c', 'a', 'b']) {
      found(uid, problem('exclude'));
      test.now += SECOND;
    }
    expect(due(2).map(({ uid }) => uid)).toEqual(['c', 'a']);
  });
});

it('pages through CronJobs with problems by namespace and name', () => {
  for (const uid of ['c', 'a', 'b']) found(uid, problem('exclude'));
  const first = test.reader.problems({ limit: 2 });
  expect(first.items.map(({ uid }) => uid)).toEqual(['a', 'b']);
  expect(test.reader.problems({ limit: 2, cursor: first.next! }).items.map(({ uid }) => uid)).toEqual(['c']);
  expect(test.reader.problems({ limit: 2, namespace: 'shop', name: 'name-b' }).items).toHaveLength(1);
  expect(test.reader.problemCounts()).toEqual([{ destination: 'cronitor/default', annotation: 'exclude', count: 3 }]);
});

it('keeps those of live objects of any kind', () => {
  const object = { ...subject('d'), kind: 'Deployment' as const };
  test.store.transaction((tx) => {
    tx.objects.put({ ...object, ownerUid: undefined, version: '1', deleted: false, state: {} });
    tx.problems.set(object, [problem('exclude')], test.now);
    tx.problems.forgetDead();
  });
  expect(test.reader.problems({ limit: 1 }).items).toMatchObject([{ kind: 'Deployment', name: 'name-d' }]);
  expect(due()).toMatchObject([{ kind: 'Deployment' }]);
});

it('forgets objects that are not alive, whatever let them go', () => {
  found('a', problem('exclude'));
  test.store.transaction((tx) => tx.problems.forgetDead());
  expect(test.reader.problems({ limit: 1 }).items).toEqual([]);
});

it('a problem whose transaction fails was not found', () => {
  const failing = (): void =>
    test.store.transaction((tx) => {
      tx.problems.set(subject('a'), [problem('exclude')], T0);
      throw new Error('poison');
    });
  expect(failing).toThrow('poison');
  found('b', problem('exclude'));
  expect(test.store.take('problems')).toEqual([{ ...problem('exclude'), ...subject('b') }]);
});
