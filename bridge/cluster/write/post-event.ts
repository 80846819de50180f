import { messageAt, objectOf } from '../../kubernetes/fields.ts';
import { KINDS } from '../../kubernetes/kinds.ts';
import type { Instant } from '../../lib/clock.ts';
import { isSegment } from '../../lib/url-path.ts';
import { retryAfterMs } from '../../sinks/delivery.ts';
import type { HttpAnswer } from '../../sinks/http.ts';
import type { KubeApi } from '../api.ts';
import { resourcePath } from '../list.ts';
import type { EventText } from './kube-event.ts';
import { warningEvent } from './kube-event.ts';

/** `unreachable`: the API gave no answer, so nobody else's Event is tried now. `afterMs`: not before, as the API says. */
export type EventResult =
  | { readonly result: 'written' }
  | {
      readonly result: 'forbidden' | 'refused' | 'unreachable';
      readonly error: string;
      readonly afterMs?: number | undefined;
    };

/** An Event of this name says the same: an answer that was lost, or a restart, makes no second one. */
export async function postEvent(
  api: Pick<KubeApi, 'send'>,
  text: EventText,
  hash: string,
  now: Instant,
  signal: AbortSignal,
): Promise<EventResult> {
  const event = warningEvent(text, hash, now);
  const { namespace } = event.metadata;
  if (!isSegment(namespace)) return { result: 'refused', error: 'no cluster has a namespace of that name' };
  const path = resourcePath(KINDS.Event, namespace);
  const answer = await api.send({ method: 'POST', path, body: JSON.stringify(event) }, signal);
  if (answer.kind === 'failed') return { result: 'unreachable', error: answer.detail };
  const { status, headers } = answer;
  if (status === 201 || status === 409) return { result: 'written' };
  const result = status === 403 ? 'forbidden' : 'refused';
  return { result, error: messageOf(answer), afterMs: retryAfterMs(headers, now) };
}

/** The API's own words; some answers, such as those of a proxy, are not JSON. */
function messageOf({ status, body }: HttpAnswer): string {
  return messageAt(objectOf(body), 'message') ?? `the Kubernetes API answered ${status}`;
}
