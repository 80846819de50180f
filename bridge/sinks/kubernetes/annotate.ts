import type { KubeObject } from '../../kubernetes/fields.ts';
import { messageAt, objectAt, objectOf, textAt } from '../../kubernetes/fields.ts';
import { redact } from '../../kubernetes/redact.ts';
import type { Instant } from '../../lib/clock.ts';
import { isSegment } from '../../lib/url-path.ts';
import { deliveryFor } from '../delivery.ts';
import type { HttpAnswer, HttpResult } from '../http.ts';
import type { Kube } from '../module.ts';
import type { Delivery } from '../sink.ts';
import type { Stamp } from './wanted.ts';
import { isLastPhase } from '../../kubernetes/kinds/pod.ts';

/** Limit key of all requests. */
export const API_LIMIT = 'kubernetes';
/** An API server that has too much to do says for how long; else it is asked again soon. */
const PAUSE_MS = 5_000;
/** A pod that is written all the time is read again and again; then it waits as after any failure. */
const TRIES = 3;
const MAX_DETAIL = 200;

export interface Annotated {
  readonly delivery: Delivery;
  /** The annotation is there by this request. */
  readonly wrote?: true;
  /** The account has no permission in the namespace of the pod. */
  readonly denied?: true;
}

/**
 * Gives a pod its annotation, unless it has one: it is read, and written on the condition that nobody wrote it since. So
 * neither an old record nor another writer beside this one makes a second write.
 */
export async function annotate(kube: Kube, wanted: Stamp, now: Instant, signal: AbortSignal): Promise<Annotated> {
  const { namespace, name, annotation, value } = wanted;
  if (!isSegment(namespace) || !isSegment(name)) return gone('no pod has that name');
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  for (let tries = 0; tries < TRIES; tries++) {
    const read = await kube.send({ method: 'GET', path }, signal);
    if (read.kind !== 'answer' || read.status !== 200) return refusedBy(read, wanted, now);
    const pod = objectOf(read.body);
    const version = textAt(objectAt(pod, 'metadata'), 'resourceVersion');
    if (version === undefined) return badAnswer(wanted);
    const left = reasonToLeave(pod, wanted);
    if (left !== undefined) return { delivery: left };
    const metadata = { uid: wanted.uid, resourceVersion: version, annotations: { [annotation]: value } };
    const type = 'application/merge-patch+json';
    const body = JSON.stringify({ metadata });
    const write = { method: 'PATCH', path: `${path}?fieldManager=lifecycle-bridge`, type, body } as const;
    const written = await kube.send(write, signal);
    if (written.kind === 'answer' && written.status === 409) continue;
    if (written.kind !== 'answer' || written.status !== 200) return refusedBy(written, wanted, now);
    return valueOf(objectOf(written.body), annotation) === value
      ? { delivery: { outcome: 'delivered' }, wrote: true }
      : badAnswer(wanted);
  }
  return { delivery: { outcome: 'retry', reason: 'conflict', detail: nameOf(wanted) } };
}

/** Why a pod is left as it is; undefined when it is to be written. */
function reasonToLeave(pod: KubeObject, { uid, annotation, value, evenOver }: Stamp): Delivery | undefined {
  const metadata = objectAt(pod, 'metadata');
  if (textAt(metadata, 'uid') !== uid)
    return { outcome: 'drop', reason: 'object_gone', detail: 'another pod has its name now' };
  const found = valueOf(pod, annotation);
  // An answer of ours that was lost.
  if (found === value) return { outcome: 'delivered' };
  if (found !== undefined) return { outcome: 'drop', reason: 'already_there' };
  if (evenOver) return undefined;
  if (textAt(metadata, 'deletionTimestamp') !== undefined)
    return { outcome: 'drop', reason: 'object_over', detail: 'it is being deleted' };
  const { phase } = objectAt(pod, 'status');
  return isLastPhase(phase)
    ? { outcome: 'drop', reason: 'object_over', detail: `its phase is ${String(phase)}` }
    : undefined;
}

function valueOf(pod: KubeObject, annotation: string): string | undefined {
  const annotations = objectAt(objectAt(pod, 'metadata'), 'annotations');
  if (!Object.hasOwn(annotations, annotation)) return undefined;
  const value = annotations[annotation];
  return typeof value === 'string' ? value : '';
}

function refusedBy(result: HttpResult, wanted: Stamp, now: Instant): Annotated {
  if (result.kind === 'answer' && result.status === 404) return gone('it is not in the cluster any more');
  const delivery = deliveryFor(result, {
    now,
    limitKey: API_LIMIT,
    addressKey: API_LIMIT,
    pauseMs: PAUSE_MS,
    refused: (answer) => refusal(answer, wanted),
  });
  const message =
    result.kind === 'answer' && result.status === 403 ? (messageAt(objectOf(result.body), 'message') ?? '') : '';
  // A policy may refuse one pod of a namespace; in these words the account may write none.
  return / cannot (get|patch) resource /.test(message) ? { delivery, denied: true } : { delivery };
}

function refusal(answer: HttpAnswer, wanted: Stamp): Delivery {
  const { status } = answer;
  const message = messageAt(objectOf(answer.body), 'message') ?? `HTTP ${status}`;
  const detail = `${nameOf(wanted)}: ${redact(message).slice(0, MAX_DETAIL)}`;
  if (status === 401)
    return { outcome: 'retry', reason: 'unauthorized', detail, afterMs: 60_000, hold: { key: API_LIMIT } };
  return { outcome: 'drop', reason: status === 403 ? 'forbidden' : 'bad_request', detail };
}

function gone(detail: string): Annotated {
  return { delivery: { outcome: 'drop', reason: 'object_gone', detail } };
}

function badAnswer(wanted: Stamp): Annotated {
  const detail = `${nameOf(wanted)}: the answer is not a pod with the annotation`;
  return { delivery: { outcome: 'retry', reason: 'bad_answer', detail } };
}

function nameOf({ namespace, name }: Stamp): string {
  return `pod ${namespace}/${name}`;
}
