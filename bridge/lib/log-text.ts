import type { Reason } from './reasons.ts';
import { reasonText } from './reasons.ts';

interface LogText {
  readonly container: string;
  readonly instance: number;
  /** Undefined while it is being read. */
  readonly outcome: Extract<Reason, `log_${string}`> | 'kept' | undefined;
  readonly detail: string | undefined;
  readonly bytes: number;
  readonly cut: boolean;
}

/** The container, and which of its starts. */
export function logName({ container, instance }: LogText): string {
  return instance === 0 ? container : `${container}, restart ${instance}`;
}

/** What became of a log, as people read it. */
export function logOutcome({ outcome, detail, bytes, cut }: LogText): string {
  if (outcome === undefined) return detail === undefined ? 'is being read' : `is tried again: ${detail}`;
  if (outcome === 'kept') return `${cut ? 'the last ' : ''}${bytes} bytes`;
  return reasonText(outcome, detail);
}
