import { describe, expect, it } from 'vitest';
import { cronJob, planConfig } from './fixtures.ts';
import { monitorKey, monitorName, monitorPayload } from './payload.ts';

const payload = (annotations: Record<string, string> = {}, overrides = {}, tags: string[] = []) =>
  monitorPayload(cronJob(annotations, overrides), 'the-key', planConfig({ tags }));

describe('the monitor payload', () => {
  it('has only what is always sent for a plain CronJob', () => {
    expect(payload()).toEqual({
      key: 'the-key',
      name: 'default/test-cronjob',
      metadata: '{}',
      type: 'job',
      schedule: '*/1 * * * *',
      tags: ['kubernetes', 'kubernetes-namespace:default'],
    });
  });

  it('has everything that is set', () => {
    const facts = { timeZone: 'America/New_York', concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 30 };
    const annotations = {
      note: 'a note',
      notify: 'notify1, notify2, notify3',
      group: 'g',
      'grace-seconds': '120',
      'metric.duration': '< 5 seconds, > 1 second',
    };
    expect(payload(annotations, facts)).toMatchObject({
      note: 'a note',
      metadata: '{"concurrencyPolicy":"Forbid","startingDeadlineSeconds":"30"}',
      timezone: 'America/New_York',
      notify: ['notify1', 'notify2', 'notify3'],
      group: 'g',
      grace_seconds: 120,
      assertions: ['metric.duration < 5 seconds', 'metric.duration > 1 second'],
    });
  });

  it.each(['@daily', 'TZ=Europe/Berlin 0 4 * * *', '@every 90m'])('sends the schedule %s as it is', (schedule) => {
    expect(payload({}, { schedule })['schedule']).toBe(schedule);
  });

  it('adds the tags of the destination, then those of the CronJob; empty items are none', () => {
    const tags = ['kubernetes', 'kubernetes-namespace:cronitor', 'all', 'tag1', 'tagname:tagvalue'];
    expect(payload({ tags: ' tag1 ,tagname:tagvalue,' }, { namespace: 'cronitor' }, ['all'])['tags']).toEqual(tags);
  });

  it('cuts a tag of 121 characters to 99 and an ellipsis', () => {
    expect(payload({ tags: 'x'.repeat(121) })['tags']).toContain(`${'x'.repeat(99)}…`);
    expect(payload({ tags: 'x'.repeat(100) })['tags']).toContain('x'.repeat(100));
  });

  it('cuts the middle out of a name of 120 characters', () => {
    const namespace = 'this-is-a-very-long-namespace-name-lets-make-it-really-long';
    const tail = 'd-a-very-long-job-name-very-very-long-abcdef12345';
    const name = `${'x'.repeat(120 - namespace.length - 1 - tail.length)}${tail}`;
    expect(payload({}, { namespace, name })['name']).toBe(`this-is-a-very-long-namespace-name-lets-make-it-re…${tail}`);
  });

  it('shares an odd length as 49 and 50', () => {
    expect(payload({ name: `${'a'.repeat(60)}${'b'.repeat(61)}` })['name']).toBe(`${'a'.repeat(49)}…${'b'.repeat(50)}`);
  });

  it('counts characters, not bytes', () => {
    expect(payload({ name: 'ü'.repeat(100) })['name']).toBe('ü'.repeat(100));
  });

  it.each(['', 'five', '1.5', ' 60', '0', '-1', '-5', '99999999999999999999'])('has no grace for %o', (value) => {
    expect(payload({ 'grace-seconds': value })).not.toHaveProperty('grace_seconds');
  });

  it.each(['note', 'group', 'metric.duration'])('leaves an empty %s away', (name) => {
    expect(payload({ [name]: '' })).toEqual(payload());
  });
});

describe('older names of annotations', () => {
  it.each([
    ['group', 'cronitor-group', 'group', 'a', 'b'],
    ['notify', 'cronitor-notify', 'notify', ['a'], ['b']],
    ['name', 'cronitor-name', 'name', 'a', 'b'],
  ])('%s wins over %s', (name, legacy, field, newValue, oldValue) => {
    expect(payload({ [name]: 'a' })[field]).toEqual(newValue);
    expect(payload({ [legacy]: 'b' })[field]).toEqual(oldValue);
    expect(payload({ [name]: 'a', [legacy]: 'b' })[field]).toEqual(newValue);
  });

  it('grace-seconds wins over cronitor-grace-seconds', () => {
    expect(payload({ 'cronitor-grace-seconds': '60' })['grace_seconds']).toBe(60);
    expect(payload({ 'grace-seconds': '120', 'cronitor-grace-seconds': '60' })['grace_seconds']).toBe(120);
  });

  it('are hidden by an empty new one', () => {
    expect(payload({ group: '', 'cronitor-group': 'b' })).not.toHaveProperty('group');
  });
});

describe('the key', () => {
  const SHARED = planConfig({ inferredKeys: 'shared' });
  const SHA1 = '3278d16696a89a92d297b7c46bfd286b20dc3896';
  it.each([
    [{ 'key-inference': 'name', 'cronitor-id': '' }, SHA1],
    [{ 'id-inference': 'name' }, SHA1],
    [{ 'key-inference': 'name', 'id-inference': 'k8s' }, SHA1],
    [{ 'cronitor-id': '1234', 'key-inference': '' }, '1234'],
    [{ key: 'new-key', 'cronitor-id': 'legacy-id' }, 'new-key'],
    [{ 'cronitor-id': 'legacy-id' }, 'legacy-id'],
    [{ 'cronitor-id': '' }, cronJob().uid],
    [{ 'key-inference': 'unknown' }, cronJob().uid],
    [{}, cronJob().uid],
  ])('of %o is %s', (annotations, key) => {
    expect(monitorKey(cronJob(annotations), undefined, SHARED).key).toBe(key);
  });

  it('is inferred from the whole name, not from the shortened one', () => {
    const long = (name: string) => cronJob({ 'key-inference': 'name', name });
    const one = monitorKey(long(`${'a'.repeat(60)}x${'b'.repeat(60)}`), undefined, SHARED).key;
    expect(one).not.toBe(monitorKey(long(`${'a'.repeat(60)}y${'b'.repeat(60)}`), undefined, SHARED).key);
  });
});

describe('the name', () => {
  it.each([
    [{}, 'default/test-cronjob'],
    [{ 'name-prefix': 'none' }, 'test-cronjob'],
    [{ 'name-prefix': 'namespace' }, 'default/test-cronjob'],
    [{ 'name-prefix': '' }, 'default/test-cronjob'],
    [{ 'name-prefix': 'prod-' }, 'prod-test-cronjob'],
    [{ 'cronitor-name': 'foo' }, 'foo'],
    [{ name: 'new-name', 'cronitor-name': 'foo', 'name-prefix': 'none' }, 'new-name'],
    [{ name: '' }, 'default/test-cronjob'],
  ])('of %o is %s', (annotations, name) => {
    expect(monitorName(cronJob(annotations))).toBe(name);
  });
});
