import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, podFacts, T0, terminated } from '../../test/fixtures/facts.ts';
import type { ContainerFacts, Facts, Observation, PodFacts } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { LogResult, WantedLog } from '../store/logs.ts';
import { annotated, complete, CRON, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const LIMITS = { maxRunBytes: 1_000, maxStoredBytes: 100_000 };
const END = T0 + 8_000;
let engine: TestEngine;
beforeEach(() => {
  engine = new TestEngine();
});
afterEach(() => engine.close());

const at = (facts: Facts, deleted = false): Observation => ({ facts, deleted, observedAt: END });
let version = 1_000;
const pod = (containers: ContainerFacts[], changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({ resourceVersion: String(version++), phase: 'Succeeded', startAt: T0, containers, ...changes });
const done = (name: string, exitCode = 0, changes: Partial<ContainerFacts> = {}): ContainerFacts =>
  container({ name, terminated: terminated(exitCode, END), ...changes });

const wanted = (now = T0 + 60_000): WantedLog[] => engine.store.wantedLogs(100, now, []);
const names = (): string[] => wanted().map(({ container, instance }) => `${container}/${instance}`);

function settle(result: (log: WantedLog) => object, now = T0 + 60_000): void {
  const results = wanted(now).map((log) => ({ ...result(log), id: log.id }) as LogResult);
  engine.store.settleLogs(results, LIMITS, now);
}
const keep = (bytes: number) => (): object => ({
  outcome: 'kept',
  text: gzipSync('x'.repeat(bytes)),
  bytes,
});

/** Keys and number of tails of what is to be sent for logs. */
const sent = () =>
  engine.store
    .claim('cronitor/default', 100, T0 + 3_600_000, [], true)
    .filter(({ lane }) => lane.startsWith('logs/'))
    .map(({ key, story }) => [key.slice(key.indexOf('/logs')), story?.logs.filter(({ text }) => text).length]);

function run(containers: ContainerFacts[]): void {
  engine.take([at(CRON), at(scheduled()), at(pod(containers)), at(complete())]);
}

describe('the logs that are wanted', () => {
  it('are those of app containers, and of others that failed', () => {
    run([
      done('setup', 0, { type: 'init' }),
      done('migrate', 1, { type: 'init' }),
      done('main'),
      done('second', 3),
      done('proxy', 143, { type: 'sidecar' }),
      done('killed', 137, { type: 'sidecar' }),
      done('broken', 2, { type: 'sidecar' }),
      done('debug', 1, { type: 'ephemeral' }),
    ]);
    expect(names()).toEqual(['migrate/0', 'main/0', 'second/0', 'broken/0']);
  });

  it('are wanted once, at each end of a container that is started again', () => {
    const crashed = container({ name: 'main', restartCount: 1, lastTerminated: terminated(1, END) });
    const changes = { phase: 'Running', restartPolicy: 'OnFailure' };
    engine.take([at(CRON), at(scheduled()), at(pod([crashed], changes)), at(pod([crashed], changes))]);
    expect(wanted()).toMatchObject([{ container: 'main', instance: 0, exitCode: 1, restarts: true }]);
  });

  it('are of all pods of a run that failed', () => {
    const pods = [1, 2, 3].map((number) => at(pod([done('main', 1)], { uid: `pod-${number}`, name: `p-${number}` })));
    engine.take([at(CRON), at(scheduled()), ...pods]);
    expect(wanted().map(({ podName }) => podName)).toEqual(['p-1', 'p-2', 'p-3']);
  });

  it('are none of a Job that no destination takes, nor before its cut-off', () => {
    engine.take([at(annotated({ exclude: 'true' })), at(scheduled()), at(pod([done('main')]))]);
    expect(names()).toEqual([]);
    engine.close();
    engine = new TestEngine({ cutoff: T0 + 3_600_000 });
    engine.take([at(CRON), at(complete()), at(pod([done('main')]))]);
    expect(names()).toEqual([]);
  });

  it('are none without a destination that takes logs', () => {
    engine.close();
    engine = new TestEngine({ planners: [createCronitorPlanner('default', planConfig({ shipLogs: false }))] });
    run([done('main')]);
    engine.tick(T0 + 120_000);
    expect([names(), sent()]).toEqual([[], []]);
  });

  it('are wanted when the CronJob is seen only after the end', () => {
    engine.take([at(scheduled()), at(pod([done('main')])), at(complete())]);
    expect(names()).toEqual([]);
    engine.take([at(CRON)]);
    expect(names()).toEqual(['main/0']);
  });

  it('are wanted over a restart', () => {
    run([done('main')]);
    engine.restart();
    expect(names()).toEqual(['main/0']);
  });
});

describe('the logs of a run that is over', () => {
  it('are sent once, when all of them are read', () => {
    run([done('main'), done('second')]);
    engine.tick(T0 + 75_000);
    expect(sent()).toEqual([]);
    settle(keep(10));
    engine.tick(T0 + 80_000);
    engine.tick(T0 + 95_000);
    expect(sent()).toEqual([['/logs/upload', 2]]);
    expect(engine.transitions().filter(({ kind }) => kind === 'run.logs')).toMatchObject([
      { text: 'tails of 2 logs kept (20 bytes)', at: T0 + 9_000 },
    ]);
  });

  it('never make its end wait', () => {
    run([done('main')]);
    expect(engine.reported()).toEqual(['run@1', 'complete@9']);
  });

  it('also when its last container ends after it', () => {
    engine.take([at(CRON), at(scheduled()), at(complete())]);
    engine.tick(T0 + 75_000);
    engine.take([at(pod([done('main')]))], T0 + 80_000);
    settle(keep(10), T0 + 81_000);
    engine.tick(T0 + 91_000);
    expect(sent()).toEqual([['/logs/upload', 1]]);
  });

  it('are not sent for a reason when there is none to read', () => {
    run([done('main')]);
    settle(() => ({ outcome: 'log_unavailable', detail: 'pods "report-1-abcde" not found' }));
    engine.tick(T0 + 75_000);
    expect(sent()).toEqual([]);
    expect(engine.reader.run(JOB_UID)?.decisions.at(-1)).toMatchObject({
      verdict: 'dropped',
      reason: 'log_unavailable',
      detail: 'pods "report-1-abcde" not found',
    });
  });

  it('are waited for until the time is up', () => {
    run([done('main'), done('second')]);
    const [first] = wanted();
    engine.store.settleLogs([{ id: first!.id, outcome: 'kept', text: gzipSync('x'), bytes: 1 }], LIMITS, T0 + 60_000);
    engine.tick(T0 + 10 * 60_000);
    expect(sent()).toEqual([]);
    engine.tick(T0 + 17 * 60_000);
    expect(sent()).toEqual([['/logs/upload', 1]]);
    expect(engine.reader.run(JOB_UID)?.logs.map(({ outcome }) => outcome)).toEqual(['kept', 'log_unavailable']);
  });
});

describe('the bounds of logs', () => {
  it('of a run take the containers that succeeded first, then the oldest', () => {
    const ends = [1, 0, 0, 1].map((exitCode, index) =>
      container({ name: `c${index}`, terminated: terminated(exitCode, END + index * 1_000) }),
    );
    run(ends);
    settle(keep(400));
    expect(engine.reader.run(JOB_UID)?.logs.map(({ outcome }) => outcome)).toEqual([
      'kept',
      'log_limit',
      'log_limit',
      'kept',
    ]);
  });

  it('of the store take the oldest; what is too old goes too', () => {
    run([done('a'), done('b')]);
    const [a, b] = wanted();
    const read = (id: number, now: number, maxStoredBytes: number): void =>
      engine.store.settleLogs(
        [{ id, outcome: 'kept', text: gzipSync('text'), bytes: 4 }],
        { ...LIMITS, maxStoredBytes },
        now,
      );
    read(a!.id, T0 + 60_000, 100);
    read(b!.id, T0 + 70_000, 30);
    const outcomes = () => engine.reader.run(JOB_UID)?.logs.map(({ outcome, text }) => [outcome, text]);
    expect(outcomes()).toEqual([
      ['log_expired', undefined],
      ['kept', 'text'],
    ]);
    engine.store.retain(T0 + 70_000 + 3_600_001, { age: 1e12, maxBytes: 1e12, logAge: 3_600_000 });
    expect(outcomes()?.[1]).toEqual(['log_expired', undefined]);
  });

  it('are tried again later when the API did not answer', () => {
    run([done('main')]);
    settle(() => ({ outcome: 'retry', delayMs: 5_000, detail: 'ECONNREFUSED' }));
    expect(wanted(T0 + 64_000)).toEqual([]);
    expect(wanted(T0 + 65_000)).toMatchObject([{ attempts: 1 }]);
  });
});
