import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from './fields.ts';
import { textAt } from './fields.ts';
import type { CronJobFacts, JobFacts, PodFacts } from './observation.ts';
import { readObject } from '../../test/fixtures/default-sink.ts';

const metadata = { uid: 'u-1', namespace: 'shop', name: 'made-up', resourceVersion: '7' };
const pod = (changes: KubeObject = {}): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata, ...changes });
const job = (changes: KubeObject = {}): KubeObject => ({ apiVersion: 'batch/v1', kind: 'Job', metadata, ...changes });
const cronJob = (changes: KubeObject = {}): KubeObject => ({ ...job(changes), kind: 'CronJob' });

describe('an object without status', () => {
  it('is a pod that is pending', () => {
    expect(readObject(pod())).toMatchObject({ phase: 'Pending', containers: [], mirror: false, owner: undefined });
  });

  it('is a Job that did not start', () => {
    expect(readObject(job())).toMatchObject({ startAt: undefined, conditions: [], active: 0, suspend: false });
  });

  it('is a CronJob that never ran', () => {
    expect(readObject(cronJob())).toMatchObject({ schedule: '', suspend: false, activeUids: [] });
  });
});

describe('kinds', () => {
  it.each([
    ['batch.volcano.sh/v1alpha1', 'Job'],
    ['batch/v1beta1', 'CronJob'],
    ['example.com/v1', 'CronJob'],
    ['events.k8s.io/v1', 'Event'],
    ['v1', 'constructor'],
  ])('%s %s is not followed', (apiVersion, kind) => {
    expect(readObject({ apiVersion, kind, metadata })).toBeUndefined();
  });
});

describe('owners', () => {
  const owned = (reference: KubeObject): unknown =>
    readObject(job({ metadata: { ...metadata, ownerReferences: [reference] } }))?.owner;

  it('have the API group of their reference', () => {
    const reference = { apiVersion: 'example.com/v2', kind: 'CronJob', name: 'x', uid: 'o', controller: true };
    expect(owned(reference)).toEqual({ group: 'example.com', kind: 'CronJob', name: 'x', uid: 'o' });
  });

  it.each([
    ['that do not control', { apiVersion: 'example.com/v1', kind: 'CronJob', name: 'x', uid: 'o' }],
    ['with a controller that is not a boolean', { kind: 'CronJob', name: 'x', uid: 'o', controller: 'true' }],
    ['without UID', { apiVersion: 'batch/v1', kind: 'CronJob', name: 'x', controller: true }],
  ])('%s are none', (_name, reference) => {
    expect(owned(reference)).toBeUndefined();
  });
});

describe('pods', () => {
  it('that copy a static pod are mirrors', () => {
    const annotations = { 'kubernetes.io/config.mirror': '', 'kubernetes.io/config.source': 'file' };
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'node1', uid: 'n-1', controller: true }];
    const facts = readObject(pod({ metadata: { ...metadata, annotations, ownerReferences } }));
    expect(facts).toMatchObject({ mirror: true, owner: { group: '', kind: 'Node' } });
    expect(facts?.annotations).toEqual({ 'kubernetes.io/config.mirror': '' });
  });

  it('distinguish init containers, sidecars, app and ephemeral containers, in this order', () => {
    const status = (name: string): KubeObject => ({
      name,
      restartCount: 2,
      state: { terminated: { exitCode: 3, signal: 9 } },
    });
    const facts = readObject(
      pod({
        spec: { initContainers: [{ name: 'setup' }, { name: 'proxy', restartPolicy: 'Always' }] },
        status: {
          initContainerStatuses: [status('setup'), status('proxy')],
          containerStatuses: [status('main')],
          ephemeralContainerStatuses: [status('debug')],
        },
      }),
    ) as PodFacts;
    expect(facts.containers.map(({ name, type }) => [name, type])).toEqual([
      ['setup', 'init'],
      ['proxy', 'sidecar'],
      ['main', 'app'],
      ['debug', 'ephemeral'],
    ]);
    expect(facts.containers[0]).toMatchObject({
      restartCount: 2,
      terminated: { exitCode: 3, signal: 9, finishedAt: undefined },
    });
  });

  it('are unschedulable only by PodScheduled False with that reason', () => {
    const unschedulable = (changes: KubeObject): unknown => {
      const condition = {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: 'no node',
        ...changes,
      };
      return (readObject(pod({ status: { conditions: [{ type: 'Ready' }, condition] } })) as PodFacts).unschedulable;
    };
    expect(unschedulable({})).toBe('no node');
    expect(unschedulable({ message: undefined })).toBe('');
    expect(unschedulable({ status: 'True' })).toBeUndefined();
    expect(unschedulable({ reason: 'SchedulingGated' })).toBeUndefined();
  });

  it('have a node since PodScheduled is True', () => {
    const since = (status: string): unknown => {
      const condition = { type: 'PodScheduled', status, lastTransitionTime: '2026-01-05T10:00:00Z' };
      return (readObject(pod({ status: { conditions: [condition] } })) as PodFacts).podScheduledAt;
    };
    expect([since('True'), since('False')]).toEqual([Date.UTC(2026, 0, 5, 10), undefined]);
  });
});

