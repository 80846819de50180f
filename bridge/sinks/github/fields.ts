import { readJson } from '../../lib/json.ts';

/** The fields of a value; none when it is not an object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The fields of a body. */
export function objectOf(body: string): Readonly<Record<string, unknown>> {
  return fieldsOf(readJson(body));
}
