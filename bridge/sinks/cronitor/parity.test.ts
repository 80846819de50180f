import { describe, expect, it } from 'vitest';
import { monitorSchema, pingSchema } from '../../../test/vendors/cronitor-rules.ts';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { sha1Hex } from '../../lib/ids.ts';
import { annotationProblems, RULES, setting } from './annotations.ts';
import { cronJob, planConfig } from './fixtures.ts';
import { environment, monitorKey, monitorName, monitorPayload, selected } from './payload.ts';

// Row by row what is written down of cronitor-kubernetes 0.9.1: §2 its annotations, §3.1 its monitors, §8 its own unit
// tests. Where we differ on purpose the title says "unlike it".

type Annotations = Record<string, string>;
type Row = readonly [annotations: Annotations, expected: unknown];

const UID = cronJob().uid;
const SHA1 = '3278d16696a89a92d297b7c46bfd286b20dc3896';
const shared = planConfig({ inferredKeys: 'shared' });
const excluding = planConfig({ defaultBehavior: 'exclude' });

const payload = (annotations: Annotations = {}, facts: Partial<CronJobFacts> = {}, account = {}) =>
  monitorPayload(cronJob(annotations, facts), 'the-key', planConfig(account));
const field = (name: string) => (annotations: Annotations) => payload(annotations)[name];
const key = (annotations: Annotations) => monitorKey(cronJob(annotations), undefined, shared).key;
const name = (annotations: Annotations) => monitorName(cronJob(annotations));
const ownTags = (annotations: Annotations, tags: string[] = []) =>
  (payload(annotations, {}, { tags })['tags'] as string[]).slice(2);
const isReported = (annotations: Annotations) => annotationProblems(cronJob(annotations)).length === 1;

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
const NO_BOOLEAN = ['', 'yes', 'no', 'on', 'tRUE', ' true', '2'];

describe('§2 include', () => {
  it.each([...TRUE, ...FALSE, ...NO_BOOLEAN])('%o counts only where the default is exclude', (value) => {
    const one = cronJob({ include: value });
    expect(selected(one, planConfig())).toBe(true);
    expect(selected(one, excluding)).toBe(TRUE.includes(value));
    expect(isReported({ include: value })).toBe(NO_BOOLEAN.includes(value));
  });

  it('that is absent is excluded there', () => {
    expect(selected(cronJob(), excluding)).toBe(false);
  });
});

describe('§2 exclude', () => {
  it.each([...TRUE, ...FALSE, ...NO_BOOLEAN])('%o counts only where the default is include', (value) => {
    const one = cronJob({ exclude: value, include: 'true' });
    expect(selected(one, planConfig())).toBe(!TRUE.includes(value));
    expect(selected(one, excluding)).toBe(true);
    expect(isReported({ exclude: value })).toBe(NO_BOOLEAN.includes(value));
  });

  it('that is absent is included there', () => {
    expect(selected(cronJob(), planConfig())).toBe(true);
  });
});

describe('§2 env', () => {
  it.each<Row>([
    [{ env: 'staging' }, 'staging'],
    [{ env: '' }, 'fallback'],
    [{}, 'fallback'],
  ])('%o is %o, and never in the monitor', (annotations, expected) => {
    expect(environment(cronJob(annotations), planConfig({ env: 'fallback' }))).toBe(expected);
    expect(payload(annotations, {}, { env: 'fallback' })).toEqual(payload());
  });

  it('without a default is none', () => {
    expect(environment(cronJob(), planConfig())).toBeUndefined();
  });
});

describe('§2 tags', () => {
  it.each<Row>([
    [{ tags: 'tag1,tagname:tagvalue' }, ['all', 'tag1', 'tagname:tagvalue']],
    [{ tags: ' a ,\tb' }, ['all', 'a', 'b']],
    [{ tags: 'a,a,all' }, ['all', 'a', 'a', 'all']],
    [{}, ['all']],
  ])('%o follow those of the account, trimmed, repeated as they are', (annotations, expected) => {
    expect(ownTags(annotations, ['all'])).toEqual(expected);
  });

  it.each(['', ' ', ',', 'a,,'])('unlike it: %o sends no empty tag', (tags) => {
    expect(ownTags({ tags })).toEqual(tags.includes('a') ? ['a'] : []);
  });
});

