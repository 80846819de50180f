/** An error that a person can act on: `message` says what is wrong, `next` what to do now. */
export class UserError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = 'UserError';
    this.next = next;
  }
}

/** Any thrown value as one line of text, without its stack. Never throws. */
export function errorText(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something without a text was thrown';
  }
}
