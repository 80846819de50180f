/** Replaces secrets, raw, URL-encoded or as a Basic user, in a text that may leave the process. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret), basicUser(secret)])
    .sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((clean, form) => clean.replaceAll(form, '[redacted]'), text);
}

/** The credentials of Basic authentication for a user without password. */
export function basicUser(user: string): string {
  return Buffer.from(`${user}:`).toString('base64');
}
