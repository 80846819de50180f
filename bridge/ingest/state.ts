import type { Facts, Kind, Observation } from '../kubernetes/observation.ts';
import { compareVersions, UNKNOWN_VERSION } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import { isSameJson } from '../lib/same.ts';
import type { SchemaOf } from './reading.ts';
import { ownSchema } from './reading.ts';
import type { ObjectRow, Tx } from '../store/store.ts';

/** What a reducer left in its object's row. JSON drops undefined fields, which reads the same. */
export function stateOf<State>(row: ObjectRow): State {
  return row.state as State;
}

/** Records of one kind that told nothing new. */
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

  /** Counts a record that told nothing new: a newer version that changed nothing, or one that was known already. */
  toldNothing(kind: Kind, newer: boolean): void {
    const counts = this.#quiet.get(kind) ?? { unchanged: 0, known: 0 };
    counts[newer ? 'unchanged' : 'known']++;
    this.#quiet.set(kind, counts);
  }

  /** What `toldNothing` counted in this transaction. */
  quiet(): Quiet[] {
    return [...this.#quiet].map(([kind, counts]) => ({ kind, ...counts }));
  }

  get size(): number {
    return this.#versions.size;
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
    const row = tx.object(uid);
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

  /** Writes all of them; the caller's transaction makes them durable. */
  flush(tx: Tx): void {
    for (const [uid, version] of this.#versions) {
      const row = tx.object(uid);
      if (row !== undefined) tx.putObject(withVersion(row, version));
    }
  }

  clear(): void {
    this.#versions.clear();
  }
}

/**
 * Writes an object's row, with `overAt` as one that is deleted; false when nothing but its version changed, which is only
 * remembered.
 */
export function saveObject(
  tx: Tx,
  unwritten: UnwrittenVersions,
  previous: ObjectRow | undefined,
  { facts }: Observation,
  state: { readonly facts: Facts },
  overAt: Instant | undefined,
): boolean {
  const row: ObjectRow = {
    uid: facts.uid,
    kind: facts.kind satisfies Kind,
    namespace: facts.namespace,
    name: facts.name,
    ownerUid: state.facts.owner?.uid,
    version: state.facts.resourceVersion,
    deleted: overAt !== undefined,
    overAt,
    factsSchema: schemaAfter(previous, facts, unwritten.schemaOf(facts.kind)),
    state,
  };
  if (previous !== undefined && sameButVersion(previous, row)) {
    unwritten.toldNothing(row.kind, previous.version !== row.version);
    if (previous.version !== row.version) unwritten.set(row.uid, row.version);
    return false;
  }
  unwritten.forget(row.uid);
  tx.putObject(row);
  return true;
}

/** An older observation leaves the facts as they were read before. */
function schemaAfter(previous: ObjectRow | undefined, { resourceVersion }: Facts, schema: number): number {
  const isNewer = previous === undefined || compareVersions(resourceVersion, previous.version) > 0;
  return isNewer ? schema : (previous.factsSchema ?? schema);
}

function sameButVersion(a: ObjectRow, b: ObjectRow): boolean {
  return a.factsSchema === b.factsSchema && isSameJson(a.state, withVersion(b, a.version).state);
}

function withVersion(row: ObjectRow, version: string): ObjectRow {
  const state = row.state as { readonly facts: object };
  return { ...row, version, state: { ...state, facts: { ...state.facts, resourceVersion: version } } };
}
