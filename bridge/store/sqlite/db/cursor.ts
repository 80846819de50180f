import { UserError } from '../../../lib/errors.ts';
import type { ListQuery, Page } from '../../read.ts';

type Position = readonly (string | number)[];

/** The position behind which a page begins. Throws a UserError for a text that `page` of the same list did not make. */
export function readCursor<T extends Position>(cursor: string | undefined, first: T): T {
  if (cursor === undefined) return first;
  const position = parse(cursor);
  const fits = Array.isArray(position) && position.length === first.length;
  if (fits && position.every((part, index) => typeof part === typeof first[index])) return position as unknown as T;
  throw new UserError(
    'this cursor does not belong to this list',
    'use the `next` of the page before, or start without a cursor',
  );
}

/**
 * One page of `rows`, which are one more than the limit when there is a next page. The cursor names the last row shown,
 * not a count of rows, so what is added meanwhile neither repeats nor hides a row.
 */
export function page<R, T>(
  rows: readonly R[],
  { limit }: ListQuery,
  item: (row: R) => T,
  at: (row: R) => Position,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(item);
  if (last === undefined || rows.length <= limit) return { items };
  return { items, next: Buffer.from(JSON.stringify(at(last))).toString('base64url') };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
  } catch {
    return undefined;
  }
}
