import { isSecretName, REDACTED, redactValue } from '../kubernetes/redact.ts';
import type { Json } from '../lib/json.ts';

/**
 * What is sent to a vendor, for a person: without credentials, such as the DSN that an annotation named. Of an address the
 * rest stays.
 */
export function masked(value: Json, name = ''): Json {
  if (typeof value === 'string') return maskedText(value, name);
  if (Array.isArray(value)) return value.map((item) => masked(item, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, masked(item, inner)]));
}

function maskedText(text: string, name: string): string {
  const clean = redactValue(text);
  return clean === text && text !== '' && isSecretName(name) ? REDACTED : clean;
}
