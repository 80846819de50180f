import { sha256Hex } from '../../lib/ids.ts';

/** Sentry cuts what is longer. */
export const MAX_SLUG = 50;
const HASH_LENGTH = 8;

/** `namespaced`: one for each namespace and name; `compatible`: the name alone, as sentry-kubernetes sent it. */
export type Slugs = 'namespaced' | 'compatible';

/**
 * The slug of a CronJob's monitor: at most 50 of the characters a-z, 0-9, _ and -. A namespaced one ends with a hash, so that
 * what was cut or replaced makes no two of them the same; a compatible one is what Sentry made of the name, unless that is
 * digits alone: Sentry's API takes such a slug for the number of a monitor, and refuses to make one.
 */
export function monitorSlug(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  slugs: Slugs,
): string {
  if (slugs === 'compatible' && !isNumber(name)) return slugOf(name);
  const hash = sha256Hex(`${namespace}/${name}`).slice(0, HASH_LENGTH);
  const readable = `${namespace}-${name}`.replaceAll('.', '-').slice(0, MAX_SLUG - HASH_LENGTH - 1);
  return `${readable.replace(/-+$/, '')}-${hash}`;
}

/** Whether a name is digits alone to Sentry. */
export function isNumber(name: string): boolean {
  return /^\d*$/.test(slugOf(name));
}

/** What Sentry takes any text for: cut by Relay, then what is not allowed is left out. */
export function slugOf(text: string): string {
  return text
    .slice(0, MAX_SLUG)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_\s-]/g, '')
    .replaceAll(/[\s-]+/g, '-')
    .replaceAll(/^[-_]+|[-_]+$/g, '');
}
