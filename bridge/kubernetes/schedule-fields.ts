/** The set of values that a field of a schedule allows. */
export interface Field {
  /** `allowed[value]` is 1 for each allowed value. */
  readonly allowed: Uint8Array;
  /** The field says `*` or `?` without a step: decides between "and" and "or" of the two day fields. */
  readonly star: boolean;
  readonly empty: boolean;
  readonly ranges: readonly Range[];
}

/** `*`, `5`, `5-10`, each with or without `/step`, with both ends. */
export interface Range {
  readonly text: string;
  readonly star: boolean;
  readonly start: number;
  readonly last: number;
  readonly step: number;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

/** Minute, hour, day of month, month, day of week; names count from `min`. */
export const BOUNDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** strconv.Atoi reads no more than an int64. */
const MAX_INT = 2n ** 63n - 1n;

export class ScheduleError extends Error {}

/** The five fields of a schedule; throws a ScheduleError. A field such as `,` allows nothing and is not an error. */
export function parseFields(texts: readonly string[]): Field[] {
  if (texts.length !== 5) throw new ScheduleError(`expected exactly 5 fields, found ${texts.length}`);
  return BOUNDS.map((bounds, index) => parseField(texts[index] ?? '', bounds));
}

function parseField(text: string, bounds: Bounds): Field {
  const allowed = new Uint8Array(bounds.max + 1);
  const ranges = text
    .split(',')
    .filter((range) => range !== '')
    .map((range) => readRange(range, bounds));
  for (const { start, last, step } of ranges) for (let value = start; value <= last; value += step) allowed[value] = 1;
  return { allowed, star: ranges.some(({ star, step }) => star && step === 1), empty: !allowed.includes(1), ranges };
}

function readRange(text: string, bounds: Bounds): Range {
  const [range = '', stepText, ...tooManySteps] = text.split('/');
  const [low = '', high, ...tooManyEnds] = range.split('-');
  if (tooManySteps.length > 0) throw new ScheduleError(`too many slashes: ${text}`);
  const star = low === '*' || low === '?';
  if (!star && tooManyEnds.length > 0) throw new ScheduleError(`too many hyphens: ${text}`);
  const start = star ? bounds.min : parseValue(low, bounds);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  const end = star ? bounds.max : high === undefined ? start : parseValue(high, bounds);
  // "5/15" means "5-59/15".
  const last = high === undefined && stepText !== undefined ? bounds.max : end;
  if (start < bounds.min || last > bounds.max || start > last) throw new ScheduleError(`out of range: ${text}`);
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`);
  return { text, star, start, last, step };
}

function parseValue(text: string, { min, names }: Bounds): number {
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? parseNumber(text) : min + index;
}

function parseNumber(text: string): number {
  const match = /^([+-]?)(\d+)$/.exec(text);
  const value = match === null ? undefined : BigInt(match[2] ?? '');
  if (match === null || value === undefined || value > MAX_INT || (match[1] === '-' && value > 0n)) {
    throw new ScheduleError(`no number: ${text}`);
  }
  return Number(value);
}
