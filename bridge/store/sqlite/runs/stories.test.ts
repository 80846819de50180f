import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, jobFacts, ownedBy } from '../../../../test/fixtures/facts.ts';
import type { Attempt, ContainerEnd, Run, Transition } from '../../../lifecycle/transition.ts';
import { MAX_ATTEMPTS, MAX_TRANSITIONS } from '../../../sinks/story.ts';
import { DELIVERED, FAILED, HOUR, SECOND, T0, TestStore } from '../../testing/test-store.ts';

const DAY = 24 * HOUR;
const LIMITS = { age: 10 * DAY, maxBytes: 1 << 30 };
const CRON = cronJobFacts();
const JOB = jobFacts({ uid: 'job', owner: ownedBy(CRON) });
const NO_MEMORY = { memos: {}, waiting: [], waitingFor: undefined };
let test: TestStore;
beforeEach(() => (test = new TestStore()));
afterEach(() => test.remove());

const RUN: Run = {
  uid: 'job',
  kind: 'Job',
  namespace: 'shop',
  name: 'report-1',
  runKey: 'cron/1',
  ownerKind: 'CronJob',
  ownerName: 'report',
  ownerUid: CRON.uid,
  status: 'failed',
  createdAt: T0,
  scheduledAt: T0,
  startedAt: T0,
  endedAt: T0 + 9_000,
  reason: undefined,
  message: undefined,
  deleted: false,
};

function put(status: Run['status'] = 'failed'): void {
  test.store.transaction((tx) => {
    const object = { namespace: 'shop', version: '1', deleted: true, overAt: T0 };
    tx.objects.put({
      ...object,
      uid: CRON.uid,
      kind: 'CronJob',
      name: 'report',
      ownerUid: undefined,
      state: { facts: CRON },
    });
    tx.objects.put({ ...object, uid: 'job', kind: 'Job', name: 'report-1', ownerUid: CRON.uid, state: { facts: JOB } });
    tx.runs.put({ run: { ...RUN, status }, memory: NO_MEMORY });
  });
}

function attempt(number: number, changes: Partial<Attempt> = {}): void {
  const podUid = `pod-${String(number).padStart(5, '0')}`;
  const unknown = {
    nodeName: undefined,
    index: undefined,
    container: undefined,
    exitCode: undefined,
    reason: undefined,
  };
  const times = { startedAt: T0 + number, endedAt: T0 + number + SECOND };
  const all = { podUid, podName: `report-1-${number}`, phase: 'Succeeded', ...unknown, ...times, ...changes };
  test.store.transaction((tx) => tx.runs.putAttempt('job', all));
}

/** Of the run, or of the end of a container. */
function transition(id: string, at: number, container?: ContainerEnd, podUid = 'pod-00001'): void {
  const job = { kind: 'Job', namespace: 'shop', name: 'report-1', uid: 'job' } as const;
  const pod = { kind: 'Pod', namespace: 'shop', name: 'report-1-1', uid: podUid } as const;
  const full: Transition =
    container === undefined
      ? { id, kind: 'run.suspended', at, about: job, runUid: 'job', text: '' }
      : { id, kind: 'container.terminated', at, about: pod, runUid: 'job', text: '', container };
  test.store.transaction((tx) => tx.timeline.add(full, at));
}

const end = (changes: Partial<ContainerEnd> = {}): ContainerEnd => {
  return { name: 'main', type: 'app', instance: 0, image: 'busybox', exitCode: 1, startedAt: T0, ...changes };
};

const plan = (): void => test.enqueue({ key: 'trace', story: 'job' });
const story = () => test.claim()[0]?.story;

