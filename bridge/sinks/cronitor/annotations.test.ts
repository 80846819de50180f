import { describe, expect, it } from 'vitest';
import { keeping } from '../../kubernetes/annotations.ts';
import { annotationProblems } from './annotations.ts';
import { cronJob } from './fixtures.ts';
import { cronitor } from './module.ts';

const problems = (annotations: Record<string, string>) => annotationProblems(cronJob(annotations));

describe('all 15 annotations and their 6 older names', () => {
  it.each([
    ['include'],
    ['exclude'],
    ['env'],
    ['tags'],
    ['key', 'cronitor-id'],
    ['key-inference', 'id-inference'],
    ['name', 'cronitor-name'],
    ['name-prefix'],
    ['group', 'cronitor-group'],
    ['notify', 'cronitor-notify'],
    ['grace-seconds', 'cronitor-grace-seconds'],
    ['note'],
    ['metric.duration'],
    ['log-complete-event'],
    ['send-pod-start-event'],
  ])('exist and are kept when a CronJob is read: %s %s', (...names) => {
    for (const name of names) {
      expect(keeping(cronitor.reads.annotations)(`k8s.cronitor.io/${name}`)).toBe(true);
      expect(problems({ [name]: 'x' }).filter(({ used }) => used.includes('no such annotation'))).toEqual([]);
    }
  });
});

describe('annotations that cannot be read', () => {
  it.each([
    ['include', 'yes'],
    ['exclude', ''],
    ['exclude', ' true'],
    ['log-complete-event', 'on'],
    ['send-pod-start-event', 'tRUE'],
    ['key-inference', 'uid'],
    ['id-inference', 'Name'],
    ['notify', ' , '],
    ['cronitor-notify', ''],
    ['grace-seconds', ' 60'],
    ['grace-seconds', '0'],
    ['cronitor-grace-seconds', '-1'],
    ['metric.duration', '< 5 seconds, soon'],
    ['metric.duration', '< 5 🚀'],
  ])('are reported: %s with %o', (name, value) => {
    expect(problems({ [name]: value })).toEqual([
      { annotation: `k8s.cronitor.io/${name}`, value, allowed: expect.any(String), used: expect.any(String) },
    ]);
  });

  it.each([
    ['key', 'x'.repeat(129), 'the key that the monitor has without this annotation'],
    ['env', 'x'.repeat(101), 'its beginning, cut to that length'],
    ['group', '🚀'.repeat(101), 'its beginning, cut to that length'],
    ['note', 'x'.repeat(1_025), 'its beginning, cut to that length'],
    ['name', 'x'.repeat(101), 'its beginning and its end, cut to that length'],
    ['tags', `a, ${'x'.repeat(101)}`, 'the first 100, and of a longer one its beginning'],
    ['tags', 'a,'.repeat(101), 'the first 100, and of a longer one its beginning'],
    ['notify', `a, ${'x'.repeat(101)}`, "only what is allowed; Cronitor's default when that is nothing"],
  ])('are reported when they are too long, with what is used: %s', (name, value, used) => {
    expect(problems({ [name]: value })).toMatchObject([{ annotation: `k8s.cronitor.io/${name}`, used }]);
    expect(problems({ [name]: ` ${'x'.repeat(100)} \n` })).toEqual([]);
  });

  it.each(['.', '..', '%2e%2e', '%2E.', 'a/b', '/', '..\\b', 'a?b', 'a#b', 'a\u0000b', 'a\nb', '[redacted]'])(
    'are reported for a key that would change the URL of its monitor: %j',
    (value) => {
      expect(problems({ key: value })).toMatchObject([{ annotation: 'k8s.cronitor.io/key' }]);
      expect(problems({ 'cronitor-id': value })).toMatchObject([{ annotation: 'k8s.cronitor.io/cronitor-id' }]);
    },
  );

  it.each(['nottify', 'Key', 'cronitor-env'])('are reported when they do not exist: %s', (name) => {
    const [problem] = problems({ [name]: 'x' });
    expect(problem).toMatchObject({ annotation: `k8s.cronitor.io/${name}`, value: 'x' });
    expect(problem!.allowed).toContain('notify');
  });

  it('are shown shortened', () => {
    expect(problems({ exclude: 'x'.repeat(5_000) })[0]!.value).toHaveLength(100);
  });

  it('are none when a newer name hides them, and none of other prefixes', () => {
    expect(problems({ 'grace-seconds': '60', 'cronitor-grace-seconds': 'x' })).toEqual([]);
    expect(annotationProblems(cronJob({}, { annotations: { 'example.com/exclude': 'yes' } }))).toEqual([]);
  });
});

describe('annotations that can be read', () => {
  it.each([
    ['include', 'T'],
    ['exclude', '0'],
    ['env', ''],
    ['tags', ',,'],
    ['key', ''],
    ['cronitor-id', ' 1 '],
    ['key-inference', ''],
    ['id-inference', 'k8s'],
    ['name', ''],
    ['cronitor-name', 'x'],
    ['name-prefix', 'prod-'],
    ['cronitor-group', ''],
    ['notify', 'a, b'],
    ['grace-seconds', '+60'],
    ['note', ''],
    ['metric.duration', '< 5 seconds,, >=1.5min'],
    ['metric.duration', ''],
    ['log-complete-event', 'False'],
    ['send-pod-start-event', '1'],
  ])('are taken: %s with %o', (name, value) => {
    expect(problems({ [name]: value })).toEqual([]);
  });
});
