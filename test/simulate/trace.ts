import { createHash } from 'node:crypto';

const MINUTE = 60_000;

/** What happened, in order, a line each; its digest is the same when every line is. */
export class Trace {
  readonly lines: string[] = [];
  #minute = 0;
  /** That minute as text. */
  #prefix = '';

  add(at: number, text: string): void {
    const ms = Math.trunc(at);
    if (ms < this.#minute || ms >= this.#minute + MINUTE || this.#prefix === '') {
      this.#minute = ms - (ms % MINUTE);
      this.#prefix = new Date(ms).toISOString().slice(5, 17).replace('T', ' ');
    }
    const seconds = ((ms - this.#minute) / 1_000).toFixed(3).padStart(6, '0');
    this.lines.push(`${this.#prefix}${seconds}  ${text}`);
  }

  digest(): string {
    return createHash('sha256')
      .update(`${this.lines.join('\n')}\n`)
      .digest('hex')
      .slice(0, 16);
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
