import type { Instant } from '../lib/clock.ts';
import { readJson } from '../lib/json.ts';
import { redact } from './redact.ts';

/** A Kubernetes object as decoded: nothing about its inside is known yet. */
export type KubeObject = { readonly [key: string]: unknown };

const NO_OBJECT: KubeObject = Object.freeze({});
/** Status messages can be whole stack traces; what a vendor or a page shows is less. */
const MAX_TEXT = 2_000;
/** More of a message is not looked at: what takes a credential's place is shorter than most of them. */
const MAX_MESSAGE = 8_000;
const MAX_SECONDS = 100 * 366 * 86_400;
/** The last time that RFC 3339 can write. */
const MAX_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The object of a JSON text, or an empty one. */
export function objectOf(text: string): KubeObject {
  const value = readJson(text);
  return isObject(value) ? value : NO_OBJECT;
}

/** The object at a field, or an empty one. */
export function objectAt(object: KubeObject, field: string): KubeObject {
  const value = own(object, field);
  return isObject(value) ? value : NO_OBJECT;
}

/** The objects of a list field; anything else in it is left out. */
export function objectsAt(object: KubeObject, field: string): KubeObject[] {
  const value = own(object, field);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A non-empty string field, cut to 2,000 characters. */
export function textAt(object: KubeObject, field: string): string | undefined {
  const value = own(object, field);
  return typeof value === 'string' && value !== '' ? shortened(value) : undefined;
}

/**
 * A non-empty field that a person or a program wrote, such as a termination message: without what looks like a
 * credential and without control characters, cut to 2,000 characters.
 */
export function messageAt(object: KubeObject, field: string): string | undefined {
  const value = own(object, field);
  if (typeof value !== 'string' || value === '') return undefined;
  return shortened(redact(value.length > MAX_MESSAGE ? beginning(value) : value)) || undefined;
}

/** Ends with a whole word: half a credential is not recognised. */
function beginning(value: string): string {
  const part = value.slice(0, MAX_MESSAGE);
  const end = Math.max(part.lastIndexOf(' '), part.lastIndexOf('\n'));
  return `${part.slice(0, end < 0 ? undefined : end)}…`;
}

function shortened(value: string): string {
  // A cut through a surrogate pair leaves half a character, which no URL or database takes as it is.
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT - 1).toWellFormed()}…` : value;
}

/** An int32 field; what is none, which no API server sends, is as if it were absent. */
export function intAt(object: KubeObject, field: string): number | undefined {
  const value = own(object, field);
  return typeof value === 'number' && (value | 0) === value ? value : undefined;
}

/** An int32 field that is never negative. */
export function countAt(object: KubeObject, field: string): number | undefined {
  const value = intAt(object, field);
  return value === undefined || value < 0 ? undefined : value;
}

/**
 * An int64 field with whole seconds, never negative. A longer time than a hundred years is read as that: nobody sees its
 * end, and `at + seconds` stays a time.
 */
export function secondsAt(object: KubeObject, field: string): number | undefined {
  const value = own(object, field);
  // The decoder gives an integer beyond 2^53 as text.
  const number = typeof value === 'string' && /^\d{16,19}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) return undefined;
  return Math.min(number, MAX_SECONDS);
}

export function booleanAt(object: KubeObject, field: string): boolean {
  return own(object, field) === true;
}

/** An RFC 3339 time field (metav1.Time: whole seconds; MicroTime: fractions); one outside 1970 to 9999 is none. */
export function timeAt(object: KubeObject, field: string): Instant | undefined {
  return parseTime(textAt(object, field));
}

export function parseTime(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const instant = Date.parse(text);
  return isInstant(instant) ? instant : undefined;
}

/** Whether a number of ms is a time from 1970 to 9999: what every later step may rely on. */
export function isInstant(ms: number): ms is Instant {
  return ms >= 0 && ms <= MAX_INSTANT;
}

/** The string entries of a map field such as labels, in key order, filtered by key. */
export function stringsAt(object: KubeObject, field: string, keep: (key: string) => unknown): Record<string, string> {
  const entries = Object.entries(objectAt(object, field)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && Boolean(keep(entry[0])),
  );
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function own(object: KubeObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

function isObject(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
