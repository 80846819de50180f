import type { Kind } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Unit } from '../../policy/audit.ts';
import type { Identity } from '../../policy/identity.ts';

/** An object as a metadata LIST shows it. */
export interface Listed {
  readonly uid: string;
  readonly version: string;
}

export interface PageVerdict {
  /** UIDs that the store does not have, or has older. */
  readonly differing: readonly string[];
  /** Versions mean nothing any more (restored etcd): everything is to be read as full objects. */
  readonly full: boolean;
}

/** What one complete LIST of a unit showed. */
export interface PassResult {
  /** The store knew nothing of this kind, or of this kind in this namespace: everything is new, and no gap. */
  readonly first: boolean;
  readonly missed: number;
  readonly stale: number;
  readonly gone: number;
  /** Read again because an older bridge kept less of them: no gap. */
  readonly outdated: number;
  /** Objects that wait for a third LIST, because too many are missing at once. */
  readonly held: number;
  readonly epoch: boolean;
  /** Another LIST soon would settle what this one left open. */
  readonly again: boolean;
}

/**
 * The audit as the main thread drives it: for each unit begin, every page of one LIST, scans until there is no next,
 * end. A LIST that starts over, or fails, begins again. A LIST that is the last one need not be compared.
 */
export interface AuditCalls {
  /** `known`: the store has objects of this kind, so that a metadata LIST can be compared. */
  auditBegin(
    unit: Unit,
    now: Instant,
  ): {
    readonly known: boolean;
    /** The last LIST, if the store had just what it had, and has it still. */
    readonly same: SameList | undefined;
  };
  /**
   * The end of an audit that found what `same` had, at this version, by a LIST or without one: undefined when the store has
   * changed since, and it is to be compared after all.
   */
  auditSame(
    version: string,
    listed: boolean,
    now: Instant,
  ): { readonly objects: number; readonly result: PassResult } | undefined;
  auditPage(version: string, objects: readonly Listed[], now: Instant): PageVerdict;
  auditScan(after: number): { readonly next: number | undefined };
  /** `digests`: of its pages, as far as they are known. */
  auditEnd(now: Instant, digests?: readonly (string | undefined)[]): PassResult;
  auditWatches(now: Instant): Watches;
  /**
   * Takes the right to one restart of the Collector in `everyMs`, durably: 0 when it is taken, else in how many ms it may
   * be asked for again.
   */
  auditRestart(everyMs: number, now: Instant): number;
  /** A Collector connected: its watches begin again. */
  auditConnected(now: Instant): void;
}

/** A LIST after which the store had just what it had. */
export interface SameList {
  /** Of its pages. */
  readonly digests: readonly string[];
  /** Up to which nothing of it has changed. */
  readonly version: string;
  /** It is not long ago that everything was LISTed. */
  readonly isFresh: boolean;
}

/** What is known of the Collector's watches. */
export interface Watches {
  /** What an audit found has not come for two minutes, and nothing else of the kind. */
  readonly dead: readonly Kind[];
  /** The same for ten seconds, or dead before a Collector connected or this process began, and not proven alive since. */
  readonly doubted: readonly Kind[];
  /** No stream brought anything although a run was due, said once for each: all of them may have ended, so LIST now. */
  readonly silent: boolean;
  /** When the next one may be dead, in doubt or silent. */
  readonly nextAt: Instant;
}

export interface IdentityCalls {
  /** Compares with the cluster that the store belongs to; `same` and the first one are remembered. */
  identify(found: Identity): 'same' | 'other' | 'unclear';
}
