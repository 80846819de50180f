import type { Instant } from '../lib/clock.ts';
import type { KubeObject } from './fields.ts';
import { messageAt, objectsAt, textAt, timeAt } from './fields.ts';
import type { FieldsPlan } from './plan.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly at: Instant | undefined;
}

export const CONDITIONS: FieldsPlan = {
  type: 'scalar',
  status: 'scalar',
  reason: 'scalar',
  message: 'scalar',
  lastTransitionTime: 'scalar',
};

/** All conditions of a status: rules look them up by type and status "True", never by position. */
export function readConditions(status: KubeObject): Condition[] {
  return objectsAt(status, 'conditions').map(readCondition);
}

export function readCondition(condition: KubeObject): Condition {
  return {
    type: textAt(condition, 'type') ?? '',
    status: textAt(condition, 'status') ?? '',
    reason: messageAt(condition, 'reason'),
    message: messageAt(condition, 'message'),
    at: timeAt(condition, 'lastTransitionTime'),
  };
}
