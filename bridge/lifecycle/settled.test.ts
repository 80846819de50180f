import { describe, expect, it } from 'vitest';
import { T0 } from '../../test/fixtures/facts.ts';
import { arePodsKnown, outcomeOf, settledTransition } from './settled.ts';
import type { Attempt, Outcome, Run, RunStatus } from './transition.ts';

const KNOWN = { pods: false, logs: false };

function run(status: RunStatus, changes: Partial<Run> = {}): Run {
  const owner = { ownerKind: undefined, ownerName: undefined, ownerUid: undefined };
  const times = { createdAt: T0, scheduledAt: undefined, startedAt: T0, endedAt: T0 + 9_000 };
  const job = {
    uid: 'job',
    kind: 'Job',
    namespace: 'shop',
    name: 'report-1',
    runKey: 'cron/1',
    deleted: false,
  } as const;
  return { ...job, ...owner, ...times, status, reason: undefined, message: undefined, ...changes };
}

function attempt(changes: Partial<Attempt> = {}): Attempt {
  const unknown = {
    nodeName: undefined,
    index: undefined,
    container: undefined,
    exitCode: undefined,
    reason: undefined,
  };
  const times = { startedAt: T0, endedAt: T0 + 8_000 };
  return { podUid: 'pod', podName: 'report-1-x', phase: 'Succeeded', ...unknown, ...times, ...changes };
}

describe('a run that settles', () => {
  it.each(['succeeded', 'failed', 'cancelled', 'replaced', 'superseded', 'rolled_back', 'unknown'] as const)(
    'is one that is over: %s',
    (status) => {
      expect(settledTransition(run(status), [], KNOWN, undefined)).toMatchObject({
        id: 'cron/1/settled',
        kind: 'run.settled',
        at: T0 + 9_000,
        about: { kind: 'Job', name: 'report-1', uid: 'job' },
        runUid: 'job',
        outcome: status,
        text: 'all of it is known',
      });
    },
  );

  it.each(['pending', 'running', 'stuck', 'suspended', 'missed', 'skipped', 'never_started'] as const)(
    'is none that is %s',
    (status) => {
      expect(settledTransition(run(status), [], KNOWN, undefined)).toBeUndefined();
    },
  );

  it('is none whose ending turned out to be wrong, and that goes on', () => {
    expect(outcomeOf(run('running', { endedAt: undefined }))).toBeUndefined();
  });

  it('settles at the end of its last pod, or at its own if that is later; of a pod that is gone the end is not known', () => {
    const at = (...attempts: Attempt[]) => settledTransition(run('succeeded'), attempts, KNOWN, undefined)?.at;
    expect(at(attempt())).toBe(T0 + 9_000);
    expect(at(attempt({ endedAt: T0 + 12_000 }), attempt())).toBe(T0 + 12_000);
    expect(at(attempt({ endedAt: undefined, goneAt: T0 + 99_000 }))).toBe(T0 + 9_000);
  });

  it('has reason and message of its end, and says what was not waited for any longer', () => {
    const failed = run('failed', { reason: 'BackoffLimitExceeded', message: 'too many' });
    expect(settledTransition(failed, [], { pods: true, logs: true }, undefined)).toMatchObject({
      reason: 'BackoffLimitExceeded',
      message: 'too many',
      text: 'no more is waited for: not all pods and logs are known',
    });
  });

  it('settles again under another id only when its outcome is another one', () => {
    const again = (settledAs: Outcome) => settledTransition(run('failed'), [], KNOWN, settledAs);
    expect(again('failed')).toBeUndefined();
    expect(again('unknown')).toMatchObject({ id: 'cron/1/settled/failed', corrects: true });
  });

  it('is about the workload that it rolls out', () => {
    const rollout = run('succeeded', {
      kind: 'Deployment',
      uid: 'hash',
      runKey: 'web-uid/3',
      revision: 3,
      name: 'web',
    });
    expect(settledTransition(rollout, [], KNOWN, undefined)).toMatchObject({
      id: 'web-uid/3/settled',
      about: { kind: 'Deployment', name: 'web', uid: 'web-uid' },
      runUid: 'hash',
    });
  });
});

describe('the pods of a run', () => {
  const job = (succeeded: number, failed: number) => ({ succeeded, failed });
  const active = attempt({ endedAt: undefined });

  it.each([
    ['none that its Job counts', [], job(0, 0), true],
    ['as many as its Job counts', [attempt(), attempt()], job(1, 1), true],
    ['more than its Job counts', [attempt(), attempt()], job(0, 1), true],
    ['fewer than its Job counts', [attempt()], job(1, 1), false],
    ['one that is still active', [attempt(), active], job(1, 0), false],
    ['one that is gone', [attempt({ endedAt: undefined, goneAt: T0 })], job(1, 0), true],
    ['those of a Job that was not seen', [], undefined, true],
  ])('%s', (_, attempts, counts, known) => {
    expect(arePodsKnown(attempts, counts)).toBe(known);
  });
});
