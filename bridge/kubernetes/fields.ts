import type { Instant } from '../lib/clock.ts';
import { redact } from './redact.ts';

/** A Kubernetes object as decoded: nothing about its inside is known yet. */
export type KubeObject = { readonly [key: string]: unknown };

const NO_OBJECT: KubeObject = Object.freeze({});
/** Status messages can be whole stack traces; what a vendor or a page shows is less. */
const MAX_TEXT = 2_000;
/** More of a message is not looked at: what takes a credential's place is shorter than most of them. */
const MAX_MESSAGE = 8_000;

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

/** A finite number field. */
export function numberAt(object: KubeObject, field: string): number | undefined {
  const value = own(object, field);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function booleanAt(object: KubeObject, field: string): boolean {
  return own(object, field) === true;
}

/** An RFC 3339 time field (metav1.Time: whole seconds; MicroTime: fractions). */
export function timeAt(object: KubeObject, field: string): Instant | undefined {
  return parseTime(textAt(object, field));
}

export function parseTime(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}

/** The string entries of a map field such as labels, in key order, filtered by key. */
export function stringsAt(object: KubeObject, field: string, keep: (key: string) => boolean): Record<string, string> {
  const entries = Object.entries(objectAt(object, field)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && keep(entry[0]),
  );
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function own(object: KubeObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

function isObject(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
