import { printable } from '../lib/printable.ts';
import { secretForms } from '../lib/secret-forms.ts';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger };
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Shorter texts are not secrets, and replacing them would garble every line. */
const SHORTEST_SECRET = 4;
const SECRET_KEYS = ['apiKey', 'token', 'password', 'dsn', 'authorization'];

/**
 * JSON lines of printable characters with `level` as text, ISO `time` and `msg`, on stdout unless another stream is given. Every configured
 * secret is replaced wherever it appears, also inside URLs and stacks. Logging never throws.
 */
export function createLogger(level: LogLevel, secrets: readonly string[], stream?: DestinationStream): Logger {
  const out = stream ?? stdout();
  const redact = redactor(secrets);
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '<redacted>' },
    },
    { write: (line) => tryWrite(out, printable(redact(line))) },
  );
}

/** Standard output. */
export const stdout = (): DestinationStream => destination({ dest: 1, sync: true });

/** Lines go to both, to the first one first. */
export function teed(first: DestinationStream, second: Pick<DestinationStream, 'write'>): DestinationStream {
  return { write: (line) => (tryWrite(first, line), tryWrite(second, line)) };
}

/** A log that cannot be written (its disk is full, its reader is gone) may not stop the bridge: the line is lost. */
function tryWrite(out: Pick<DestinationStream, 'write'>, line: string): void {
  try {
    out.write(line);
  } catch {
    // There is nowhere left to report it.
  }
}

/** Replaces each secret in a text, however it is spelled or encoded. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(secretForms);
  const longestFirst = [...new Set(spellings)].toSorted((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((clean, secret) => clean.replaceAll(secret, '<redacted>'), text);
}
