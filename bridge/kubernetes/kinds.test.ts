import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CRON_JOB, hostileFrom, JOB, POD, time } from '../../test/fixtures/hostile.ts';
import type { JsonObject } from '../../test/fixtures/hostile.ts';
import * as objects from '../../test/fixtures/workload-objects.ts';
import { recordedObjects } from '../../test/fixtures/recorded.ts';
import { encodeLogs } from '../../test/otlp-client.ts';
import { decodeLogs } from '../otlp/decode/decode.ts';
import { levelsOf } from '../otlp/decode/levels.ts';
import { KINDS, readerOf } from './kinds.ts';
import type { Kind } from './observation.ts';
import { PREFIX, readObject } from '../../test/fixtures/default-sink.ts';
import { keeping } from './annotations.ts';

const ALL = Object.keys(KINDS) as Kind[];
const keeps = keeping([PREFIX]);
const read = readerOf(ALL, keeps);
const at = Date.parse(time);

describe('the table of kinds', () => {
  it.each(ALL)('%s is found by its own name and by no other', (kind) => {
    const { apiVersion } = KINDS[kind];
    expect(read({ apiVersion, kind })?.kind).toBe(kind);
    expect(read({ apiVersion: 'example.com/v1', kind })).toBeUndefined();
  });

  it('has what is in no namespace, what the audit does not LIST, and what may be old when it is seen first', () => {
    expect(ALL.filter((kind) => !KINDS[kind].namespaced)).toEqual(['Namespace', 'Node']);
    expect(ALL.filter((kind) => KINDS[kind].audit === 'none')).toEqual(['Event']);
    expect(ALL.filter((kind) => !KINDS[kind].longLived)).toEqual(['Job', 'Pod', 'Event']);
  });

  it('of a kind that is not followed the bridge reads nothing', () => {
    expect(objects.WORKLOAD_OBJECTS.map((object) => readObject(object))).toEqual(
      objects.WORKLOAD_OBJECTS.map(() => undefined),
    );
  });
});

describe('the facts of', () => {
  const generations = { generation: 3, observedGeneration: 3 };

  it('a Deployment are its revision, its counts, and when its conditions were written last', () => {
    expect(read(objects.DEPLOYMENT)).toMatchObject({
      kind: 'Deployment',
      generation: 3,
      observedGeneration: 2,
      revision: 7,
      paused: true,
      desired: 3,
      replicas: 4,
      updated: 1,
      ready: 3,
      available: 2,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', at }],
      annotations: { 'k8s.cronitor.io/key': 'k1' },
    });
  });

  it('a Deployment that its controller has not seen are none of its counts', () => {
    const fresh = { ...objects.DEPLOYMENT, metadata: { uid: 'w1', generation: 1 }, spec: {}, status: {} };
    expect(read(fresh)).toMatchObject({ observedGeneration: 0, revision: undefined, desired: 1, updated: 0 });
  });

  it('a StatefulSet are its revisions and how many pods its partition holds back', () => {
    expect(read(objects.STATEFUL_SET)).toMatchObject({
      ...generations,
      onDelete: false,
      partition: 2,
      currentRevision: 'ledger-1',
      updateRevision: 'ledger-2',
      desired: 3,
      replicas: 3,
      updated: 1,
      ready: 3,
      available: 2,
    });
  });

  it('a StatefulSet of an old Kubernetes take a pod that is ready for available', () => {
    const { availableReplicas: _, ...status } = objects.STATEFUL_SET['status'] as JsonObject;
    expect(read({ ...objects.STATEFUL_SET, status })).toMatchObject({ ready: 3, available: 3 });
  });

  it('a DaemonSet are how often its template changed and on how many nodes it is', () => {
    expect(read(objects.DAEMON_SET)).toMatchObject({
      ...generations,
      onDelete: true,
      templateGeneration: 7,
      desired: 5,
      replicas: 4,
      updated: 3,
      ready: 2,
      available: 1,
    });
  });

  it('a ReplicaSet are few: of what it copied from its Deployment only annotations that are read', () => {
    expect(read(objects.REPLICA_SET)).toEqual({
      kind: 'ReplicaSet',
      uid: 'r1',
      namespace: 'shop',
      name: 'web-7',
      resourceVersion: '100',
      createdAt: at,
      deletionAt: at,
      owner: { group: 'apps', kind: 'Deployment', name: 'web', uid: 'w1' },
      labels: { 'pod-template-hash': '7' },
      annotations: { 'k8s.cronitor.io/key': 'copied' },
      images: ['shop/web:2'],
      restartedAt: at,
      revision: 7,
      former: [1, 4],
      desired: 3,
      replicas: 2,
      available: 1,
    });
  });

  it('a ControllerRevision are its number and the images that it holds', () => {
    expect(read(objects.CONTROLLER_REVISION)).toMatchObject({
      revision: 2,
      images: ['shop/web:2'],
      restartedAt: at,
      templateGeneration: 5,
      labels: { 'controller-revision-hash': '2' },
      annotations: {},
      owner: { kind: 'StatefulSet' },
    });
  });

  it('a node are its conditions without their heartbeat', () => {
    const facts = read(objects.NODE);
    const [condition] = (objects.NODE['status'] as { conditions: JsonObject[] }).conditions;
    const later = { ...condition, lastHeartbeatTime: '2026-03-01T10:05:00Z' };
    expect(facts).toMatchObject({ unschedulable: true, conditions: [{ type: 'Ready', status: 'True' }] });
    expect(read({ ...objects.NODE, status: { conditions: [later] } })).toEqual(facts);
  });
});

