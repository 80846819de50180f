import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { isSegment } from '../../lib/url-path.ts';
import type { AnnotationProblem } from '../sink.ts';
import { MAX_ITEMS, MAX_KEY, MAX_NOTE, MAX_TEXT } from './limits.ts';
import { isLonger, shorten } from './shorten.ts';

export const PREFIX = 'k8s.cronitor.io/';
const MAX_SHOWN = 100;

interface Rule<T> {
  /** An older name of the same annotation: the new one wins wherever it is present, even when empty. */
  readonly legacy?: string;
  /** Undefined: the default counts, as if the annotation were absent. */
  readonly read: (value: string) => T | undefined;
  /** For an annotation that can be wrong: which values are, what is allowed, and what counts instead. */
  readonly check?: { readonly wrong: (value: string) => boolean; readonly allowed: string; readonly used: string };
}

const CUT = 'its beginning, cut to that length';

/** All annotations of the sink, by their names without prefix. */
export const RULES = {
  include: flag('no answer, as if it were absent'),
  exclude: flag('no answer, as if it were absent'),
  env: text(MAX_TEXT),
  tags: {
    read: (value: string) =>
      items(value)
        .slice(0, MAX_ITEMS)
        .map((tag) => shorten(tag, MAX_TEXT)),
    check: {
      wrong: (value) => items(value).length > MAX_ITEMS || items(value).some((tag) => isLonger(tag, MAX_TEXT)),
      allowed: `at most ${MAX_ITEMS} tags of at most ${MAX_TEXT} characters, separated by commas`,
      used: `the first ${MAX_ITEMS}, and of a longer one its beginning`,
    },
  },
  key: {
    legacy: 'cronitor-id',
    read: (value: string) => (isKey(value.trim()) ? value.trim() : undefined),
    check: {
      wrong: (value) => value.trim() !== '' && !isKey(value.trim()),
      allowed: `at most ${MAX_KEY} characters, not only dots, without brackets, tabs, line breaks and / \\ ? # % ;`,
      used: 'the key that the monitor has without this annotation',
    },
  },
  'key-inference': {
    legacy: 'id-inference',
    read: (value: string) => (value === 'name' || value === 'k8s' ? value : undefined),
    check: { wrong: (value) => !['name', 'k8s', ''].includes(value), allowed: 'name or k8s', used: 'k8s' },
  },
  name: {
    legacy: 'cronitor-name',
    read: (value: string) => value.trim() || undefined,
    check: tooLong(MAX_TEXT, 'its beginning and its end, cut to that length'),
  },
  'name-prefix': { read: prefix },
  group: text(MAX_TEXT, 'cronitor-group'),
  notify: {
    legacy: 'cronitor-notify',
    read: (value: string) => (lists(value).length === 0 ? undefined : lists(value)),
    check: {
      wrong: (value) => lists(value).length === 0 || lists(value).length < items(value).length,
      allowed: `at most ${MAX_ITEMS} names of notification lists of at most ${MAX_TEXT} characters, separated by commas`,
      used: "only what is allowed; Cronitor's default when that is nothing",
    },
  },
  'grace-seconds': {
    legacy: 'cronitor-grace-seconds',
    read: graceSeconds,
    check: {
      wrong: (value) => graceSeconds(value) === undefined,
      allowed: 'a whole number of seconds from 1',
      used: "Cronitor's default",
    },
  },
  note: text(MAX_NOTE),
  'metric.duration': {
    read: limits,
    check: {
      wrong: (value) => limits(value).length < items(value).length,
      allowed: 'limits separated by commas, each <, <=, > or >= and a time, such as < 5 minutes',
      used: 'only what is a limit',
    },
  },
  'log-complete-event': flag('false'),
  'send-pod-start-event': flag('false'),
} satisfies Record<string, Rule<unknown>>;

type Rules = typeof RULES;
export type AnnotationName = keyof Rules;
type Value<Name extends AnnotationName> = Rules[Name] extends { read: (value: string) => infer T } ? T : never;

/** What an annotation or its older alias says; undefined when neither is there, or it says nothing that is allowed. */
export function setting<Name extends AnnotationName>(cronJob: CronJobFacts, name: Name): Value<Name> | undefined {
  const found = present(cronJob, name);
  return found && (RULES[name].read(found.value) as Value<Name> | undefined);
}

