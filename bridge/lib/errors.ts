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
  if (error instanceof Error) return error.message;
  try {
    return String(error);
  } catch {
    return 'something without a text was thrown';
  }
}
