import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Python } from '../harness/python.ts';
import { pythonWith } from '../harness/python.ts';

const SCRIPT = fileURLToPath(new URL('normalise.py', import.meta.url));
const MAX_OUTPUT = 256 * 1024 * 1024;

/** An event as Sentry keeps it. */
export interface Normalised {
  readonly tags?: unknown;
  readonly contexts?: unknown;
  readonly breadcrumbs?: unknown;
  readonly logentry?: unknown;
  readonly errors?: readonly unknown[];
  /** What was cut or removed, where. */
  readonly _meta?: unknown;
}

/** Python with Sentry's own normaliser of events. */
export function pythonWithRelay(): Python {
  return pythonWith('sentry-relay==0.9.31');
}

/** What Sentry makes of events that it receives at this time. */
export function normalise(
  { command, env }: Extract<Python, { command: string }>,
  events: readonly unknown[],
  receivedAt: number,
): Normalised[] {
  const input = JSON.stringify({ received: new Date(receivedAt).toISOString(), events });
  const output = execFileSync(command, [SCRIPT], { env, input, maxBuffer: MAX_OUTPUT });
  return JSON.parse(output.toString()) as Normalised[];
}
