import type { Json } from '../../lib/json.ts';
import { isJsonObject } from '../../lib/json.ts';
import { cut } from './text.ts';

/** What Sentry takes of an item, in bytes of JSON. */
const MAX_EVENT = 1024 * 1024;
export const MAX_CHECK_IN = 100 * 1024;

type Fields = { [key: string]: Json };

/** What a step leaves out, in words. */
interface Step {
  readonly what: string;
  readonly trim: (event: Fields) => Fields;
}

/** What is given up first stands first: colour before facts. */
const STEPS: readonly Step[] = [
  { what: 'all but the last 10 breadcrumbs', trim: (event) => lastOf(event, 'breadcrumbs', 10) },
  { what: 'texts longer than 4,000 characters', trim: (event) => shortened(event, 4_000) },
  { what: 'breadcrumbs', trim: (event) => without(event, 'breadcrumbs') },
  { what: 'texts longer than 500 characters', trim: (event) => shortened(event, 500) },
  { what: 'extra data', trim: (event) => without(event, 'extra') },
  { what: 'contexts but trace and monitor', trim: (event) => withContexts(event, ['trace', 'monitor', 'Monitor']) },
  { what: 'all but message, level, times and grouping', trim: (event) => only(event, ESSENTIAL) },
];

/** An event that Sentry takes, and what was left out of it, if anything. `max`: its most bytes as JSON. */
export function trimEvent(event: Fields, max = MAX_EVENT): { readonly event: Fields; readonly left?: string } {
  if (size(event) <= max) return { event };
  let trimmed = event;
  for (const { what, trim } of STEPS) {
    trimmed = trim(trimmed);
    if (size(trimmed) <= max) return { event: trimmed, left: `too large: without ${what}` };
  }
  return { event: shortened(trimmed, 100), left: 'too large: without nearly everything' };
}

/** A check-in is nothing without its fields: what may be large is only what people wrote. */
export function trimCheckIn(checkIn: Fields): Fields {
  return size(checkIn) <= MAX_CHECK_IN ? checkIn : shortened(checkIn, 1_000);
}

function size(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function without(event: Fields, name: string): Fields {
  const { [name]: _, ...others } = event;
  return others;
}

function lastOf(event: Fields, name: string, count: number): Fields {
  const list = event[name];
  const values = Array.isArray(list) ? list : (list as { values?: Json } | null | undefined)?.values;
  return Array.isArray(values) ? { ...event, [name]: values.slice(-count) } : event;
}

function withContexts(event: Fields, names: readonly string[]): Fields {
  const { contexts } = event;
  return isJsonObject(contexts) ? { ...event, contexts: only(contexts, names) } : event;
}

const ESSENTIAL =
  'event_id timestamp level platform logger message logentry fingerprint release environment server_name tags'.split(
    ' ',
  );

function only(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
}

/** Every text of a value, at most this long. */
function shortened<T extends Json>(value: T, max: number): T {
  const each = (inner: Json): Json => {
    if (typeof inner === 'string') return cut(inner, max);
    if (Array.isArray(inner)) return inner.map(each);
    if (inner === null || typeof inner !== 'object') return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, each(one)]));
  };
  return each(value) as T;
}
