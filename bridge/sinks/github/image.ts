import { DIGEST } from './api-limits.ts';

/** Where a manifest's digest stands: behind a repository, whatever the runtime writes before it (`docker-pullable://`). */
const REFERENCE = /^(?:[a-z][a-z-]*:\/\/)?[^@\s:][^@\s]*@([^@\s]+)$/;

/** The digest of an image in its registry, or why none is known. */
export type Digest =
  | { readonly digest: string }
  /** Nothing yet: the node has not said what it runs. */
  | { readonly missing: true }
  /** It names no manifest of a registry: an image that was built or loaded on its node, another algorithm, a stranger's text. */
  | { readonly unusable: string };

/**
 * The digest that attestations are about: of `imageID` where it names a repository, else the one that the spec pins. A bare
 * `sha256:…` is the digest of the image's configuration, which no registry knows.
 */
export function digestOf(imageId: string | undefined, specImage: string | undefined): Digest {
  if (imageId === undefined || imageId === '') return { missing: true };
  const digest = inReference(imageId) ?? inReference(specImage ?? '');
  return digest === undefined ? { unusable: imageId } : { digest };
}

function inReference(text: string): string | undefined {
  const digest = REFERENCE.exec(text)?.[1];
  return digest !== undefined && DIGEST.test(digest) ? digest : undefined;
}

/** Name and tag of an image as a spec has it, verbatim; the tag is empty without one. */
export function nameAndTag(image: string): { readonly name: string; readonly tag: string } {
  const [reference = ''] = image.split('@', 1);
  const colon = reference.lastIndexOf(':');
  if (colon <= reference.lastIndexOf('/')) return { name: reference, tag: '' };
  return { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