describe('the story of a run', () => {
  it('has the run, its object, its owners, pods, ends of containers, transitions and logs', () => {
    put();
    attempt(1);
    transition('cron/1/started', T0);
    transition('p/setup', T0 + 1_000, end({ name: 'setup', type: 'init', exitCode: 0 }));
    transition('p/main/0', T0 + 3_000, end());
    transition('p/main/1', T0 + 9_000, end({ instance: 1, startedAt: T0 + 5_000 }));
    const log = { runUid: 'job', namespace: 'shop', podUid: 'pod-00001', podName: 'report-1-1', container: 'main' };
    test.store.transaction((tx) =>
      tx.logs.want({ ...log, instance: 1, exitCode: 1, endedAt: T0 + 9_000, restarts: false }, T0),
    );
    const [wanted] = test.store.wantedLogs(1, T0, []);
    const result = { id: wanted!.id, outcome: 'kept', text: gzipSync('out of memory'), bytes: 13 } as const;
    test.store.settleLogs([result], { maxRunBytes: 100, maxStoredBytes: 1_000 }, T0);
    plan();
    expect(story()).toEqual({
      run: JSON.parse(JSON.stringify(RUN)) as Run,
      object: expect.objectContaining({ kind: 'Job', uid: 'job' }),
      owners: [expect.objectContaining({ kind: 'CronJob', uid: CRON.uid })],
      attempts: [expect.objectContaining({ podUid: 'pod-00001', startedAt: T0 + 1, endedAt: T0 + 1_001 })],
      containers: [
        {
          ...end({ name: 'setup', type: 'init', exitCode: 0 }),
          podUid: 'pod-00001',
          podName: 'report-1-1',
          endedAt: T0 + 1_000,
        },
        { ...end(), podUid: 'pod-00001', podName: 'report-1-1', endedAt: T0 + 3_000 },
        {
          ...end({ instance: 1, startedAt: T0 + 5_000 }),
          podUid: 'pod-00001',
          podName: 'report-1-1',
          endedAt: T0 + 9_000,
        },
      ],
      transitions: ['cron/1/started', 'p/setup', 'p/main/0', 'p/main/1'].map((id) => expect.objectContaining({ id })),
      logs: [expect.objectContaining({ container: 'main', instance: 1, text: expect.anything() })],
      events: [],
    });
  });

  it('is read when it is sent, at each try again, and not when it is planned', () => {
    put('running');
    plan();
    put('failed');
    attempt(1);
    const claimed = test.claim();
    expect(claimed[0]?.story).toMatchObject({ run: { status: 'failed' }, attempts: [{ podUid: 'pod-00001' }] });
    test.settle(claimed, FAILED);
    attempt(2);
    test.restart(10 * SECOND);
    expect(story()?.attempts).toHaveLength(2);
  });

  it('costs its intent one line, however long the story is', () => {
    put();
    for (let number = 0; number < 50; number++) attempt(number);
    plan();
    expect(test.query('SELECT payload, story FROM intents')).toEqual([{ payload: 'null', story: 'job' }]);
  });
});

describe('the story of a run with very many pods', () => {
  it('has those that failed and then the first, and says how many are left out', () => {
    put();
    for (let number = 0; number < MAX_ATTEMPTS + 50; number++) {
      attempt(number, number === MAX_ATTEMPTS + 20 ? { failed: 'itself', phase: 'Failed' } : {});
      transition(`${number}/main/0`, T0 + number, end(), `pod-${String(number).padStart(5, '0')}`);
    }
    transition('cron/1/ended', T0 + HOUR);
    plan();
    const { attempts, containers, transitions, leftOut } = story()!;
    expect(attempts).toHaveLength(MAX_ATTEMPTS);
    expect(attempts.at(-1)).toMatchObject({ podName: `report-1-${MAX_ATTEMPTS + 20}`, failed: 'itself' });
    expect(attempts.at(-2)).toMatchObject({ podName: `report-1-${MAX_ATTEMPTS - 2}` });
    expect(containers.map(({ podUid }) => podUid)).toEqual(attempts.map(({ podUid }) => podUid));
    expect(transitions.at(-1)).toMatchObject({ id: 'cron/1/ended' });
    expect(leftOut).toEqual({ attempts: 50, transitions: 50 });
  });

  it('has the first and the last of very many transitions', () => {
    put();
    attempt(1);
    for (let number = 0; number < MAX_TRANSITIONS + 10; number++) {
      transition(`p/main/${number}`, T0 + number, end({ instance: number }));
    }
    plan();
    const { containers, leftOut } = story()!;
    expect(containers).toHaveLength(MAX_TRANSITIONS);
    expect(containers[MAX_TRANSITIONS / 2 - 1]).toMatchObject({ instance: MAX_TRANSITIONS / 2 - 1 });
    expect(containers[MAX_TRANSITIONS / 2]).toMatchObject({ instance: MAX_TRANSITIONS / 2 + 10 });
    expect(leftOut).toEqual({ attempts: 0, transitions: 10 });
  });
});

describe('what is removed', () => {
  /** A whole pass of the retention. */
  const retain = (limits = LIMITS): void => {
    for (let n = 0; n < 20; n++) test.store.retain(test.now, limits);
  };

  it('leaves a run whose story waits to be sent, and takes it once that is settled', () => {
    put();
    plan();
    test.now = T0 + 11 * DAY;
    retain();
    const claimed = test.claim();
    expect(claimed[0]?.story?.run.uid).toBe('job');
    test.settle(claimed, DELIVERED);
    test.now += 2 * HOUR;
    retain();
    expect(test.query('SELECT uid FROM runs')).toEqual([]);
  });

  it.each([
    ['waits to be sent', plan, () => undefined],
    [
      'is planned when its run settles',
      () => test.store.transaction((tx) => tx.timers.set({ id: 'settled/job/0', kind: 'settled', uid: 'job', due: 0 })),
      plan,
    ],
  ])('leaves the ends of containers for a story that %s', (_, before, after) => {
    put();
    transition('p/main/0', T0, end());
    before();
    test.now = T0 + 11 * DAY;
    retain();
    after();
    expect(story()?.containers).toHaveLength(1);
  });

  it('leaves no empty story: an intent about a run that the store does not hold is given up for the next', () => {
    test.enqueue({ key: 'first', lane: 'lane', story: 'job' }, { key: 'second', lane: 'lane' });
    expect(test.claimedKeys()).toEqual(['second']);
    expect(test.delivery('first')).toMatchObject({ status: 'dropped', reason: 'run_removed', detail: 'run job' });
  });
});
