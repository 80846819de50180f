import type { CronJobFacts } from '../../kubernetes/observation.ts';

const PREFIX = 'k8s.cronitor.io/';

/** Older names of the same settings: the new name wins wherever it is present, even when empty. */
const LEGACY: Readonly<Record<string, string>> = {
  key: 'cronitor-id',
  'key-inference': 'id-inference',
  name: 'cronitor-name',
  group: 'cronitor-group',
  notify: 'cronitor-notify',
  'grace-seconds': 'cronitor-grace-seconds',
};

/** The value of `k8s.cronitor.io/<name>` or of its older alias; undefined when neither is present. */
export function annotation(cronJob: CronJobFacts, name: string): string | undefined {
  const legacy = LEGACY[name];
  return (
    cronJob.annotations[PREFIX + name] ?? (legacy === undefined ? undefined : cronJob.annotations[PREFIX + legacy])
  );
}

/** As `annotation`, with empty as absent. */
export function filled(cronJob: CronJobFacts, name: string): string | undefined {
  return annotation(cronJob, name) || undefined;
}

/** The trimmed, non-empty items of a comma-separated annotation; undefined when it is absent. */
export function listed(cronJob: CronJobFacts, name: string): string[] | undefined {
  return annotation(cronJob, name)
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A boolean as Go's ParseBool reads it; undefined when absent or anything else. */
export function flag(cronJob: CronJobFacts, name: string): boolean | undefined {
  const value = annotation(cronJob, name);
  if (value === undefined) return undefined;
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value) ? false : undefined;
}

/** An integer as Go's Atoi reads it; undefined when absent or anything else. */
export function integer(cronJob: CronJobFacts, name: string): number | undefined {
  const value = annotation(cronJob, name);
  if (value === undefined || !/^[+-]?\d+$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
