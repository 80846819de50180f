import { causeOf } from './cause.ts';
import type { Attempt, Run } from './transition.ts';

/** How a run went, in the words of the semantic conventions (`cicd.pipeline.result`). */
export type RunResult = 'success' | 'failure' | 'error' | 'timeout' | 'cancellation';

const RESULTS: Readonly<Record<string, RunResult>> = {
  succeeded: 'success',
  cancelled: 'cancellation',
  replaced: 'cancellation',
  superseded: 'cancellation',
  rolled_back: 'cancellation',
};

/** Of a run that is over. `failure`: the work failed; `error`: the cluster did; `timeout`: a deadline. */
export function resultOf(run: Run, attempts: readonly Attempt[]): RunResult {
  const known = RESULTS[run.status];
  if (known !== undefined) return known;
  if (run.status !== 'failed') return 'error';
  if (run.reason === 'DeadlineExceeded' || run.reason === 'ProgressDeadlineExceeded') return 'timeout';
  return causeOf(run, attempts)?.culprit?.failed === 'disrupted' ? 'error' : 'failure';
}

/** Why a run ended badly (`error.type`); undefined where it did not. */
export function errorTypeOf({ reason, status }: Run, result: RunResult): string | undefined {
  return result === 'success' || result === 'cancellation' ? undefined : (reason ?? status);
}
