import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { AnnotationProblem } from '../sink.ts';
import { shorten } from './shorten.ts';

const PREFIX = 'k8s.cronitor.io/';
const MAX_SHOWN = 100;

interface Rule<T> {
  /** An older name of the same annotation: the new one wins wherever it is present, even when empty. */
  readonly legacy?: string;
  /** Undefined: the default counts, as if the annotation were absent. */
  readonly read: (value: string) => T | undefined;
  /** For an annotation that can be wrong: which values are, what is allowed, and what counts instead. */
  readonly check?: { readonly wrong: (value: string) => boolean; readonly allowed: string; readonly used: string };
}

/** All annotations of the sink, by their names without prefix. */
const RULES = {
  include: flag('no answer, as if it were absent'),
  exclude: flag('no answer, as if it were absent'),
  env: text(),
  tags: { read: items },
  key: text('cronitor-id'),
  'key-inference': {
    legacy: 'id-inference',
    read: (value: string) => (value === 'name' || value === 'k8s' ? value : undefined),
    check: { wrong: (value) => !['name', 'k8s', ''].includes(value), allowed: 'name or k8s', used: 'k8s' },
  },
  name: text('cronitor-name'),
  'name-prefix': text(),
  group: text('cronitor-group'),
  notify: {
    legacy: 'cronitor-notify',
    read: (value: string) => (items(value).length === 0 ? undefined : items(value)),
    check: {
      wrong: (value) => items(value).length === 0,
      allowed: 'names of notification lists, separated by commas',
      used: "Cronitor's default",
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
  note: text(),
  'metric.duration': {
    read: (value: string) => items(value).filter((item) => LIMIT.test(item)),
    check: {
      wrong: (value) => items(value).some((item) => !LIMIT.test(item)),
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
/** Cronitor judges the time; what does not even begin so would cost the whole monitor. */
const LIMIT = /^[<>]=?\s*\d/;

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

/** Text as it is; empty is absent. */
function text(legacy?: string): Rule<string> {
  return { ...(legacy !== undefined && { legacy }), read: (value) => value || undefined };
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
