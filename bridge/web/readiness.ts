import { errorText } from '../lib/errors.ts';
import type { Readiness } from './options.ts';

/** Every page shows it: one durable write per second is enough. */
const FRESH_MS = 1_000;
const PATIENCE_MS = 2_000;

/**
 * Ready iff `probe` (a durable write) succeeds within 2 s. It is asked at most once per second and never twice at the
 * same time; `report` and `notes` are shown, not judged.
 */
export function createReadiness(
  probe: () => Promise<unknown>,
  report: () => object,
  notes?: () => readonly string[],
): () => Promise<Readiness> {
  let answer: Promise<string | undefined> | undefined;
  let freshUntil = 0;
  const problem = (): Promise<string | undefined> => {
    if (answer === undefined || performance.now() > freshUntil) {
      freshUntil = Infinity;
      answer = probe()
        .then(() => undefined, errorText)
        .finally(() => (freshUntil = performance.now() + FRESH_MS));
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
