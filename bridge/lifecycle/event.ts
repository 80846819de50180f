import type { EventFacts, Regarding } from '../kubernetes/kinds/event.ts';
import { isAlarming } from '../kubernetes/kept-events.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { Attempt, Run, Transition } from './transition.ts';
import { objectOf } from './transition.ts';

/** More pods than these, those that started last, are not asked about. */
const MAX_PODS = 100;

/**
 * Our clock may be behind that of the cluster, and be set right later: an Event keeps its own time, by which it is known when
 * it comes again. With one further in the future it would never expire, and would displace all others.
 */
const MAX_AHEAD_MS = 3_600_000;

/** An Event as it is kept: its first version, and of later ones how often and when it was said last. */
export interface KeptEvent {
  readonly uid: string;
  /** The UID of the object that it is about; without one, which no API server refuses, its kind and names. */
  readonly about: string;
  readonly version: string;
  readonly at: Instant;
  readonly count: number;
  /** The highest step that its count has reached: 1, 10, 100 and so on. */
  readonly step: number;
  /** When its first version came. */
  readonly takenAt: Instant;
  readonly event: EventFacts;
}

/** What is kept of the first version of an Event that is seen. */
export function keepEvent(event: EventFacts, now: Instant): KeptEvent {
  const { uid, resourceVersion: version, count } = event;
  const { lastAt = now } = event;
  const at = lastAt <= now + MAX_AHEAD_MS ? lastAt : now;
  return { uid, about: aboutKey(event.regarding), version, at, count, step: stepOf(count), takenAt: now, event };
}

/** What is kept after another version of it; undefined when that says nothing new. */
export function updateEvent(kept: KeptEvent, facts: EventFacts, now: Instant): KeptEvent | undefined {
  if (compareVersions(facts.resourceVersion, kept.version) <= 0) return undefined;
  const count = Math.max(kept.count, facts.count);
  const at = Math.max(kept.at, keepEvent(facts, now).at);
  return { ...kept, version: facts.resourceVersion, at, count, step: stepOf(count) };
}

/** Whether a Warning has reached a step that was not reported yet, so that the same one is not reported each minute. */
export function isWarning(previous: KeptEvent | undefined, { step, event }: KeptEvent): boolean {
  return isAlarming(event) && step > (previous?.step ?? 0);
}

/** The transition of a Warning whose count has reached a step; `runUid`: of the run that its object belongs to, if any. */
export function warned({ uid, at, count, step, event }: KeptEvent, runUid: string | undefined): Transition {
  const { reason, message, regarding, type, component, instance, firstAt } = event;
  return {
    id: `${uid}/warned/${step}`,
    kind: 'event.warned',
    at,
    about: { kind: regarding.kind, namespace: regarding.namespace, name: regarding.name, uid: regarding.uid ?? '' },
    runUid,
    text: eventText({ ...event, count }),
    count,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    said: {
      type,
      ...(component !== undefined && { component }),
      ...(instance !== undefined && { instance }),
      ...(regarding.fieldPath !== undefined && { fieldPath: regarding.fieldPath }),
      ...(regarding.group !== '' && { group: regarding.group }),
      ...(firstAt !== undefined && { firstAt }),
    },
  };
}

/** What it says in one line, and how often. */
export function eventText({ type, reason, message, count }: EventFacts): string {
  const said = [reason, message].filter(Boolean).join(': ') || type;
  return count === 1 ? said : `${said} (${count} times)`;
}

/** The UIDs of what Events of a run are about: its object, its pods, and `others`. */
export function eventSubjects(run: Run, attempts: readonly Attempt[], others: readonly string[] = []): string[] {
  return [objectOf(run).uid, ...attempts.slice(-MAX_PODS).map(({ podUid }) => podUid), ...others];
}

function aboutKey({ uid, kind, namespace, name }: Regarding): string {
  return uid ?? `${kind}/${namespace}/${name}`;
}

/** The greatest power of ten that is not above a count. */
function stepOf(count: number): number {
  return 10 ** (String(Math.max(1, count)).length - 1);
}
