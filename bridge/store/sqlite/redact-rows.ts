import { redact, redactImage, redactValue } from '../../kubernetes/redact.ts';

/** Names of texts that nothing but people read; others, such as keys and names, stay as they are or are a secret. */
const MESSAGES = new Set(['message', 'reason', 'text', 'detail', 'unschedulable']);

/** A text of a row without credentials. */
export function redactText(text: unknown): string | null {
  return typeof text === 'string' ? redact(text) : null;
}

/** JSON of a row without credentials in its strings; what is no JSON stays as it is, for who reads it to set aside. */
export function redactJson(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  try {
    const value = JSON.parse(text) as unknown;
    const clean = JSON.stringify(redactedValue(value, ''));
    return clean === JSON.stringify(value) ? text : clean;
  } catch {
    return text;
  }
}

/** The same of bytes that are JSON. */
export function redactBytes(bytes: unknown): Uint8Array<ArrayBuffer> | null {
  if (!(bytes instanceof Uint8Array)) return null;
  const clean = redactJson(new TextDecoder().decode(bytes));
  return clean === null ? null : new TextEncoder().encode(clean);
}

function redactedValue(value: unknown, name: string): unknown {
  if (typeof value === 'string' && name === 'image') return redactImage(value);
  if (typeof value === 'string') return MESSAGES.has(name) ? redact(value) : redactValue(value);
  if (Array.isArray(value)) return value.map((item) => redactedValue(item, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactedValue(inner, key)]));
}
