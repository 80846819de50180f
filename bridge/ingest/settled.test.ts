import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation, PodFacts } from '../kubernetes/observation.ts';
import type { TransitionKind } from '../lifecycle/transition.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { Planner } from '../sinks/sink.ts';
import { complete, CRON, cron, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
/** When the records of a test are taken. */
const NOW = T0 + MINUTE;
let engine: TestEngine;
beforeEach(() => open());
afterEach(() => engine.close());

/** A sink with one line in the outbox per run that settled. */
function listener(wantsLogs = false, hears: TransitionKind = 'run.settled', name = 'settled'): Planner {
  return {
    destination: `test/${name}`,
    hears: new Set([hears]),
    reads: { kinds: new Set(), annotations: [] },
    plan: ({ id, outcome = '' }, { run }) => ({
      intents: [{ key: id, lane: run!.uid, payload: outcome, limits: [] }],
    }),
    wantsLogs: () => wantsLogs,
    planDesired: () => [],
    retire: () => null,
  };
}

function open(...planners: Planner[]): void {
  engine = new TestEngine({ planners: planners.length === 0 ? [listener()] : planners });
}

function reopen(...planners: Planner[]): void {
  engine.close();
  open(...planners);
}

let version = 1_000;
function pod(number: number, changes: Partial<PodFacts> = {}): Observation {
  const uid = `22222222-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const name = `report-1-${number}`;
  return seen(podFacts({ uid, name, resourceVersion: String(version++), startAt: T0, phase: 'Running', ...changes }));
}

function endedPod(number: number, exitCode = 0, second = 8): Observation {
  const end = terminated(exitCode, T0 + second * SECOND);
  return pod(number, {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containers: [container({ terminated: end })],
  });
}

const failed = (changes: Partial<JobFacts> = {}): Observation =>
  seen(scheduled({ resourceVersion: '120', conditions: [condition('Failed', T0 + 9_000)], ...changes }));

/** `id suffix outcome@seconds after T0` of each settled transition. */
const settled = (uid: string = JOB_UID): string[] =>
  engine
    .transitions(uid)
    .filter(({ kind }) => kind === 'run.settled')
    .map(({ id, outcome, at }) => `${id.slice(id.indexOf('/settled'))} ${outcome}@${(at - T0) / SECOND}`);

/** What was planned for the sink. */
const planned = (): unknown[] => engine.reader.deliveries({ limit: 100 }).items.map(({ payload }) => payload);

const looks = (): string[] =>
  engine.store.transaction((tx) => tx.timers.below('settled')).map(({ id }) => id.split('/').at(-1)!);

describe('a run that is over', () => {
  it('settles ten seconds after its end was seen, once, at the time of its last end', () => {
    engine.take([seen(CRON), seen(scheduled()), endedPod(1, 0, 12), seen(complete({ succeeded: 1 }))]);
    engine.tick(NOW + 9 * SECOND);
    expect(settled()).toEqual([]);
    engine.tick(NOW + 10 * SECOND);
    expect(settled()).toEqual(['/settled succeeded@12']);
    engine.take([seen(scheduled()), seen(complete({ succeeded: 1 })), endedPod(1, 0, 12)]);
    engine.tick(NOW + 20 * MINUTE);
    expect(settled()).toHaveLength(1);
    expect([planned(), looks()]).toEqual([['succeeded'], []]);
  });

  it('waits for the pods that its Job counts', () => {
    engine.take([seen(CRON), seen(scheduled()), endedPod(1, 1), failed({ failed: 2 })]);
    engine.tick(NOW + 10 * SECOND);
    expect(settled()).toEqual([]);
    engine.take([endedPod(2, 1, 15)], NOW + 20 * SECOND);
    engine.tick(NOW + 30 * SECOND);
    expect(settled()).toEqual(['/settled failed@15']);
  });

  it('waits for pods that go on', () => {
    engine.take([seen(CRON), seen(scheduled()), pod(1), seen(complete())]);
    engine.tick(NOW + 30 * SECOND);
    expect(settled()).toEqual([]);
    engine.take([endedPod(1)], NOW + 40 * SECOND);
    engine.live(NOW + 40 * SECOND, NOW + 2 * MINUTE);
    expect(settled()).toEqual(['/settled succeeded@9']);
  });

  it('gives up its pods two minutes after its end was seen, and says so', () => {
    engine.take([seen(CRON), seen(scheduled()), endedPod(1, 1), failed({ failed: 3 })]);
    engine.live(NOW, NOW + MINUTE + 45 * SECOND);
    expect(settled()).toEqual([]);
    engine.live(NOW + MINUTE + 45 * SECOND, NOW + 2 * MINUTE + 15 * SECOND);
    expect(engine.transitions().filter(({ kind }) => kind === 'run.settled')).toMatchObject([
      { outcome: 'failed', text: 'no more is waited for: not all pods are known' },
    ]);
    expect(looks()).toEqual([]);
  });

  it('is a pod without owner, too', () => {
    const bare = endedPod(1, 3);
    const observation = { ...bare, facts: { ...bare.facts, owner: undefined } };
    engine.take([observation]);
    engine.tick(NOW + 10 * SECOND);
    expect(settled(bare.facts.uid)).toEqual(['/settled failed@8']);
  });

  it('settles after a restart in between', () => {
    engine.take([seen(CRON), seen(complete())]);
    engine.restart();
    engine.tick(NOW + 10 * SECOND);
    engine.restart();
    engine.tick(NOW + MINUTE);
    expect(settled()).toEqual(['/settled succeeded@9']);
  });

  it('settles in time when the clock is set', () => {
    engine.take([seen(CRON), seen(complete())]);
    engine.store.clockSet(3_600_000);
    engine.tick(NOW + 3_600_000);
    expect(settled()).toEqual([]);
    engine.tick(NOW + 3_600_000 + 10 * SECOND);
    expect(settled()).toHaveLength(1);
  });

  it('is none when it never started', () => {
    engine.take([seen(CRON), seen(scheduled({ startAt: undefined }), true)]);
    engine.tick(NOW + 20 * MINUTE);
    expect(engine.run()?.status).toBe('never_started');
    expect([settled(), looks()]).toEqual([[], []]);
  });

  it('settles as cancelled when it was deleted, and as replaced by its successor', () => {
    engine.take([seen(CRON), { ...seen(scheduled({ resourceVersion: '130' }), true), observedAt: NOW }]);
    engine.tick(NOW + 10 * SECOND);
    expect(settled()).toEqual(['/settled cancelled@60']);
    reopen();
    const other = scheduled({ uid: uidOf(2), name: 'report-2', scheduledAt: NOW, createdAt: NOW, startAt: NOW });
    const replacing = seen({ ...CRON, concurrencyPolicy: 'Replace' });
    engine.take([replacing, { ...seen(scheduled({ resourceVersion: '130' }), true), observedAt: NOW }, seen(other)]);
    engine.tick(NOW + 10 * SECOND);
    expect(settled()).toEqual(['/settled replaced@60']);
  });
});

describe('a run whose CronJob is not seen', () => {
  it('is planned when that comes, after its end', () => {
    reopen(listener(), listener(false, 'run.ended', 'ended'));
    engine.take([seen(scheduled()), seen(complete())]);
    engine.tick(NOW + MINUTE);
    expect([settled(), planned()]).toEqual([['/settled succeeded@9'], []]);
    engine.take([seen(CRON)], NOW + 2 * MINUTE);
    const sent = engine.reader.deliveries({ limit: 10 }).items.toReversed();
    expect(sent.map(({ destination }) => destination)).toEqual(['test/ended', 'test/settled']);
  });
});

describe('a run that nobody knows the end of', () => {
  const FIVE = T0 + 5 * MINUTE;
  const uid = uuidv5(`${CRON.uid}/${FIVE}`);
  const job = { uid: uidOf(9), name: 'report-9', scheduledAt: FIVE, createdAt: FIVE, startAt: FIVE };

  /** Its CronJob says only that it was started, and the time for its ending goes by. */
  function lose(changes: object = {}): void {
    engine.take([seen(cron({ resourceVersion: '900' }))], T0);
    engine.live(T0, FIVE);
    engine.take([seen(cron({ lastScheduleAt: FIVE, ...changes }))], FIVE);
    engine.live(FIVE, FIVE + 20 * MINUTE);
  }

  it('settles as unknown, which is announced to nobody, and again when its real end is another one', () => {
    lose();
    expect(engine.run(uid)?.status).toBe('unknown');
    expect(settled(uid)).toEqual([expect.stringMatching(/^\/settled unknown@/)]);
    expect([planned(), engine.decisions(uid)]).toEqual([[], ['dropped outcome_unknown']]);
    const end = { conditions: [condition('Complete', FIVE + 9_000)], completionAt: FIVE + 9_000 };
    engine.take([seen(complete({ ...job, ...end }))], FIVE + 21 * MINUTE);
    engine.live(FIVE + 21 * MINUTE, FIVE + 22 * MINUTE);
    expect(settled(uid).toSorted()).toEqual([
      expect.stringMatching(/^\/settled unknown@/),
      '/settled/succeeded succeeded@309',
    ]);
    expect(planned()).toEqual(['succeeded']);
  });

  it('is planned as unknown for a destination that can report that', () => {
    reopen({ ...listener(), reportsUnknown: true });
    lose();
    expect([planned(), engine.decisions(uid)]).toEqual([['unknown'], ['planned']]);
  });

  it('settles once when its real end is the one that was inferred, and again as a correction when it is not', () => {
    lose({ lastSuccessfulAt: FIVE + 9_000 });
    expect(settled(uid)).toEqual(['/settled succeeded@309']);
    const end = { conditions: [condition('Complete', FIVE + 9_000)], completionAt: FIVE + 9_000 };
    engine.take([seen(complete({ ...job, ...end }))], FIVE + 21 * MINUTE);
    engine.live(FIVE + 21 * MINUTE, FIVE + 40 * MINUTE);
    expect(settled(uid)).toHaveLength(1);
    reopen();
    lose({ lastSuccessfulAt: FIVE + 9_000 });
    engine.take([seen(scheduled({ ...job, conditions: [condition('Failed', FIVE + 8_000)] }))], FIVE + 21 * MINUTE);
    engine.live(FIVE + 21 * MINUTE, FIVE + 40 * MINUTE);
    expect(new Set(planned())).toEqual(new Set(['failed', 'succeeded']));
    expect(engine.transitions(uid).find(({ id }) => id.endsWith('/settled/failed'))).toMatchObject({ corrects: true });
  });
});

describe('the logs of a run that is over', () => {
  beforeEach(() => {
    reopen(listener(true));
    engine.take([seen(CRON), seen(scheduled()), endedPod(1), seen(complete())]);
  });

  it('are waited for', () => {
    engine.tick(NOW + 30 * SECOND);
    expect(settled()).toEqual([]);
    const [log] = engine.store.wantedLogs(10, NOW + 40 * SECOND, []);
    const limits = { maxRunBytes: 1_000, maxStoredBytes: 1_000 };
    const result = { id: log!.id, outcome: 'kept', text: gzipSync('x'), bytes: 1 } as const;
    engine.store.settleLogs([result], limits, NOW + 40 * SECOND);
    engine.live(NOW + 40 * SECOND, NOW + 70 * SECOND);
    expect(engine.transitions().at(-1)).toMatchObject({ kind: 'run.settled', text: 'all of it is known' });
  });

  it('are given up a quarter of an hour after its end was seen', () => {
    engine.live(NOW, NOW + 14 * MINUTE);
    expect(settled()).toEqual([]);
    engine.live(NOW + 14 * MINUTE, NOW + 15 * MINUTE + 15 * SECOND);
    expect(settled()).toEqual(['/settled succeeded@9']);
    expect(engine.reader.run(JOB_UID)?.logs).toMatchObject([{ outcome: 'log_unavailable' }]);
  });
});

describe('when no destination hears of it', () => {
  it('nothing is written', () => {
    reopen(listener(false, 'run.ended'));
    engine.take([seen(CRON), seen(scheduled()), seen(complete())]);
    expect(looks()).toEqual([]);
    engine.tick(NOW + 20 * MINUTE);
    expect(settled()).toEqual([]);
  });

  it('a run that ended while the one that does was not configured settles when it is back', () => {
    engine.store.cutoff('test/settled', T0);
    engine.take([seen(CRON), seen(scheduled())]);
    engine.restart([listener(false, 'run.ended', 'other')], NOW + MINUTE);
    engine.take([seen(complete())], NOW + 2 * MINUTE);
    engine.restart([listener()], NOW + 3 * MINUTE);
    engine.tick(NOW + 4 * MINUTE);
    expect([settled(), planned()]).toEqual([['/settled succeeded@9'], expect.arrayContaining(['succeeded'])]);
  });
});
