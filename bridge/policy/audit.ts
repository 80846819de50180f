import type { Kind } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';

/** `outdated`: nothing new, but an older bridge read it and kept less. */
export type Difference = 'same' | 'missed' | 'stale' | 'outdated';

/** What the store knows of an object: its newest version, written, still in memory, or in quarantine. */
export interface Known {
  readonly version: string;
  /** Deleted or gone. */
  readonly away: boolean;
  readonly outdated?: boolean;
}

/** How the store differs from a LIST that has the object at `listed`. What the stream brought since is newer: the same. */
export function difference(listed: string, known: Known | undefined): Difference {
  if (known === undefined) return 'missed';
  const order = compareVersions(listed, known.version);
  // At the version of its absence it cannot be there: a LIST that has it at that version takes the absence back.
  if (order > 0 || (order === 0 && known.away)) return 'stale';
  return known.outdated === true ? 'outdated' : 'same';
}

/**
 * Whether an object of a LIST at `version` proves that etcd was restored: what was known of it by then, a LIST has, or
 * something newer.
 */
export function isRolledBack(version: string, listed: string, known: Known | undefined): boolean {
  if (known === undefined) return false;
  return compareVersions(listed, known.version) < 0 && compareVersions(known.version, version) <= 0;
}

const REREAD_SHARE = 0.05;

/** Whether a page is cheaper to read again as full objects than object by object. */
export function rereadPage(differences: number, size: number): boolean {
  return differences > size * REREAD_SHARE;
}

const HOLD_COUNT = 20;
const HOLD_SHARE = 0.2;

/**
 * Which objects are gone: those that were missing from two LISTs in a row, or from three when they are more than 20 and more
 * than 20 % of all. `missing` counts the LISTs in a row; `live` is how many live objects the store has.
 */
export function goneObjects(
  missing: ReadonlyMap<string, number>,
  live: number,
): { readonly gone: readonly string[]; readonly held: number } {
  const atLeast = (lists: number) => [...missing].filter(([, count]) => count >= lists).map(([uid]) => uid);
  const twice = atLeast(2);
  if (twice.length <= HOLD_COUNT || twice.length <= live * HOLD_SHARE) return { gone: twice, held: 0 };
  const gone = atLeast(3);
  return { gone, held: twice.length - gone.length };
}

const OBJECTS_PER_SECOND = 100;

/** Ms from the end of one audit to the next, before jitter: the interval, or longer so that 100 objects/s are read. */
export function auditInterval(intervalMs: number, objects: number): number {
  return Math.max(intervalMs, pacing(objects));
}

/** Pause in ms that keeps the average at 100 objects a second. */
export function pacing(objects: number): number {
  return (objects / OBJECTS_PER_SECOND) * 1000;
}

export const DEAD_AFTER_MS = 120_000;
/** A stream that only lags behind a LIST brings something within that time. */
export const DOUBTED_AFTER_MS = 10_000;

/** What is known of the Collector's watch of one kind. */
export interface WatchState {
  /** The lowest version that an audit found and the stream should have brought, and since when it is awaited. */
  readonly awaited: { readonly version: string; readonly since: Instant } | undefined;
  /** When the stream last brought a record of this kind. */
  readonly streamAt: Instant | undefined;
  /** The newest version that the stream brought. */
  readonly streamed?: string | undefined;
  /** The watch is in doubt until the stream brings this version or a newer one. */
  readonly doubted?: string | undefined;
}

/**
 * Whether a watch is dead: a version that the audit found has not come for two minutes, and no record of its kind
 * either. Older records of the kind mean only that a queue is being drained.
 */
export function isDeadWatch(watch: WatchState, now: Instant): boolean {
  return now >= deadFrom(watch);
}

/** When a watch is dead if nothing comes until then; Infinity when nothing is awaited. */
export function deadFrom({ awaited, streamAt = 0 }: WatchState): Instant {
  return awaited === undefined ? Infinity : Math.max(awaited.since, streamAt) + DEAD_AFTER_MS;
}

/** When a watch is in doubt if nothing comes until then; Infinity when it is already, or nothing is awaited. */
export function doubtedFrom(watch: WatchState): Instant {
  return watch.doubted === undefined ? deadFrom(watch) - DEAD_AFTER_MS + DOUBTED_AFTER_MS : Infinity;
}

/** The watch in doubt, if it is time: from then on only a version that the stream brings takes the doubt away. */
export function doubtWatch(watch: WatchState, now: Instant): WatchState {
  return now >= doubtedFrom(watch) ? { ...watch, doubted: watch.awaited!.version } : watch;
}

/**
 * The watch of a Collector that connects: what was awaited before it never brings. A doubt stays until it brings
 * something newer than `newest`, all that is known.
 */
export function connectWatch(watch: WatchState, newest: string): WatchState {
  return { ...watch, awaited: undefined, doubted: watch.doubted === undefined ? undefined : newest };
}

/** How long after it should have begun a missed run is judged, at the earliest. */
const JUDGED_AFTER_MS = 60_000;

/** Whether no stream brought anything since the run that is judged at `due` should have begun: all may be dead. */
export function areSilent(watches: readonly WatchState[], due: Instant): boolean {
  return watches.every(({ streamAt = 0 }) => streamAt < due - JUDGED_AFTER_MS);
}

/** The same watch by a clock that was set by `ms`. */
export function shiftWatch(watch: WatchState, ms: number): WatchState {
  const { awaited, streamAt } = watch;
  return {
    ...watch,
    awaited: awaited && { ...awaited, since: awaited.since + ms },
    streamAt: streamAt === undefined ? undefined : streamAt + ms,
  };
}

/** The watch after an audit found a version that the store did not have, and that the stream has not passed. */
export function awaitVersion(watch: WatchState, version: string, now: Instant): WatchState {
  const { awaited, streamed } = watch;
  if (streamed !== undefined && compareVersions(version, streamed) <= 0) return watch;
  if (awaited === undefined) return { ...watch, awaited: { version, since: now } };
  return compareVersions(version, awaited.version) < 0 ? { ...watch, awaited: { ...awaited, version } } : watch;
}

/** The watch after the stream brought a version: that one or a later one means it moved on. */
export function streamVersion(watch: WatchState, version: string, now: Instant): WatchState {
  const isOpen = (wanted: string | undefined): boolean => wanted !== undefined && compareVersions(version, wanted) < 0;
  const { awaited, streamed, doubted } = watch;
  return {
    awaited: isOpen(awaited?.version) ? awaited : undefined,
    streamAt: now,
    streamed: isOpen(streamed) ? streamed : version,
    doubted: isOpen(doubted) ? doubted : undefined,
  };
}

/** Part of the cluster that is LISTed at once: a kind, in a namespace unless the scope is the cluster. */
export interface Unit {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
}

/** The same for the same unit. */
export function unitKey({ kind, namespace = '' }: Unit): string {
  return `${kind}/${namespace}`;
}
