import { objectAt, textAt } from '../kubernetes/fields.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import type { Listed } from './list.ts';
import { resourcePath } from './list.ts';

/** Where a kind is watched from a version on, for a number of seconds, with bookmarks. */
export function watchPath(listed: Listed, namespace: string | undefined, from: string, seconds: number): string {
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(from)}`;
  return `${resourcePath(listed, namespace)}?${query}`;
}

/** Up to where the API has sent everything with this event: an object's version, or a bookmark's. */
export function versionOf(event: KubeObject): string | undefined {
  return textAt(objectAt(objectAt(event, 'object'), 'metadata'), 'resourceVersion');
}
