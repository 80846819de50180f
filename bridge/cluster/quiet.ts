import { objectAt, textAt } from '../kubernetes/fields.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { KubeApi } from './api.ts';
import type { WatchReader } from './kube-request.ts';
import type { Listed } from './list.ts';
import { METADATA, resourcePath } from './list.ts';
import { versionOf, watchPath } from './watch-event.ts';

/** The API sends a bookmark two seconds before it ends a watch. */
const WATCH_SECONDS = 4;

/**
 * A resourceVersion up to which nothing of a kind has changed since the LIST of version `from`; undefined when something
 * has, or when the API does not prove it: then it is to be LISTed. The proof: a consistent read of one object shows how far
 * the API is, and a watch from `from` on brings a bookmark at least as new, and no event before it. It costs two small
 * answers, however many objects there are.
 */
export async function quietSince(
  api: KubeApi,
  listed: Listed,
  namespace: string | undefined,
  from: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await api.get(`${resourcePath(listed, namespace)}?limit=1`, signal, METADATA);
  if (answer.kind === 'failed' || answer.status !== 200) return undefined;
  const newest = textAt(objectAt(answer.body, 'metadata'), 'resourceVersion');
  if (newest === undefined || compareVersions(newest, from) < 0) return undefined;
  // Nothing at all was written since; then there is no bookmark either.
  if (newest === from) return from;
  const enough = new AbortController();
  const bookmarks = new Bookmarks(newest, () => enough.abort());
  const late = AbortSignal.timeout(2 * WATCH_SECONDS * 1000);
  const path = watchPath(listed, namespace, from, WATCH_SECONDS);
  await api.watch(path, bookmarks, AbortSignal.any([signal, enough.signal, late]));
  return bookmarks.proven;
}

/** Reads a watch until it brings a bookmark of `newest` or later, or anything else. */
class Bookmarks implements WatchReader {
  /** The version of that bookmark. */
  proven: string | undefined;
  readonly #newest: string;
  readonly #end: () => void;
  #isOver = false;

  constructor(newest: string, end: () => void) {
    this.#newest = newest;
    this.#end = end;
  }

  opened(): void {
    // What it brings decides.
  }

  take(lines: readonly string[]): Promise<void> {
    for (const line of this.#isOver ? [] : lines) {
      const event = JSON.parse(line) as KubeObject;
      const version = versionOf(event);
      const isBookmark = textAt(event, 'type') === 'BOOKMARK' && version !== undefined;
      if (isBookmark && compareVersions(version, this.#newest) < 0) continue;
      if (isBookmark) this.proven = version;
      this.#isOver = true;
      this.#end();
      break;
    }
    return Promise.resolve();
  }
}
