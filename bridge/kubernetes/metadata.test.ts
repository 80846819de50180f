import { describe, expect, it } from 'vitest';
import { readMetadata } from './metadata.ts';

const of = (metadata: object) =>
  readMetadata({ metadata: { uid: 'u', resourceVersion: '1', ...metadata } }, () => false);
const owner = { controller: true, uid: 'o', apiVersion: 'batch/v1', kind: 'Job', name: 'import' };

describe('the generateName of an object', () => {
  it.each([
    ['import-x2x4z', 'import-', 'import-'],
    ['import-mysql', undefined, undefined],
    ['import-mysql', '', undefined],
    ['given-by-hand', 'import-', undefined],
    ['import-by-hand', 'import-', undefined],
    [`${'a'.repeat(58)}x2x4z`, 'a'.repeat(80), 'a'.repeat(58)],
  ])('of the name %s with generateName %s is %s', (name, generateName, kept) => {
    expect(of({ name, generateName }).generateName).toBe(kept);
  });

  it('is not kept of what has a controller, by which it is grouped', () => {
    expect(of({ name: 'import-x2x4z', generateName: 'import-', ownerReferences: [owner] })).not.toHaveProperty(
      'generateName',
    );
  });
});
