import type { CronJobFacts } from '../../kubernetes/observation.ts';
import { timeZone } from '../../kubernetes/time-zone.ts';
import { parseGoDuration } from '../../kubernetes/go-duration.ts';
import type { AnnotationProblem } from '../sink.ts';
import { ENVIRONMENT, ENVIRONMENT_FORM, MAX_MARGIN_MINUTES, MAX_THRESHOLD, OWNER } from './monitor-limits.ts';
import { slugOf } from './slug.ts';

export const PREFIX = 'k8s.sentry.io/';
const MAX_SHOWN = 100;
const NANOSECONDS_IN_MINUTE = 60_000_000_000n;

interface Rule<T> {
  /** Undefined for what is not allowed. */
  readonly read: (value: string) => T | undefined;
  readonly allowed: string;
  readonly used: string;
}

const MINUTES: Rule<number> = {
  read: minutes,
  allowed: `minutes from 1 to ${MAX_MARGIN_MINUTES}, or a duration of whole minutes such as 90m or 2h`,
  used: 'the setting of the destination',
};
const THRESHOLD: Rule<number> = {
  read: (value) => wholeNumber(value, MAX_THRESHOLD),
  allowed: `a whole number from 1 to ${MAX_THRESHOLD}`,
  used: 'the setting of the destination',
};

/** The annotations of a CronJob about its monitor, by their names without prefix. */
const RULES = {
  monitor: {
    read: (value: string) => (/^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : undefined),
    allowed: 'true or false',
    used: 'crons.defaultBehavior',
  },
  'monitor-slug': {
    read: (value: string) => (/[^0-9]/.test(value) && slugOf(value) === value ? value : undefined),
    allowed:
      'at most 50 of the characters a-z, 0-9, _ and -, not digits alone; - and _ not at both ends, - not twice in a row',
    used: 'the slug that the monitor has without this annotation',
  },
  environment: {
    read: (value: string) => (ENVIRONMENT.test(value) ? value : undefined),
    allowed: ENVIRONMENT_FORM,
    used: 'the environment of the destination',
  },
  timezone: {
    read: (value: string) => (value !== '' && timeZone(value) !== undefined ? value : undefined),
    allowed: 'a name of the IANA database, such as Europe/Berlin',
    used: 'UTC',
  },
  'checkin-margin': MINUTES,
  'max-runtime': MINUTES,
  'failure-issue-threshold': THRESHOLD,
  'recovery-threshold': THRESHOLD,
  owner: {
    read: (value: string) => (OWNER.test(value) ? value : undefined),
    allowed: 'user:ID or team:ID, with the number of the user or team',
    used: 'the setting of the destination',
  },
} satisfies Record<string, Rule<unknown>>;

type Rules = typeof RULES;
export type MonitorAnnotation = keyof Rules;
type Value<Name extends MonitorAnnotation> = Rules[Name] extends Rule<infer T> ? T : never;

/** What an annotation says; undefined when it is not there, or says nothing that is allowed. */
export function setting<Name extends MonitorAnnotation>(cronJob: CronJobFacts, name: Name): Value<Name> | undefined {
  const value = cronJob.annotations[PREFIX + name]?.trim();
  return value === undefined ? undefined : (RULES[name].read(value) as Value<Name> | undefined);
}

/** Every annotation about a monitor whose value is not allowed. */
export function monitorAnnotationProblems(cronJob: CronJobFacts): AnnotationProblem[] {
  return Object.entries(RULES).flatMap(([name, { read, allowed, used }]) => {
    const value = cronJob.annotations[PREFIX + name];
    if (value === undefined || read(value.trim()) !== undefined) return [];
    return [{ annotation: PREFIX + name, value: value.slice(0, MAX_SHOWN), allowed, used }];
  });
}

function wholeNumber(value: string, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= most ? number : undefined;
}

function minutes(value: string): number | undefined {
  if (/^\d+$/.test(value)) return wholeNumber(value, MAX_MARGIN_MINUTES);
  const nanoseconds = parseGoDuration(value);
  if (nanoseconds === undefined || nanoseconds % NANOSECONDS_IN_MINUTE !== 0n) return undefined;
  const whole = nanoseconds / NANOSECONDS_IN_MINUTE;
  return whole >= 1n && whole <= BigInt(MAX_MARGIN_MINUTES) ? Number(whole) : undefined;
}
