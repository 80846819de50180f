import { expect, it } from 'vitest';
import { POD } from './kinds/pod.ts';

const reference = (name: string, controller?: boolean) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  name,
  uid: name,
  controller,
});
const read = (...ownerReferences: object[]) =>
  POD.read({ metadata: { uid: 'u', name: 'p', resourceVersion: '1', ownerReferences } });

it('all owners of an object are kept in their order where there are others than the controller', () => {
  expect(read(reference('a'), reference('b', true))).toMatchObject({
    owner: { name: 'b' },
    owners: [{ name: 'a' }, { name: 'b' }],
  });
  expect(read(reference('a', false)).owners).toEqual([{ group: 'batch', kind: 'Job', name: 'a', uid: 'a' }]);
});

it('of an object that has a controller only, or no owner, nothing more is kept', () => {
  expect(read(reference('b', true))).not.toHaveProperty('owners');
  expect(read()).not.toHaveProperty('owners');
});

it('of thousands of owners ten are kept', () => {
  expect(read(...Array.from({ length: 5_000 }, (_, n) => reference(`o${n}`))).owners).toHaveLength(10);
});
