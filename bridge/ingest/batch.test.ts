import { expect, it } from 'vitest';
import { T0 } from '../../test/fixtures/facts.ts';
import { encodeLogs, watchBody } from '../../test/otlp-client.ts';
import { readList, readRequest } from './batch.ts';

it('takes a LIST as proof that scheduled times are known only where it shows CronJobs', () => {
  const objects = (kind: string) => [
    { apiVersion: 'v1', kind, metadata: { uid: 'u', name: 'n', resourceVersion: '1' } },
  ];
  expect(readList(objects('CronJob'), T0).newestAt).toBe(T0);
  expect(readList(objects('Pod'), T0).newestAt).toBe(0);
  expect(readList([], T0).newestAt).toBe(0);
});

it.each([
  [T0 - 86_400_000, T0 - 86_400_000],
  [T0 + 60_000, T0 + 60_000],
  // The last instant that a fixed64 of nanoseconds can tell.
  [18_446_744_073_709, T0],
  [0, T0],
])('a record that was seen at %d, received at T0, counts as seen at %d', (told, counted) => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { uid: 'u', name: 'n', resourceVersion: '1' } };
  const batch = readRequest(encodeLogs([{ body: watchBody('DELETED', object), observedAt: told }]), T0);
  expect(batch.observations[0]?.observedAt).toBe(counted);
  expect(batch.newestAt).toBe(counted);
});
