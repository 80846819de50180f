import type { KubeObject } from '../kubernetes/fields.ts';
import { messageAt, objectAt, objectsAt } from '../kubernetes/fields.ts';
import { KINDS } from '../kubernetes/kinds.ts';
import type { KubeApi } from './api.ts';
import type { ListFailure, Scope } from './list.ts';
import { resourcePath } from './list.ts';

const SELECTED = '?fieldSelector=type%3DWarning&limit=500';

export type WarningsResult = { readonly result: 'complete'; readonly objects: number } | ListFailure;

/** Reads the Events of type Warning of the scope once. They are colour: what does not come is not asked for again. */
export async function listWarnings(
  api: KubeApi,
  scope: Scope,
  take: (objects: KubeObject[]) => Promise<void>,
  signal: AbortSignal,
): Promise<WarningsResult> {
  let objects = 0;
  for (const namespace of scope === 'cluster' ? [undefined] : scope) {
    const path = resourcePath(KINDS.Event, namespace) + SELECTED;
    for (let token = ''; ;) {
      const answer = await api.get(path + token, signal);
      if (answer.kind === 'failed') return { result: 'failed', status: undefined, error: answer.error };
      if (answer.status !== 200) {
        const error = messageAt(answer.body, 'message') ?? `status ${answer.status}`;
        return { result: 'failed', status: answer.status, error };
      }
      const { apiVersion } = KINDS.Event;
      const items = objectsAt(answer.body, 'items').map((item) => ({ ...item, kind: 'Event', apiVersion }));
      objects += items.length;
      if (items.length > 0) await take(items);
      const next = objectAt(answer.body, 'metadata')['continue'];
      if (typeof next !== 'string' || next === '') break;
      token = `&continue=${encodeURIComponent(next)}`;
    }
  }
  return { result: 'complete', objects };
}
