import type { Facts } from '../../kubernetes/observation.ts';

const VERSION = 'app.kubernetes.io/version';
/** Tags that say nothing about what is in the image. */
const MOVING: ReadonlySet<string> = new Set(['latest', 'main', 'master', 'stable', 'edge', 'nightly', 'dev']);
const TAG = /:(\w[\w.-]{0,127})$/;

/** What Sentry takes for a release. */
const ALLOWED = /^(?!\.{1,2}$)[^\n\r\t\f\v\0/\\]{1,200}$/;

/**
 * The release of what runs: `setting` itself, unless it is `auto`: then the label `app.kubernetes.io/version` of the object
 * or the nearest owner that has it, else the tag of the image; undefined where neither says it.
 */
export function releaseOf(setting: string, chain: readonly Facts[], image: string | undefined): string | undefined {
  if (setting === 'none') return undefined;
  if (setting !== 'auto') return setting;
  const label = chain.map(({ labels }) => labels[VERSION]).find((value) => value !== undefined && ALLOWED.test(value));
  return label ?? tagOf(image);
}

/** The tag of an image; a digest alone, or a tag that moves on, is not a release. */
export function tagOf(image = ''): string | undefined {
  const tag = TAG.exec(image.slice(image.lastIndexOf('/') + 1).replace(/@.*$/, ''))?.[1];
  return tag === undefined || MOVING.has(tag) || !ALLOWED.test(tag) ? undefined : tag;
}
