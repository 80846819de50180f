import { describe, expect, it } from 'vitest';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { annotationProblems, setting } from './annotations.ts';
import { cronJob, planConfig } from './fixtures.ts';
import { environment, monitorKey, monitorName, monitorPayload, selected } from './payload.ts';

// §3.1 and §8 as in parity.test.ts.

type Annotations = Record<string, string>;
const payload = (annotations: Annotations = {}, facts: Partial<CronJobFacts> = {}, account = {}) =>
  monitorPayload(cronJob(annotations, facts), 'the-key', planConfig(account));

const ALL: Annotations = {
  note: 'a note',
  notify: 'notify1, notify2, notify3',
  group: 'g',
  'grace-seconds': '120',
  'metric.duration': '< 30 seconds, > 5 seconds',
  tags: 'own',
};
const SPEC = { timeZone: 'America/New_York', concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 30 };

describe('§3.1 the monitor', () => {
  it('has every field in its order when all is set', () => {
    expect(JSON.stringify(payload(ALL, SPEC, { tags: ['all'] }))).toBe(
      JSON.stringify({
        key: 'the-key',
        name: 'default/test-cronjob',
        note: 'a note',
        metadata: '{"concurrencyPolicy":"Forbid","startingDeadlineSeconds":"30"}',
        type: 'job',
        schedule: '*/1 * * * *',
        timezone: 'America/New_York',
        tags: ['kubernetes', 'kubernetes-namespace:default', 'all', 'own'],
        notify: ['notify1', 'notify2', 'notify3'],
        group: 'g',
        grace_seconds: 120,
        assertions: ['metric.duration < 30 seconds', 'metric.duration > 5 seconds'],
      }),
    );
  });

  it('has only what is always sent for a plain CronJob: no environment, no paused, no labels, no cluster', () => {
    expect(JSON.stringify(payload({}, { labels: { team: 'a' } }, { env: 'staging' }))).toBe(
      JSON.stringify({
        key: 'the-key',
        name: 'default/test-cronjob',
        metadata: '{}',
        type: 'job',
        schedule: '*/1 * * * *',
        timezone: 'UTC',
        tags: ['kubernetes', 'kubernetes-namespace:default'],
      }),
    );
  });
});

describe('§3.1 name', () => {
  const tail = 'd-a-very-long-job-name-very-very-long-abcdef12345';
  it('of 120 characters loses its middle: 50, an ellipsis, 49', () => {
    const namespace = 'this-is-a-very-long-namespace-name-lets-make-it-really-long';
    const name = `${'x'.repeat(120 - namespace.length - 1 - tail.length)}${tail}`;
    expect(payload({}, { namespace, name })['name']).toBe(`this-is-a-very-long-namespace-name-lets-make-it-re…${tail}`);
  });

  it('of an odd length is shared as 49 and 50', () => {
    expect(payload({ name: `${'a'.repeat(60)}${'b'.repeat(61)}` })['name']).toBe(`${'a'.repeat(49)}…${'b'.repeat(50)}`);
  });

  it.each([
    ['a'.repeat(100), 'a'.repeat(100)],
    ['a'.repeat(101), `${'a'.repeat(49)}…${'a'.repeat(50)}`],
    // More than 100 bytes, but not more than 100 characters: as it is.
    ['ü'.repeat(100), 'ü'.repeat(100)],
    ['ü'.repeat(102), `${'ü'.repeat(50)}…${'ü'.repeat(49)}`],
    ['🚀'.repeat(102), `${'🚀'.repeat(50)}…${'🚀'.repeat(49)}`],
  ])('is counted in code points: %s', (name, expected) => {
    expect(payload({ name })['name']).toBe(expected);
  });
});

describe('§3.1 metadata', () => {
  it.each([
    [{}, '{}'],
    [{ concurrencyPolicy: 'Allow' }, '{"concurrencyPolicy":"Allow"}'],
    [{ startingDeadlineSeconds: 0 }, '{"startingDeadlineSeconds":"0"}'],
  ])('of %o is the text %s', (facts, text) => {
    expect(payload({}, facts)['metadata']).toBe(text);
  });
});

describe('§3.1 schedule and timezone', () => {
  it.each(['@daily', '@every 90m', '0 4 * * *'])('%s is sent as it is', (schedule) => {
    expect(payload({}, { schedule })['schedule']).toBe(schedule);
  });

  it('a time zone in the schedule is taken out, and wins, as in Kubernetes', () => {
    const facts = { schedule: 'CRON_TZ=Etc/GMT+5 0 3 * * *\n', timeZone: 'Europe/Paris' };
    expect(payload({}, facts)).toMatchObject({ schedule: '0 3 * * *', timezone: 'Etc/GMT+5' });
  });

  it('the time zone is always sent, UTC without one, so that one that is removed does not stay', () => {
    expect(payload({}, { timeZone: undefined })['timezone']).toBe('UTC');
    expect(payload({}, { timeZone: 'America/New_York' })['timezone']).toBe('America/New_York');
  });
});