describe('times', () => {
  it.each([
    ['2026-01-05T11:00:00+01:00', Date.UTC(2026, 0, 5, 10)],
    ['2026-01-05T10:00:00Z', Date.UTC(2026, 0, 5, 10)],
    ['2026-01-05T10:00:00.123456Z', Date.UTC(2026, 0, 5, 10, 0, 0, 123)],
    ['soon', undefined],
    ['', undefined],
  ])('%s is %s', (text, instant) => {
    const annotations = { 'batch.kubernetes.io/cronjob-scheduled-timestamp': text };
    expect((readObject(job({ metadata: { ...metadata, annotations } })) as JobFacts).scheduledAt).toBe(instant);
  });
});

describe('what people put into objects', () => {
  it('reaches the facts only from annotations that a rule reads', () => {
    const annotations = {
      'k8s.cronitor.io/key': 'kept',
      'example.com/token': 'secret-1',
      'kubectl.kubernetes.io/last-applied-configuration': '{"password":"secret-2"}',
      'xk8s.cronitor.io/key': 'secret-3',
      __proto__pad: 'secret-4',
    };
    const env = [{ name: 'PASSWORD', value: 'secret-5' }];
    const template = { spec: { containers: [{ name: 'main', env, args: ['secret-6'] }] } };
    const facts = [
      readObject(cronJob({ metadata: { ...metadata, annotations }, spec: { jobTemplate: { spec: { template } } } })),
      readObject(job({ metadata: { ...metadata, annotations }, spec: { template } })),
      readObject(pod({ metadata: { ...metadata, annotations, managedFields: ['secret-7'] }, spec: template.spec })),
    ];
    for (const read of facts) expect(read?.annotations).toEqual({ 'k8s.cronitor.io/key': 'kept' });
    expect(JSON.stringify(facts)).not.toContain('secret');
  });

  it('may be called __proto__ and constructor', () => {
    const hostile = JSON.parse(
      `{"apiVersion":"v1","kind":"Pod","__proto__":{"status":{"phase":"Failed"}},"metadata":{"uid":"u","name":"n",
        "resourceVersion":"1","labels":{"__proto__":"x","constructor":"y","a":"b"},"__proto__":{"namespace":"stolen"}},
        "status":{"containerStatuses":[{"name":"__proto__","state":{"waiting":{"reason":"constructor"}}}]}}`,
    ) as KubeObject;
    const facts = readObject(hostile) as PodFacts;
    expect(facts).toMatchObject({ phase: 'Pending', namespace: '' });
    expect(Object.entries(facts.labels)).toEqual([
      ['__proto__', 'x'],
      ['a', 'b'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(facts.labels)).toBe(Object.prototype);
    expect(facts.containers[0]?.waiting?.reason).toBe('constructor');
  });

  it('is cut to 2,000 characters, never inside one', () => {
    const message = `${'x'.repeat(1_998)}🙂${'y'.repeat(9_000)}`;
    const facts = readObject(
      job({ status: { conditions: [{ type: 'Failed', status: 'True', message }] } }),
    ) as JobFacts;
    const text = facts.conditions[0]?.message ?? '';
    expect(text).toHaveLength(2_000);
    expect(text.endsWith('…')).toBe(true);
    expect(text.isWellFormed()).toBe(true);
    expect(textAt({ text: 'x'.repeat(2_000) }, 'text')).toBe('x'.repeat(2_000));
  });
});

/** Fields that some reader looks at, with values of every type in any of them. */
const FIELDS = [
  'metadata',
  'spec',
  'status',
  'uid',
  'name',
  'resourceVersion',
  'annotations',
  'labels',
  'ownerReferences',
  'controller',
  'conditions',
  'type',
  'reason',
  'message',
  'containerStatuses',
  'initContainerStatuses',
  'initContainers',
  'state',
  'lastState',
  'waiting',
  'running',
  'terminated',
  'exitCode',
  'restartCount',
  'finishedAt',
  'startTime',
  'active',
  'suspend',
  'schedule',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  '__proto__',
];
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom(null, true, '', 'True', '2026-01-05T10:00:00Z', 137, -1, Number.NaN, Infinity, new Uint8Array(3)),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...FIELDS), tie('value'), { maxKeys: 8 }),
})).object as fc.Arbitrary<KubeObject>;

describe('an object with anything anywhere', () => {
  it('is read, and its facts survive the store', () => {
    const kinds = fc.constantFrom(pod, job, cronJob);
    fc.assert(
      fc.property(kinds, anything, anything, anything, (kind, meta, spec, status) => {
        const facts = readObject(kind({ metadata: { ...metadata, ...meta }, spec, status }))!;
        expect(JSON.parse(JSON.stringify(facts))).toEqual(JSON.parse(JSON.stringify({ ...facts })));
        expect(typeof facts.uid + typeof facts.name + typeof facts.resourceVersion).toBe('stringstringstring');
        for (const type of [(facts as JobFacts).active, (facts as CronJobFacts).schedule, (facts as PodFacts).phase])
          expect(['undefined', 'number', 'string']).toContain(typeof type);
      }),
      { numRuns: 1_000 },
    );
  });
});
