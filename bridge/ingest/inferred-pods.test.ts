import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, container, eventFacts, podFacts, T0, terminated } from '../../test/fixtures/facts.ts';
import type { JobFacts, PodFacts } from '../kubernetes/observation.ts';
import { uuidv5 } from '../lib/ids.ts';
import { at, complete, CRON, cron, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
const FIVE = T0 + 5 * MINUTE;
/** The queue of the Collector comes long after the run was concluded from the status of its CronJob. */
const LATE = FIVE + 30 * MINUTE;
const RUN = uuidv5(`${CRON.uid}/${FIVE}`);
const TIMES = { scheduledAt: FIVE, createdAt: FIVE, startAt: FIVE + 1_000 };
const STARTED: JobFacts = scheduled({ uid: uidOf(1), ...TIMES });
const FAILED: JobFacts = complete({
  uid: uidOf(1),
  ...TIMES,
  completionAt: undefined,
  conditions: [condition('Failed', FIVE + 30_000)],
});
const POD: PodFacts = podFacts({
  uid: uidOf(2),
  name: `${STARTED.name}-x`,
  resourceVersion: '115',
  owner: { group: 'batch', kind: 'Job', name: STARTED.name, uid: STARTED.uid },
  createdAt: FIVE,
  phase: 'Failed',
  containers: [container({ terminated: terminated(137, FIVE + 29_000) })],
});

let engine: TestEngine;
beforeEach(() => {
  engine = new TestEngine();
  engine.take([at(cron({ resourceVersion: '900' }), T0)], T0);
  engine.live(T0, FIVE + MINUTE / 2);
  engine.take([at(cron({ lastScheduleAt: FIVE }), FIVE + MINUTE / 2)], FIVE + MINUTE / 2);
  engine.live(FIVE + MINUTE / 2, FIVE + 22 * MINUTE);
});
afterEach(() => engine.close());

describe('the pods of a Job whose run was concluded from the status of its CronJob', () => {
  it.each([
    ['after it', [STARTED, POD, FAILED]],
    ['before it', [POD, STARTED, FAILED]],
    ['when all of it is over', [FAILED, POD]],
  ])('are attempts of that run, where they come %s', (_, records) => {
    for (const facts of records) engine.take([at(facts, facts.createdAt ?? FIVE)], LATE);
    const { run, attempts, transitions } = engine.reader.run(RUN)!;
    expect(run).toMatchObject({ status: 'failed' });
    expect(attempts).toMatchObject([{ podUid: POD.uid, exitCode: 137 }]);
    expect(transitions.map(({ kind }) => kind)).toContain('container.terminated');
    expect(transitions.every(({ runUid }) => runUid === RUN)).toBe(true);
    expect(engine.reader.run(STARTED.uid)).toBeUndefined();
  });
});

it('an Event about the Job of such a run is about that run', () => {
  engine.take([at(STARTED, FIVE)], LATE);
  const regarding = { ...eventFacts().regarding, kind: 'Job', name: STARTED.name, uid: STARTED.uid };
  const event = { facts: eventFacts({ reason: 'BackoffLimitExceeded', regarding }), deleted: false, observedAt: FIVE };
  engine.commit([{ observations: [], events: [event], quarantine: [], records: [] }], LATE);
  expect(engine.reader.run(RUN)?.events).toMatchObject([{ reason: 'BackoffLimitExceeded' }]);
});

it('a record from before the status does not show a run as going on that is known to be over', () => {
  expect(engine.run(RUN)?.status).toBe('unknown');
  engine.take([at(STARTED, FIVE)], LATE);
  expect(engine.run(RUN)?.status).toBe('unknown');
  engine.take([at(FAILED, FIVE)], LATE);
  expect(engine.run(RUN)?.status).toBe('failed');
});