describe('§3.1 tags', () => {
  it('§8 name the namespace', () => {
    expect(payload({}, { namespace: 'cronitor' })['tags']).toEqual(['kubernetes', 'kubernetes-namespace:cronitor']);
  });

  it.each([
    ['x'.repeat(121), `${'x'.repeat(99)}…`],
    ['x'.repeat(100), 'x'.repeat(100)],
    ['ü'.repeat(100), 'ü'.repeat(100)],
    ['🚀'.repeat(101), `${'🚀'.repeat(99)}…`],
  ])('§8 have at most 100 characters: %s', (tag, expected) => {
    expect(payload({ tags: tag })['tags']).toContain(expected);
    expect(payload({}, {}, { tags: [tag] })['tags']).toContain(expected);
  });
});

describe('§8 its unit tests of annotations', () => {
  const SHA1 = '3278d16696a89a92d297b7c46bfd286b20dc3896';
  const key = (one: CronJobFacts) => monitorKey(one, undefined, planConfig({ inferredKeys: 'shared' })).key;
  const field = (name: string) => (one: CronJobFacts) => monitorPayload(one, 'k', planConfig())[name];
  it.each<[number, Annotations, (one: CronJobFacts) => unknown, unknown]>([
    [1, {}, (one) => selected(one, planConfig()), true],
    [2, { 'key-inference': 'name', 'cronitor-id': '' }, key, SHA1],
    [3, { 'id-inference': 'name' }, key, SHA1],
    [4, { 'key-inference': 'name', 'id-inference': 'k8s' }, key, SHA1],
    [5, { 'cronitor-id': '1234', 'key-inference': '' }, key, '1234'],
    [6, { key: 'new-key', 'cronitor-id': 'legacy-id' }, key, 'new-key'],
    [6, { 'cronitor-id': 'legacy-id' }, key, 'legacy-id'],
    [7, { 'cronitor-id': '' }, key, cronJob().uid],
    [8, {}, monitorName, 'default/test-cronjob'],
    [8, { 'name-prefix': 'none' }, monitorName, 'test-cronjob'],
    [8, { 'name-prefix': 'namespace' }, monitorName, 'default/test-cronjob'],
    [9, { 'cronitor-name': 'foo' }, monitorName, 'foo'],
    [9, { name: 'new-name', 'cronitor-name': 'foo' }, monitorName, 'new-name'],
    [10, { group: 'a' }, field('group'), 'a'],
    [10, { 'cronitor-group': 'b' }, field('group'), 'b'],
    [10, { group: 'a', 'cronitor-group': 'b' }, field('group'), 'a'],
    [11, { notify: 'notify1, notify2, notify3' }, field('notify'), ['notify1', 'notify2', 'notify3']],
    [12, { 'grace-seconds': '120' }, field('grace_seconds'), 120],
    [12, { 'cronitor-grace-seconds': '60' }, field('grace_seconds'), 60],
    [12, {}, field('grace_seconds'), undefined],
    [13, { 'log-complete-event': 'true' }, (one) => setting(one, 'log-complete-event'), true],
    [13, { 'log-complete-event': 'false' }, (one) => setting(one, 'log-complete-event'), false],
    [13, { 'log-complete-event': 'invalid' }, (one) => annotationProblems(one).length, 1],
    [13, {}, (one) => setting(one, 'log-complete-event') ?? false, false],
    [14, { 'send-pod-start-event': 'true' }, (one) => setting(one, 'send-pod-start-event'), true],
    [14, { 'send-pod-start-event': 'false' }, (one) => setting(one, 'send-pod-start-event'), false],
    [14, { 'send-pod-start-event': 'invalid' }, (one) => setting(one, 'send-pod-start-event') ?? false, false],
    [14, {}, (one) => setting(one, 'send-pod-start-event') ?? false, false],
    [15, { 'metric.duration': '< 5 seconds' }, (one) => setting(one, 'metric.duration'), ['< 5 seconds']],
    [15, { 'metric.duration': '> 1 minute' }, (one) => setting(one, 'metric.duration'), ['> 1 minute']],
    [15, {}, (one) => setting(one, 'metric.duration'), undefined],
    [16, { note: 'text' }, field('note'), 'text'],
    [16, { note: '' }, field('note'), undefined],
    [16, {}, field('note'), undefined],
    [17, { env: 'staging' }, (one) => environment(one, planConfig()), 'staging'],
    [17, {}, (one) => environment(one, planConfig()), undefined],
  ])('row %i: %o', (_row, annotations, read, expected) => {
    expect(read(cronJob(annotations))).toEqual(expected);
  });
});

describe('§8 its unit tests of metric.duration', () => {
  it.each([
    ['< 5 seconds', ['metric.duration < 5 seconds']],
    ['> 1 second', ['metric.duration > 1 second']],
    ['< 10 minutes', ['metric.duration < 10 minutes']],
    ['< 5', ['metric.duration < 5']],
    ['< 30 seconds, > 5 seconds', ['metric.duration < 30 seconds', 'metric.duration > 5 seconds']],
  ])('%s makes %o', (value, assertions) => {
    expect(payload({ 'metric.duration': value })['assertions']).toEqual(assertions);
  });
});
