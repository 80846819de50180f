import { errorText } from '../lib/errors.ts';
import type { Readiness } from './options.ts';

/** How long what was proven counts, if nothing failed since; a failure is looked at again after a second. */
const PROVEN_MS = 60_000;
const FAILED_MS = 1_000;
const PATIENCE_MS = 2_000;

/**
 * Ready iff `probe` (a durable write) succeeds within 2 s. It is asked once a minute at most, every second while it fails or
 * anything else is wrong with the store (`isInDoubt`), and never twice at the same time; `report` and `notes` are shown,
 * not judged.
 */
export function createReadiness(
  probe: () => Promise<unknown>,
  report: () => object,
  notes?: () => readonly string[],
  isInDoubt: () => boolean = () => false,
): () => Promise<Readiness> {
  let answer: Promise<string | undefined> | undefined;
  let askedAt = 0;
  let failed = false;
  const problem = (): Promise<string | undefined> => {
    if (performance.now() - askedAt > (failed || isInDoubt() ? FAILED_MS : PROVEN_MS)) answer = undefined;
    if (answer === undefined) {
      askedAt = Infinity;
      answer = probe().then(() => undefined, errorText);
      void answer.then((error) => ((failed = error !== undefined), (askedAt = performance.now())));
    }
    return answer;
  };
  return async () => {
    const late = Promise.withResolvers<string>();
    const timer = setTimeout(() => late.resolve(`no commit within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    const found = await Promise.race([problem(), late.promise]);
    clearTimeout(timer);
    return {
      ready: found === undefined,
      report: { commit: found ?? 'ok', ...report() },
      ...(notes && { notes: notes() }),
    };
  };
}
