import { describe, expect, it } from 'vitest';
import type { KubeObject } from './fields.ts';
import type { JobFacts } from './observation.ts';
import { readObject } from '../../test/fixtures/default-sink.ts';

const metadata = { uid: 'u-1', namespace: 'shop', name: 'made-up', resourceVersion: '7' };
const pod = (changes: KubeObject = {}): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata, ...changes });
const job = (changes: KubeObject = {}): KubeObject => ({ apiVersion: 'batch/v1', kind: 'Job', metadata, ...changes });

describe('the owner of a Job without a controller', () => {
  const named = (name: string, changes: KubeObject = {}): KubeObject => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    name,
    uid: `uid-of-${name}`,
    ...changes,
  });
  const jobOf = (references: readonly KubeObject[], changes: KubeObject = {}): JobFacts =>
    readObject(job({ metadata: { ...metadata, ownerReferences: references, ...changes } })) as JobFacts;
  const other = { apiVersion: 'jobset.x-k8s.io/v1alpha2', kind: 'JobSet', name: 'training', uid: 'j' };

  it.each([
    ['alone', [named('nightly')]],
    ['with controller: false', [named('nightly', { controller: false, blockOwnerDeletion: true })]],
    ['twice', [named('nightly'), named('nightly')]],
    ['of an older version of the group', [named('nightly', { apiVersion: 'batch/v1beta1' })]],
    ['beside owners of other kinds', [other, named('nightly')]],
  ])('is the CronJob that it names: %s', (_name, references) => {
    const facts = jobOf(references);
    expect(facts.owner).toEqual({ group: 'batch', kind: 'CronJob', name: 'nightly', uid: 'uid-of-nightly' });
    expect(facts).toMatchObject({ manual: true, scheduledAt: undefined });
    expect(facts.namedOwners).toBeUndefined();
  });

  it('is the controller if there is one, wherever it stands and whatever it is', () => {
    const controller = { ...other, controller: true };
    expect(jobOf([named('nightly'), controller]).owner).toMatchObject({ kind: 'JobSet', uid: 'j' });
    expect(jobOf([named('nightly'), named('weekly', { controller: true })]).owner).toMatchObject({ name: 'weekly' });
  });

  it('is nobody when it names several CronJobs, none, or one without UID or of another group', () => {
    expect(jobOf([named('nightly'), named('weekly')])).toMatchObject({
      owner: undefined,
      manual: false,
      namedOwners: [{ name: 'nightly' }, { name: 'weekly' }],
    });
    expect(jobOf([other])).toMatchObject({ owner: undefined, namedOwners: [{ kind: 'JobSet' }] });
    expect(jobOf([named('nightly', { uid: '' })]).owner).toBeUndefined();
    expect(jobOf([named('nightly', { apiVersion: 'example.com/v1' })]).owner).toBeUndefined();
    expect(jobOf([named('nightly', { apiVersion: 'v1' })]).owner).toBeUndefined();
  });

  it('is nobody for a pod: only a Job is made by hand', () => {
    const facts = readObject(pod({ metadata: { ...metadata, ownerReferences: [named('nightly')] } }));
    expect(facts?.owner).toBeUndefined();
  });
});

describe('a Job with the annotation of a run by hand', () => {
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'c', controller: true };
  const manual = (name: string, annotations: KubeObject = {}): boolean => {
    const all = { 'cronjob.kubernetes.io/instantiate': 'manual', ...annotations };
    const created = { creationTimestamp: '2026-01-05T10:00:01Z' };
    const facts = readObject(
      job({ metadata: { ...metadata, name, annotations: all, ownerReferences: [owner], ...created } }),
    );
    return (facts as JobFacts).manual;
  };

  it('was made by the schedule if it has the scheduled timestamp: the annotation is of its jobTemplate', () => {
    expect(manual('nightly-1', { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-05T10:00:00Z' })).toBe(
      false,
    );
    expect(manual('nightly-1', { 'batch.kubernetes.io/cronjob-scheduled-timestamp': 'soon' })).toBe(true);
  });

  it.each([
    ['nightly-29460120', false], // 2026-01-05T10:00
    ['nightly-29460121', false], // a clock that is behind
    ['nightly-29400000', false], // made late
    ['nightly-29460122', true],
    ['nightly-20260105', true],
    ['nightly-1767607201', true],
    ['nightly-x7b2k', true],
    ['other-29460120', true],
  ])('and without a timestamp is by hand unless only the schedule gives such a name: %s', (name, expected) => {
    expect(manual(name)).toBe(expected);
  });
});
