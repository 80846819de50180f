import { describe, expect, it } from 'vitest';
import { T0 } from '../../test/fixtures/facts.ts';
import { READING } from '../../test/fixtures/default-sink.ts';
import { encodeLogs, watchBody } from '../../test/otlp-client.ts';
import { readList, readRequest } from './batch.ts';

it('takes a LIST as proof that scheduled times are known only where it shows CronJobs', () => {
  const objects = (kind: string) => [
    { apiVersion: 'v1', kind, metadata: { uid: 'u', name: 'n', resourceVersion: '1' } },
  ];
  expect(readList(objects('CronJob'), T0, READING).newestAt).toBe(T0);
  expect(readList(objects('Pod'), T0, READING).newestAt).toBe(0);
  expect(readList([], T0, READING).newestAt).toBe(0);
});

it.each([
  [T0 - 86_400_000, T0 - 86_400_000],
  [T0 + 60_000, T0 + 60_000],
  // The last instant that a fixed64 of nanoseconds can hold.
  [18_446_744_073_709, T0],
  [0, T0],
])('a record that was seen at %d, received at T0, counts as seen at %d', (stamped, counted) => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { uid: 'u', name: 'n', resourceVersion: '1' } };
  const batch = readRequest(encodeLogs([{ body: watchBody('DELETED', object), observedAt: stamped }]), T0);
  expect(batch.observations[0]?.observedAt).toBe(counted);
  expect(batch.newestAt).toBe(counted);
});

it.each([
  [T0 + 5_000, T0 + 5_000],
  [T0 - 2_000, T0],
  [1, T0 + 60_000],
])('a record that was seen at %d of an object that is there since T0 counts as seen at %d', (stamped, counted) => {
  const metadata = { uid: 'u', name: 'n', resourceVersion: '1', creationTimestamp: new Date(T0).toISOString() };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata };
  const batch = readRequest(encodeLogs([{ body: watchBody('DELETED', object), observedAt: stamped }]), T0 + 60_000);
  expect(batch.observations[0]?.observedAt).toBe(counted);
});

describe('a record that cannot be decoded', () => {
  const pod = (uid: string) =>
    watchBody('ADDED', { apiVersion: 'v1', kind: 'Pod', metadata: { uid, name: uid, resourceVersion: '1' } });
  /** An export in which the text of one record says that it goes on beyond its end. */
  const torn = (...bodies: readonly unknown[]): Buffer => {
    const request = encodeLogs(bodies.map((body) => ({ body })));
    request[request.indexOf('torn') - 1] = 120;
    return request;
  };

  it('is quarantined alone, and the others of its request are taken', () => {
    const batch = readRequest(torn(pod('a'), 'torn', pod('b')), T0, READING);
    expect(batch.undecodable).toBeUndefined();
    expect(batch.observations.map(({ facts }) => facts.uid)).toEqual(['a', 'b']);
    const error = 'a length beyond the end of its message';
    expect(batch.quarantine).toEqual([expect.objectContaining({ reason: 'undecodable', error })]);
    expect(batch.quarantine[0]?.subject).toMatch(/^record\//);
    expect(batch.records.map(({ kind, result }) => [kind, result])).toEqual([
      ['unknown', 'undecodable'],
      ['Pod', 'observed'],
      ['Pod', 'observed'],
    ]);
  });

  it('makes its request refused when nothing else is in it', () => {
    const batch = readRequest(torn('torn'), T0, READING);
    expect(batch.undecodable).toMatch(/beyond the end/);
    expect(batch.quarantine.map(({ subject }) => subject)).toEqual([expect.stringMatching(/^request\//)]);
  });
});
