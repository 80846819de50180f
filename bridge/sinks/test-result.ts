import type { Delivery } from './sink.ts';

export interface TestResult {
  readonly delivery: Delivery;
  /** What was done at the vendor, in words, as far as it went; may be empty. */
  readonly did: string;
}
