import type { Condition } from '../kubernetes/observation.ts';

/** The condition of a type whose status is "True", wherever it stands in the list. */
export function trueCondition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type && condition.status === 'True');
}