describe('§2 names, old and new', () => {
  const columns = [
    ['key', 'cronitor-id', key, 'a', 'b', UID],
    ['name', 'cronitor-name', name, 'a', 'b', 'default/test-cronjob'],
    ['group', 'cronitor-group', field('group'), 'a', 'b', undefined],
    ['notify', 'cronitor-notify', field('notify'), ['a'], ['b'], undefined],
  ] as const;
  it.each(columns)('%s wins over %s, even when empty', (newName, oldName, read, ofNew, ofOld, ofNone) => {
    expect(read({ [newName]: 'a' })).toEqual(ofNew);
    expect(read({ [oldName]: 'b' })).toEqual(ofOld);
    expect(read({ [newName]: 'a', [oldName]: 'b' })).toEqual(ofNew);
    expect(read({ [newName]: '', [oldName]: 'b' })).toEqual(ofNone);
    expect(read({ [oldName]: '' })).toEqual(ofNone);
  });

  it('grace-seconds wins over cronitor-grace-seconds, key-inference over id-inference, even when empty', () => {
    expect(field('grace_seconds')({ 'grace-seconds': '120', 'cronitor-grace-seconds': '60' })).toBe(120);
    expect(field('grace_seconds')({ 'grace-seconds': '', 'cronitor-grace-seconds': '60' })).toBeUndefined();
    expect(key({ 'key-inference': '', 'id-inference': 'name' })).toBe(UID);
  });
});

describe('§2 key', () => {
  it.each(['two words', 'a:b+c', 'ü'])('%o is taken as it is', (value) => {
    expect(key({ key: value, 'key-inference': 'name' })).toBe(value);
  });

  it.each(['a/b?c', '..', 'a\u0000b'])('unlike it: %o, which would ask for another URL, is none', (value) => {
    expect(key({ key: value, 'key-inference': 'name' })).toBe(SHA1);
  });

  it('unlike it: white space around it is none of it', () => {
    expect(key({ key: ' nightly-report\n' })).toBe('nightly-report');
    expect(key({ 'cronitor-id': '\n' })).toBe(UID);
  });
});

describe('§2 key-inference', () => {
  it.each<Row>([
    [{ 'key-inference': 'name' }, SHA1],
    [{ 'key-inference': 'k8s' }, UID],
    [{ 'key-inference': 'Name' }, UID],
    [{ 'key-inference': '' }, UID],
    [{ 'id-inference': 'uid' }, UID],
    [{}, UID],
  ])('%o is %s', (annotations, expected) => {
    expect(key(annotations)).toBe(expected);
  });

  it('by name takes the name as it is written, whatever the monitor shows of it', () => {
    const one = cronJob({ 'key-inference': 'name', name: 'Nightly\n' });
    expect(key({ 'key-inference': 'name', name: 'Nightly\n' })).toBe(sha1Hex('Nightly\n'));
    expect(monitorName(one)).toBe('Nightly');
  });

  it('by name takes the whole name, not the shortened one', () => {
    const long = (middle: string) => key({ 'key-inference': 'name', name: 'a'.repeat(60) + middle + 'b'.repeat(60) });
    expect(long('x')).not.toBe(long('y'));
  });

  it('unlike it: by name is another key in another cluster unless the account shares keys', () => {
    const one = cronJob({ 'key-inference': 'name' });
    const of = (account: object, cluster: string) => monitorKey(one, undefined, planConfig(account, cluster)).key;
    expect(of({}, 'east')).toMatch(/^[0-9a-f]{40}$/);
    expect(of({}, 'east')).toBe(of({}, 'east'));
    expect(new Set([of({}, 'east'), of({}, 'west'), SHA1]).size).toBe(3);
    expect(of({ inferredKeys: 'shared' }, 'east')).toBe(of({ inferredKeys: 'shared' }, 'west'));
  });
});

describe('§2 name and name-prefix', () => {
  it.each<Row>([
    [{ name: 'as it is', 'name-prefix': 'none' }, 'as it is'],
    [{ name: '', 'name-prefix': 'none' }, 'test-cronjob'],
    [{}, 'default/test-cronjob'],
    [{ 'name-prefix': 'namespace' }, 'default/test-cronjob'],
    [{ 'name-prefix': '' }, 'default/test-cronjob'],
    [{ 'name-prefix': 'none' }, 'test-cronjob'],
    [{ 'name-prefix': 'prod-' }, 'prod-test-cronjob'],
    [{ 'name-prefix': 'Production: ' }, 'Production: test-cronjob'],
  ])('%o is %o', (annotations, expected) => {
    expect(name(annotations)).toBe(expected);
  });

  it.each<Row>([
    [{ name: ' Nightly report\n', 'name-prefix': 'none' }, 'Nightly report'],
    [{ name: '\n', 'name-prefix': 'none' }, 'test-cronjob'],
    [{ 'name-prefix': 'none\n' }, 'test-cronjob'],
    [{ 'name-prefix': ' namespace ' }, 'default/test-cronjob'],
    [{ 'name-prefix': ' prod-\n' }, 'prod-test-cronjob'],
  ])('unlike it: white space around them is none of them: %o is %o', (annotations, expected) => {
    expect(name(annotations)).toBe(expected);
  });
});

describe('§2 notify', () => {
  it('is split at commas and trimmed', () => {
    expect(field('notify')({ notify: ' slack, infra-teams ,' })).toEqual(['slack', 'infra-teams']);
  });

  it.each(['', ' ', ','])('unlike it: %o is reported and leaves the default, not a list without a name', (notify) => {
    expect(payload({ notify })).toEqual(payload());
    expect(isReported({ notify })).toBe(true);
  });
});

