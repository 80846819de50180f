import type { Json } from '../../../lib/json.ts';
import { UNREADABLE_ROW } from '../../quarantine.ts';
import { parsed } from '../db/unreadable-rows.ts';

/** JSON that is only shown: what cannot be read is shown as such. */
export function readable(text: string): Json {
  const { value, error } = parsed<Json>(text);
  return error === undefined ? (value ?? null) : { [UNREADABLE_ROW]: error };
}
