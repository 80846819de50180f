import { errorText } from '../lib/errors.ts';
import { columns } from './terminal.ts';

export interface ProbeResult {
  readonly ok: boolean;
  /** What was found, in a line. */
  readonly detail: string;
  /** What to do now; with `ok` it is a hint, not a failure. */
  readonly next?: string;
}

/** One thing that `check` tries. */
export interface Probe {
  readonly name: string;
  run(): Promise<ProbeResult>;
}

const PATIENCE_MS = 15_000;

/** The results in the order of the probes; one that throws or does not answer has failed. */
export async function runProbes(probes: readonly Probe[]): Promise<(ProbeResult & { name: string })[]> {
  return Promise.all(probes.map(async (probe) => ({ name: probe.name, ...(await settled(probe)) })));
}

async function settled(probe: Probe): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const timer = setTimeout(
    () => resolve({ ok: false, detail: `no answer within ${PATIENCE_MS / 1000} s` }),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([probe.run(), promise]);
  } catch (error) {
    return { ok: false, detail: errorText(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** A line per result (✓ works, ! works but look, ✗ failed) and what to do below it. */
export function renderProbes(results: readonly (ProbeResult & { name: string })[]): string {
  const lines = columns(results.map((result) => [sign(result), result.name, result.detail])).split('\n');
  return results
    .flatMap(({ next }, index) => [lines[index] ?? '', ...(next === undefined ? [] : [`     → ${next}`])])
    .join('\n');
}

function sign({ ok, next }: ProbeResult): string {
  if (!ok) return '✗';
  return next === undefined ? '✓' : '!';
}