describe('§2 grace-seconds', () => {
  it.each([
    ['120', 120],
    ['+60', 60],
    ['007', 7],
  ])('%o is %o', (value, seconds) => {
    expect(field('grace_seconds')({ 'grace-seconds': value })).toBe(seconds);
    expect(isReported({ 'grace-seconds': value })).toBe(false);
  });

  it.each(['', ' 60', '60 ', '1.5', '1e3', '0x10', 'five', '0', '-0', '-1', '-5', '99999999999999999999'])(
    'unlike it: %o is reported, and not sent',
    (value) => {
      expect(payload({ 'grace-seconds': value })).toEqual(payload());
      expect(isReported({ 'grace-seconds': value })).toBe(true);
    },
  );
});

describe('§2 note and group', () => {
  it.each(['note', 'group'])('%s is text as it is; empty is left away', (annotation) => {
    expect(field(annotation)({ [annotation]: 'some, text' })).toBe('some, text');
    expect(payload({ [annotation]: '' })).toEqual(payload());
  });

  it.each(['note', 'group'])('unlike it: white space around %s is none of it', (annotation) => {
    expect(field(annotation)({ [annotation]: ' some,\n text \n' })).toBe('some,\n text');
    expect(payload({ [annotation]: ' \n' })).toEqual(payload());
  });
});

describe('§2 metric.duration', () => {
  it.each([
    ['< 5 seconds', ['metric.duration < 5 seconds']],
    ['> 1 second', ['metric.duration > 1 second']],
    ['< 5 seconds, > 1 second', ['metric.duration < 5 seconds', 'metric.duration > 1 second']],
    [' <=5min ,, ', ['metric.duration <= 5min']],
    ['< 5 fortnights', ['metric.duration < 5 fortnights']],
  ])('%o makes %o', (value, assertions) => {
    expect(payload({ 'metric.duration': value })['assertions']).toEqual(assertions);
    expect(isReported({ 'metric.duration': value })).toBe(false);
  });

  it.each(['', ' , '])('%o makes none', (value) => {
    expect(payload({ 'metric.duration': value })).toEqual(payload());
  });

  it('what is not a limit is reported and, unlike there, does not cost the whole monitor', () => {
    expect(payload({ 'metric.duration': 'soon' })).toEqual(payload());
    expect(payload({ 'metric.duration': 'soon, < 5' })['assertions']).toEqual(['metric.duration < 5']);
    expect(isReported({ 'metric.duration': 'soon, < 5' })).toBe(true);
    expect(payload({ 'metric.duration': '< 5 🚀, < 5 Min' })['assertions']).toEqual(['metric.duration < 5 min']);
  });
});

describe.each(['log-complete-event', 'send-pod-start-event'] as const)('§2 %s', (annotation) => {
  const asked = (value: string) => setting(cronJob({ [annotation]: value }), annotation) === true;
  it.each([...TRUE, ...FALSE, ...NO_BOOLEAN])('%o', (value) => {
    expect(asked(value)).toBe(TRUE.includes(value));
    expect(isReported({ [annotation]: value })).toBe(NO_BOOLEAN.includes(value));
  });

  it('that is absent is false', () => {
    expect(setting(cronJob(), annotation)).toBeUndefined();
  });
});

describe('§2 the default behaviour', () => {
  it.each(['', 'Include', 'all'])('unlike it: %o is refused at the start', (defaultBehavior) => {
    expect(() => planConfig({ defaultBehavior })).toThrow('defaultBehavior');
  });
});

describe('whatever an annotation says', () => {
  const LONG = ['ü'.repeat(300), '🚀'.repeat(5_000), 'tag,'.repeat(5_000), `<1${'0'.repeat(300)}`, '<5s,'.repeat(500)];
  const VALUES = ['', ' ', '\n', ',', '0', '-1', 'yes', '🚀, a', '< 1 s', '>=1.5 MIN', ...LONG];
  it.each(Object.keys(RULES).filter((annotation) => !annotation.startsWith('key')))(
    '§8 the monitor has a name that is not a UID, and Cronitor takes it: %s',
    (annotation) => {
      for (const value of VALUES) {
        const sent = payload({ [annotation]: value });
        expect(sent['name']).not.toBe('');
        expect(sent['name']).not.toContain(UID);
        expect([value, monitorSchema.safeParse(sent).error?.issues]).toEqual([value, undefined]);
      }
    },
  );

  it('key and environment are never longer than Cronitor takes', () => {
    for (const value of VALUES) {
      expect(Array.from(key({ key: value })).length).toBeLessThanOrEqual(128);
      expect(pingSchema.safeParse({ state: 'run', env: environment(cronJob({ env: value }), shared) }).success).toBe(
        true,
      );
    }
  });
});
