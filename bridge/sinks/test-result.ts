import type { Deliverer } from './sink.ts';

/** How the test of a destination went; `did`: what was done at the vendor, in words, as far as it went; may be empty. */
export type TestResult = Awaited<ReturnType<NonNullable<Deliverer['test']>>>;
