import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { OutboxModel, step } from '../../testing/outbox-model.ts';

it('never sends a lane out of order, loses an intent, sends a settled one again, or sleeps while one is due', () => {
  const property = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
    const model = new OutboxModel();
    try {
      steps.forEach((step) => model.apply(step));
      model.finish();
    } finally {
      model.t.remove();
    }
  });
  expect(() => fc.assert(property, { numRuns: 40 })).not.toThrow();
});
