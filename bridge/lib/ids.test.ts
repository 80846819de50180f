import { expect, it } from 'vitest';
import { uuidv5 } from './ids.ts';

it('makes the UUIDv5 that RFC 9562 asks for', () => {
  // Python: uuid.uuid5(UUID('6c1f1e0c-0d5b-4d5e-9d0a-8a7f6b2c4e31'), …)
  const name = '33333333-0000-4000-8000-000000000001/1767607500000';
  expect(uuidv5(name)).toBe('e08f9228-a998-50e6-a26d-d901b25a897e');
});
