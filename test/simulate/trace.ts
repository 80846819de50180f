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
