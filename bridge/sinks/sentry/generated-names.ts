/** What Kubernetes makes names of: no vowels and nothing that looks like another character. */
const SAFE = '[bcdfghjklmnpqrstvwxz2456789]';
const RANDOM = `${SAFE}{5}`;
const HASH = `${SAFE}{6,10}`;

const GENERATED = new RegExp(`-${RANDOM}$`);
const OF_REPLICA_SET = new RegExp(`^(.+)-${HASH}-${RANDOM}$`);
const OF_CRON_JOB = new RegExp(`^(.+)-\\d{8}-${RANDOM}$`);
/** A time, a build, a commit: what people and tools put behind the name of a Job. */
const NUMBERS = /(?:-(?:\d{4,20}|[0-9a-f]{7,40}(?<=\d[0-9a-f]{0,40})))+$/;

/**
 * The name of an object that was never seen itself without what `generateName`, a time or a build number seems to have
 * added to it.
 */
export function withoutGenerated(name: string): string {
  return withoutNumbers(name.replace(GENERATED, ''));
}

/** A name without a time or a build number, and without what `generateName` added to it: mysql and https look like that too. */
export function withoutAdded({
  name,
  generateName,
}: {
  readonly name: string;
  readonly generateName?: string;
}): string {
  return withoutNumbers(generateName?.replace(/[-.]+$/, '') || name);
}

function withoutNumbers(name: string): string {
  return name.replace(NUMBERS, '') || name;
}

/** The workload of an object that was never seen, from its name alone: so that it is grouped as when it is seen. */
export function guessWorkload({ kind, name }: { readonly kind: string; readonly name: string }): {
  readonly kind: string;
  readonly name: string;
} {
  if (kind !== 'Pod') return { kind, name };
  const cronJob = OF_CRON_JOB.exec(name)?.[1];
  if (cronJob !== undefined) return { kind: 'CronJob', name: cronJob };
  const deployment = OF_REPLICA_SET.exec(name)?.[1];
  if (deployment !== undefined) return { kind: 'Deployment', name: deployment };
  return { kind, name: withoutGenerated(name) };
}
