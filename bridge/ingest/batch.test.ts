import { expect, it } from 'vitest';
import { T0 } from '../../test/fixtures/facts.ts';
import { readList } from './batch.ts';

it('takes a LIST as proof that scheduled times are known only where it shows CronJobs', () => {
  const objects = (kind: string) => [{ apiVersion: 'v1', kind, metadata: { uid: 'u', resourceVersion: '1' } }];
  expect(readList(objects('CronJob'), T0).newestAt).toBe(T0);
  expect(readList(objects('Pod'), T0).newestAt).toBe(0);
  expect(readList([], T0).newestAt).toBe(0);
});
