import { describe, expect, it } from 'vitest';
import type { KubeObject } from './fields.ts';
import type { CronJobFacts, JobFacts, PodFacts } from './observation.ts';
import { readObject } from '../../test/fixtures/default-sink.ts';
import { parseSchedule } from './schedule.ts';

const metadata = { uid: 'u-1', namespace: 'shop', name: 'made-up', resourceVersion: '7' };
const created = '2026-03-01T10:00:00Z';
const read = <T>(kind: string, changes: KubeObject): T =>
  readObject({ apiVersion: kind === 'Pod' ? 'v1' : 'batch/v1', kind, metadata, ...changes }) as T;
const deletionAt = (times: KubeObject): number | undefined =>
  read<PodFacts>('Pod', { metadata: { ...metadata, ...times } }).deletionAt;

describe('a time', () => {
  it.each([
    ['+275760-09-12T00:00:00.000Z'],
    ['-271821-04-20T00:00:00.000Z'],
    ['10000-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59-01:00'],
    ['0001-01-01T00:00:00Z'],
    ['1969-12-31T23:59:59Z'],
    ['not a time'],
  ])('%s is none', (text) => {
    const facts = read<CronJobFacts>('CronJob', {
      metadata: { ...metadata, creationTimestamp: text, deletionTimestamp: text },
      status: { lastScheduleTime: text },
    });
    expect([facts.createdAt, facts.deletionAt, facts.lastScheduleAt]).toEqual([undefined, undefined, undefined]);
  });

  it.each([['1970-01-01T00:00:00Z'], ['9999-12-31T23:59:59Z']])('%s is one', (text) => {
    const facts = read<CronJobFacts>('CronJob', { metadata: { ...metadata, creationTimestamp: text } });
    expect(facts.createdAt).toBe(Date.parse(text));
  });
});

describe('the time at which a deletion was asked for', () => {
  const deletionTimestamp = '2026-03-02T10:00:30Z';
  it.each([
    [30, Date.parse('2026-03-02T10:00:00Z')],
    [0, Date.parse(deletionTimestamp)],
    [-5, Date.parse(deletionTimestamp)],
    [1.5, Date.parse(deletionTimestamp)],
    [9_007_199_254_740_991, Date.parse(deletionTimestamp)],
    ['9223372036854775807', Date.parse(deletionTimestamp)],
    [Number.NaN, Date.parse(deletionTimestamp)],
    [Number.POSITIVE_INFINITY, Date.parse(deletionTimestamp)],
    // It would have been asked for before the pod was there.
    [90_000_000, Date.parse(deletionTimestamp)],
  ])('with a grace period of %s', (deletionGracePeriodSeconds, expected) => {
    const times = { creationTimestamp: created, deletionTimestamp, deletionGracePeriodSeconds };
    expect(deletionAt(times)).toBe(expected);
  });
});

describe('a number', () => {
  const bad = [1e300, -1e300, 2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '7', '9'.repeat(19)];

  it.each(bad)('that is not an int32 (%s) is as if it were absent', (value) => {
    const job = read<JobFacts>('Job', {
      spec: { parallelism: value, completions: value, backoffLimit: value },
      status: { active: value, succeeded: value, failed: value },
    });
    expect(job).toMatchObject({ active: 0, succeeded: 0, failed: 0 });
    expect([job.parallelism, job.completions, job.backoffLimit]).toEqual([undefined, undefined, undefined]);
    const container = { name: 'main', restartCount: value, state: { terminated: { exitCode: 1, signal: value } } };
    const [read1] = read<PodFacts>('Pod', { status: { containerStatuses: [container] } }).containers;
    expect(read1).toMatchObject({ restartCount: 0, terminated: { exitCode: 1, signal: undefined } });
  });

  it('of a count is never negative, an exit code may be', () => {
    expect(read<JobFacts>('Job', { status: { failed: -1 } }).failed).toBe(0);
    const state = { terminated: { exitCode: -1_073_741_819 } };
    const pod = read<PodFacts>('Pod', { status: { containerStatuses: [{ name: 'main', restartCount: -3, state }] } });
    expect(pod.containers[0]).toMatchObject({ restartCount: 0, terminated: { exitCode: -1_073_741_819 } });
  });

  it.each([
    ['7', 7],
    ['1e300', undefined],
    ['-1', undefined],
    ['99999999999999999999', undefined],
  ])('of a completion index (%s) is %s', (text, expected) => {
    const annotations = { 'batch.kubernetes.io/job-completion-index': text };
    expect(read<PodFacts>('Pod', { metadata: { ...metadata, annotations } }).completionIndex).toBe(expected);
  });

  const century = 3_162_240_000;
  it.each([
    [200, 200],
    [0, 0],
    [-1, undefined],
    [Number.NaN, undefined],
    [9e18, century],
    // The decoder of the stream gives what JSON numbers do not hold as text.
    ['9223372036854775807', century],
  ])('of a starting deadline (%s) is %s', (startingDeadlineSeconds, expected) => {
    expect(read<CronJobFacts>('CronJob', { spec: { startingDeadlineSeconds } }).startingDeadlineSeconds).toBe(expected);
  });
});

describe('the search for the next scheduled time', () => {
  const MAX = 8_640_000_000_000_000;
  it.each(['0 0 1 1 *', '0 0 31 2 *', '0 0 29 2 1', '* * * * *', '59 23 31 12 6', '@every 1ns', '@every 2000000h'])(
    'ends, whatever the time it begins at: %s',
    (text) => {
      for (const zone of [undefined, 'Europe/Berlin', 'Pacific/Apia']) {
        const schedule = parseSchedule(text, zone);
        if ('error' in schedule) throw new Error(schedule.error);
        for (const after of [MAX, MAX - 86_400_000, -MAX, -MAX + 86_400_000, Number.NaN, Infinity, -Infinity, -9e18]) {
          expect(schedule.next(after)).toBeUndefined();
        }
      }
    },
  );

  it('works at the end of the year 9999 and in 1970', () => {
    const schedule = parseSchedule('0 0 1 1 *');
    if ('error' in schedule) throw new Error(schedule.error);
    expect(schedule.next(Date.parse('9999-06-01T00:00:00Z'))).toBeUndefined();
    expect(schedule.next(Date.parse('1970-06-01T00:00:00Z'))).toBe(Date.parse('1971-01-01T00:00:00Z'));
  });
});
