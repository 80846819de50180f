/** An error that a person can act on: `message` says what is wrong, `next` what to do now. */
export class UserError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = 'UserError';
    this.next = next;
  }
}

/** Any thrown value as one line of text, without its stack. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
