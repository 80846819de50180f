import { secretForms } from '../lib/secret-forms.ts';

/** Replaces secrets, however they are spelled or encoded, in a text that may leave the process. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.flatMap(secretForms).toSorted((a, b) => b.length - a.length);
  return (text) => forms.reduce((clean, form) => clean.replaceAll(form, '[redacted]'), text);
}

/** The credentials of Basic authentication for a user without password. */
export function basicUser(user: string): string {
  return Buffer.from(`${user}:`).toString('base64');
}
