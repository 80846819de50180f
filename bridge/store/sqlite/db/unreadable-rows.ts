import { errorText } from '../../../lib/errors.ts';
import { UNREADABLE_ROW } from '../../quarantine.ts';
import type { Db } from './db.ts';
import { putQuarantined } from './quarantine.ts';

/** Where a row is: `column` finds it. */
export interface Place {
  readonly table:
    | 'objects'
    | 'runs'
    | 'attempts'
    | 'transitions'
    | 'claims'
    | 'desired'
    | 'annotation_problems'
    | 'events';
  readonly column: 'uid' | 'pod_uid' | 'id' | 'rowid';
  readonly value: string | number;
}

/**
 * What the JSON of a row says. A disk may lose a bit without anybody noticing, so it may say nothing: then the text is put
 * into quarantine as the connection that owns the store meets it, and undefined is returned; what becomes of the row is
 * the caller's business.
 */
export function readJson<T>(db: Db, place: Place, text: string, isSound: (value: T) => boolean): T | undefined {
  const { value, error } = parsed(text, isSound);
  if (error === undefined) return value;
  if (!db.isReadOnly) setAside(db, place, text, error);
  return undefined;
}

/** The same where nothing is to be done about it. */
export function parsed<T>(
  text: string,
  isSound: (value: T) => boolean = () => true,
): { readonly value?: T; readonly error?: string } {
  try {
    const value = JSON.parse(text) as T;
    return isSound(value) ? { value } : { error: 'the row does not hold what it should' };
  } catch (error) {
    return { error: errorText(error) };
  }
}

function setAside(db: Db, { table, value }: Place, text: string, error: string): void {
  db.unreadable++;
  // Who reads a row does not know the time.
  const { at } = db.get<{ at: number }>("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS at")!;
  const subject = `${table}/${value}`;
  putQuarantined(db, { subject, reason: UNREADABLE_ROW, version: undefined, error, bytes: Buffer.from(text), at });
}

/** As `readJson`; a row that cannot be read is removed. */
export function readOrRemove<T>(db: Db, place: Place, text: string, isSound: (value: T) => boolean): T | undefined {
  const value = readJson(db, place, text, isSound);
  if (value === undefined && !db.isReadOnly) remove(db, place);
  return value;
}

function remove(db: Db, { table, column, value }: Place): void {
  db.run(`DELETE FROM ${table} WHERE ${column} = ?`, value);
}

/** As `readJson`; a row that cannot be read gets what its other columns say, for good on the connection that writes. */
export function readOrReplace<T>(
  db: Db,
  place: Place,
  json: { readonly column: 'run' | 'memory' | 'attempt' | 'transition'; readonly text: string },
  isSound: (value: T) => boolean,
  instead: () => T,
): T {
  const value = readJson(db, place, json.text, isSound);
  if (value !== undefined) return value;
  const known = instead();
  const { table, column } = place;
  if (!db.isReadOnly) {
    db.run(`UPDATE ${table} SET ${json.column} = ? WHERE ${column} = ?`, JSON.stringify(known), place.value);
  }
  return known;
}
