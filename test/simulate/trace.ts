import { createHash } from 'node:crypto';

/** What happened, in order, a line each; its digest is the same when every line is. */
export class Trace {
  readonly lines: string[] = [];
  readonly #hash = createHash('sha256');

  add(at: number, text: string): void {
    const line = `${new Date(at).toISOString().slice(5, 23).replace('T', ' ')}  ${text}`;
    this.#hash.update(line).update('\n');
    this.lines.push(line);
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}

/** What a line says of an object's status. */
export function statusText(status: object): string {
  const { conditions = [], ...rest } = status as {
    conditions?: { type: string }[];
    phase?: string;
    startTime?: string;
  };
  const types = conditions.map(({ type }) => type).join('+');
  return [rest.phase, rest.startTime === undefined ? '' : 'started', types].filter(Boolean).join(' ');
}

/** What was answered to an export. */
export function resultOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'result' in value ? String(value.result) : '';
}
