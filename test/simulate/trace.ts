import { createHash } from 'node:crypto';

/** What happened, in order, a line each; its digest is the same when every line is. */
export class Trace {
  readonly lines: string[] = [];

  add(at: number, text: string): void {
    this.lines.push(`${new Date(at).toISOString().slice(5, 23).replace('T', ' ')}  ${text}`);
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
