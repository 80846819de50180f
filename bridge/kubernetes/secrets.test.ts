import { describe, expect, it } from 'vitest';
import { readObject } from '../../test/fixtures/default-sink.ts';

let seeds = 0;
/** A message as programs leave them, with a secret of its own. */
const seeded = (): string => `login failed password=SEED${++seeds}x postgres://app:SEED${++seeds}y@db/shop`;

const metadata = {
  uid: 'u',
  name: 'report',
  namespace: 'shop',
  resourceVersion: '1',
  labels: { app: 'report', token: 'ghp_SEED0123456789abcdef' },
  annotations: {
    'k8s.cronitor.io/note': 'runbook https://bot:SEED@wiki/x',
    'k8s.cronitor.io/key': 'report',
    'k8s.cronitor.io/api-key': 'SEED0123',
    'kubectl.kubernetes.io/last-applied-configuration': seeded(),
    'example.com/password': seeded(),
  },
};
const terminated = () => ({ exitCode: 1, reason: 'Error', message: seeded() });
const status = (name: string) => ({
  name,
  image: 'bob:SEED@registry.example/busybox:1',
  restartCount: 1,
  state: { terminated: terminated(), waiting: { reason: 'CrashLoopBackOff', message: seeded() } },
  lastState: { terminated: terminated() },
});
const container = (name: string) => ({
  name,
  image: 'busybox',
  args: [`--password=${seeded()}`],
  command: ['sh', '-c', seeded()],
  env: [{ name: 'DB_PASSWORD', value: seeded() }],
});
const condition = (type: string) => ({ type, status: 'False', reason: 'Unschedulable', message: seeded() });
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: {
    containers: [container('main')],
    initContainers: [container('init')],
    ephemeralContainers: [container('debug')],
  },
  status: {
    phase: 'Failed',
    reason: 'Evicted',
    message: seeded(),
    conditions: ['PodScheduled', 'Ready'].map(condition),
    containerStatuses: [status('main')],
    initContainerStatuses: [status('init')],
    ephemeralContainerStatuses: [status('debug')],
  },
};
const template = { template: { metadata, spec: pod.spec } };
const job = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata,
  spec: template,
  status: { conditions: ['Failed', 'FailureTarget', 'Suspended'].map(condition) },
};
const cronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata,
  spec: { schedule: '* * * * *', jobTemplate: { metadata, spec: template } },
};

describe('the facts of an object whose every text holds a secret', () => {
  it.each([
    [pod, 'login failed password=[redacted] postgres://[redacted]@db/shop'],
    [job, 'login failed password=[redacted] postgres://[redacted]@db/shop'],
    [cronJob, 'runbook https://[redacted]@wiki/x'],
  ])('hold none of them, and all else', (object, kept) => {
    const facts = JSON.stringify(readObject(object));
    expect(facts).not.toContain('SEED');
    expect(facts).toContain('"app":"report"');
    expect(facts).toContain(kept);
  });

  it('hold none when a message is longer than what is kept of it', () => {
    const long = (message: string) => readObject({ ...pod, status: { phase: 'Failed', message } });
    const key = `-----BEGIN PRIVATE KEY-----\n${'SEEDabc\n'.repeat(800)}-----END PRIVATE KEY-----`;
    for (const message of [
      `${'x '.repeat(996)}password=SEED`,
      `${key} ${'y '.repeat(700)}postgres://app:SEED@db`,
      `${'token=abcdefghijklmnopqrstuvwxyz '.repeat(242)} postgres://app:SEED${'z'.repeat(300)}@db`,
    ]) {
      const facts = long(message);
      expect(JSON.stringify(facts)).not.toContain('SEED');
      expect(facts?.kind === 'Pod' && facts.message?.length).toBeLessThanOrEqual(2000);
    }
  });

  it('have no control character in a message, and a message of nothing else is none', () => {
    const read = (message: string) => readObject({ ...pod, status: { phase: 'Failed', message } });
    expect(read('\u001B]0;title\u0007\u001B[2Jgone\u009B31m \u202Etxt')).toMatchObject({ message: 'gone txt' });
    expect(read('\u0000\u0007')).toMatchObject({ message: undefined });
  });

  it('keep a key and labels as they are', () => {
    const odd = { ...metadata, annotations: { 'k8s.cronitor.io/key': 'a\u0000b' }, labels: { pass: 'token' } };
    expect(readObject({ ...cronJob, metadata: odd })).toMatchObject({
      annotations: { 'k8s.cronitor.io/key': 'a\u0000b' },
      labels: { pass: 'token' },
    });
  });
});