/** What stands in an annotation or its older alias, as it is; undefined when neither is there or it says nothing. */
export function asWritten(cronJob: CronJobFacts, name: AnnotationName): string | undefined {
  const value = present(cronJob, name)?.value;
  return value?.trim() === '' ? undefined : value;
}

/** Every annotation whose value is not allowed, and every one under our prefix that does not exist. */
export function annotationProblems(cronJob: CronJobFacts): AnnotationProblem[] {
  const wrong = NAMES.flatMap((name) => {
    const found = present(cronJob, name);
    const { check }: Rule<unknown> = RULES[name];
    if (found === undefined || check?.wrong(found.value) !== true) return [];
    return [{ ...shown(found), allowed: check.allowed, used: check.used }];
  });
  const unknown = Object.entries(cronJob.annotations)
    .filter(([key]) => key.startsWith(PREFIX) && !KNOWN.has(key))
    .map(([annotation, value]) => ({
      ...shown({ annotation, value }),
      allowed: `${PREFIX} and one of ${NAMES.join(', ')}`,
      used: 'nothing: there is no such annotation',
    }));
  return [...wrong, ...unknown];
}

const NAMES = Object.keys(RULES) as AnnotationName[];
const KNOWN = new Set(NAMES.flatMap(keys));
/** Cronitor judges the unit; anything else would cost the whole monitor. */
const LIMIT = /^([<>]=?)\s*(\d{1,15}(?:\.\d{1,15})?)(\s*[a-z]{0,20})$/i;

function keys(name: AnnotationName): string[] {
  const { legacy }: Rule<unknown> = RULES[name];
  return legacy === undefined ? [PREFIX + name] : [PREFIX + name, PREFIX + legacy];
}

interface Found {
  readonly annotation: string;
  readonly value: string;
}

function present(cronJob: CronJobFacts, name: AnnotationName): Found | undefined {
  const annotation = keys(name).find((key) => cronJob.annotations[key] !== undefined);
  return annotation === undefined ? undefined : { annotation, value: cronJob.annotations[annotation]! };
}

function shown({ annotation, value }: Found): Found {
  return { annotation, value: shorten(value, MAX_SHOWN) };
}

/** Text without the white space around it, which a block of YAML leaves; empty is absent, and too long is cut. */
function text(max: number, legacy?: string): Rule<string> {
  return {
    ...(legacy !== undefined && { legacy }),
    read: (value) => shorten(value.trim(), max) || undefined,
    check: tooLong(max, CUT),
  };
}

function tooLong(max: number, used: string): NonNullable<Rule<string>['check']> {
  return { wrong: (value) => isLonger(value.trim(), max), allowed: `at most ${max} characters`, used };
}

/** A key is part of URLs. */
function isKey(value: string): boolean {
  return !isLonger(value, MAX_KEY) && isSegment(value);
}

/** Spaces at its end may part it from the name. */
function prefix(value: string): string | undefined {
  if (value.trim() === 'namespace' || value.trim() === 'none') return value.trim();
  return value.trimStart().replace(/[^\S ]+$/u, '') || undefined;
}

/** A name that is cut is not the name of a list: one that is too long is left out. */
function lists(value: string): string[] {
  return items(value)
    .filter((item) => !isLonger(item, MAX_TEXT))
    .slice(0, MAX_ITEMS);
}

/** The limits of a list, each with one space before its number. */
function limits(value: string): string[] {
  return items(value)
    .flatMap((item) => {
      const [, operator, number, unit = ''] = LIMIT.exec(item) ?? [];
      return operator === undefined ? [] : `${operator} ${number}${unit.toLowerCase()}`;
    })
    .slice(0, MAX_ITEMS);
}

/** A boolean as Go's ParseBool reads it. */
function flag(used: string): Rule<boolean> {
  const allowed = 'true or false (also 1, t, T, TRUE, True, 0, f, F, FALSE, False)';
  return { read: boolean, check: { wrong: (value) => boolean(value) === undefined, allowed, used } };
}

function boolean(value: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value) ? false : undefined;
}

/** The trimmed, non-empty items of a comma-separated list. */
function items(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/**
 * An integer as Go's Atoi reads it. Zero and below were never a grace time: cronitor-kubernetes did not send 0 and -1,
 * and Cronitor refuses the rest.
 */
function graceSeconds(value: string): number | undefined {
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
