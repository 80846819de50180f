const SECRET_NAMES =
  /^(apikey|key|token|password|passwd|secret|dsn|credentials?|authorization)$|(apikey|token|password|secret)$/i;

/** True for a key whose value is a secret by its name alone, whether or not its schema says so. */
export function isSecretName(key: string): boolean {
  return SECRET_NAMES.test(key);
}
