import type { SchemaOf } from '../kubernetes/kinds.ts';
import { ownSchema } from '../kubernetes/kinds.ts';
import type { Kind, Observation } from '../kubernetes/observation.ts';
import { UNKNOWN_VERSION } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Tx } from '../store/tx.ts';

/** Unwritten versions are written at the latest then; a crash before it costs a second look at stale records. */
const WRITE_BEHIND_MS = 30_000;
const MAX_UNWRITTEN = 10_000;

/** Records of one kind that said nothing new. */
export interface Quiet {
  readonly kind: Kind;
  readonly unchanged: number;
  readonly known: number;
}

/**
 * Versions that changed nothing else: the rows in the store are older. They are written behind, so that most of a real
 * stream costs no synchronous write; losing them in a crash costs only that a stale record is looked at again.
 */
export class UnwrittenVersions {
  readonly #versions = new Map<string, string>();
  /** What each change since the beginning of the transaction replaced, oldest first. */
  #replaced: [uid: string, version: string | undefined][] = [];
  #flushedAt: Instant = 0;
  readonly #quiet = new Map<Kind, { unchanged: number; known: number }>();

  readonly schemaOf: SchemaOf;

  constructor(schemaOf: SchemaOf = ownSchema) {
    this.schemaOf = schemaOf;
  }

  /** Runs a transaction: when it throws, the versions are what they were, like the rows in the store. */
  atomically<T>(transaction: () => T): T {
    this.#replaced = [];
    this.#quiet.clear();
    try {
      return transaction();
    } catch (error) {
      this.#undo(0);
      throw error;
    }
  }

  /** Runs a part of a transaction: when it throws, the versions are what they were before it. */
  part<T>(work: () => T): T {
    const mark = this.#replaced.length;
    const quiet = [...this.#quiet].map(([kind, counts]) => [kind, { ...counts }] as const);
    try {
      return work();
    } catch (error) {
      this.#undo(mark);
      this.#quiet.clear();
      for (const [kind, counts] of quiet) this.#quiet.set(kind, counts);
      throw error;
    }
  }

  #undo(mark: number): void {
    for (const [uid, version] of this.#replaced.splice(mark).toReversed()) {
      if (version === undefined) this.#versions.delete(uid);
      else this.#versions.set(uid, version);
    }
  }

  /** Counts a record that said nothing new: a newer version that changed nothing, or one that was known already. */
  saidNothing(kind: Kind, newer: boolean): void {
    const counts = this.#quiet.get(kind) ?? { unchanged: 0, known: 0 };
    counts[newer ? 'unchanged' : 'known']++;
    this.#quiet.set(kind, counts);
  }

  /** What `saidNothing` counted in this transaction. */
  quiet(): Quiet[] {
    return [...this.#quiet].map(([kind, counts]) => ({ kind, ...counts }));
  }

  set(uid: string, version: string): void {
    this.#replaced.push([uid, this.#versions.get(uid)]);
    this.#versions.set(uid, version);
  }

  version(uid: string): string | undefined {
    return this.#versions.get(uid);
  }

  /** The row with its newest version. */
  load(tx: Tx, uid: string): ObjectRow | undefined {
    const row = tx.objects.get(uid);
    const version = row && this.#versions.get(uid);
    return row === undefined || version === undefined ? row : withVersion(row, version);
  }

  /** The row that an observation meets. Facts that an older bridge read give way to the same version as a LIST has it. */
  loadFor(tx: Tx, { facts, listed }: Observation): ObjectRow | undefined {
    const row = this.load(tx, facts.uid);
    const isOutdated = row?.factsSchema !== undefined && row.factsSchema !== this.schemaOf(facts.kind);
    return isOutdated && listed === true && row.version === facts.resourceVersion
      ? withVersion(row, UNKNOWN_VERSION)
      : row;
  }

  forget(uid: string): void {
    this.#replaced.push([uid, this.#versions.get(uid)]);
    this.#versions.delete(uid);
  }

  /** When they are written at the latest: Infinity while there are none. */
  flushAt(): Instant {
    return this.#versions.size === 0 ? Infinity : this.#flushedAt + WRITE_BEHIND_MS;
  }

  clockSet(ms: number): void {
    this.#flushedAt += ms;
  }

  /** Whether it is time to write them, or they are many. */
  isFlushDue(now: Instant): boolean {
    return this.#versions.size >= MAX_UNWRITTEN || now - this.#flushedAt >= WRITE_BEHIND_MS;
  }

  /** Writes all of them; the caller's transaction makes them durable, and after it they are to be cleared. */
  flush(tx: Tx, now: Instant): void {
    this.#flushedAt = now;
    for (const [uid, version] of this.#versions) {
      const row = tx.objects.get(uid);
      if (row !== undefined) tx.objects.put(withVersion(row, version));
    }
  }

  clear(): void {
    this.#versions.clear();
  }
}

/** The row as one of this version. */
export function withVersion(row: ObjectRow, version: string): ObjectRow {
  const state = row.state as { readonly facts: object };
  return { ...row, version, state: { ...state, facts: { ...state.facts, resourceVersion: version } } };
}