describe('the facts of an Event', () => {
  it('are the same in both shapes', () => {
    expect(read(objects.EVENT)).toMatchObject({
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
      regarding: { group: '', kind: 'Pod', namespace: 'shop', name: 'report-1-a', uid: 'p1' },
      component: 'kubelet',
      instance: 'node-1',
      count: 12,
      firstAt: Date.parse('2026-03-01T09:00:00Z'),
      lastAt: at,
    });
    expect(read(objects.CORE_EVENT)).toEqual(read(objects.EVENT));
  });

  it('of a series are its count and its last time, with fractions of a second', () => {
    expect(read(objects.SERIES_EVENT)).toMatchObject({
      count: 3,
      firstAt: Date.parse('2026-03-01T09:00:00.123Z'),
      lastAt: Date.parse('2026-03-01T10:00:00.500Z'),
      component: 'default-scheduler',
    });
  });

  it('that says neither count nor time happened once, when it was made', () => {
    const { kind, apiVersion, metadata } = objects.EVENT;
    expect(read({ kind, apiVersion, metadata })).toMatchObject({ count: 1, firstAt: at, lastAt: at, type: '' });
  });
});

describe('an object of any kind', () => {
  it.each([...objects.WORKLOAD_OBJECTS, CRON_JOB, JOB, POD])(
    '$kind $apiVersion is read the same from its bytes',
    (object) => {
      const [record] = decodeLogs(encodeLogs([{ body: { type: 'ADDED', object } }]), levelsOf(ALL, keeps));
      const body = record?.body as { object: JsonObject };
      expect(read(body.object)).toEqual(read(object));
      expect(JSON.stringify(body)).not.toContain('SEED');
    },
  );

  it('holds nothing that another room cannot bear, whatever its fields hold', () => {
    const hostile = fc.constantFrom(...objects.WORKLOAD_OBJECTS).chain(hostileFrom);
    fc.assert(
      fc.property(hostile, (object) => {
        // The API server bounds the values of labels and annotations; what an image loses may be shorter than its mark.
        const { labels: _, annotations: __, ...own } = read(object)!;
        expect(leaves(own).filter((value) => !isBearable(value))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of a real node holds no command and no annotation that nothing reads', async () => {
    const facts = (await recordedObjects()).flatMap(({ object }) => read(object) ?? []);
    expect(new Set(facts.map(({ kind }) => kind))).toEqual(
      new Set(['CronJob', 'Job', 'Pod', 'Event', 'Deployment', 'StatefulSet', 'ReplicaSet', 'ControllerRevision']),
    );
    expect(JSON.stringify(facts)).not.toMatch(/last-applied|managedFields|addtime|f:metadata|imagePullPolicy|sleep/);
  });
});

describe('what a person or a program wrote', () => {
  const secret = 'password=SEED postgres://app:SEED@db';
  it.each([
    ['note', { ...objects.EVENT, note: secret }],
    ['message', { ...objects.CORE_EVENT, message: secret, reason: secret }],
    ['condition', { ...objects.NODE, status: { conditions: [{ type: 'Ready', message: secret, reason: secret }] } }],
    ['condition', { ...objects.DEPLOYMENT, status: { conditions: [{ type: 'Progressing', message: secret }] } }],
    [
      'image',
      { ...objects.REPLICA_SET, spec: { template: { spec: { containers: [{ image: 'bob:SEED@r.example/a' }] } } } },
    ],
    ['annotation', { ...objects.NAMESPACE, metadata: { uid: 'u', annotations: { 'k8s.cronitor.io/note': secret } } }],
  ])('as a %s is kept without its secrets', (_where, object) => {
    const facts = JSON.stringify(read(object));
    expect(facts).not.toContain('SEED');
    expect(facts).toContain('[redacted]');
  });
});

function leaves(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap((inner) => leaves(inner));
}

/** No long text; no number but a count, a generation or a time from 1970 to 9999. */
function isBearable(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= 2_010;
  if (typeof value !== 'number') return true;
  return Number.isSafeInteger(value) && value >= 0 && value <= 253_402_300_799_999;
}
