import { KINDS } from '../../../kubernetes/kinds.ts';
import type { Kind } from '../../../kubernetes/observation.ts';
import type { ObjectRow, ObjectsTx } from '../../objects.ts';
import type { Db } from '../db/db.ts';
import { LateRows } from '../db/late-rows.ts';
import { SeenRows } from '../db/seen-rows.ts';
import { readJson, readOrRemove } from '../db/unreadable-rows.ts';

interface ObjectColumns {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly owner_uid: string | null;
  readonly version: string;
  readonly deleted: number;
  readonly over_at: number | null;
  readonly facts_schema: number;
  readonly state: string;
}

const PUT = `INSERT INTO objects
    (uid, kind, namespace, name, owner_uid, version, deleted, over_at, facts_schema, state)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (uid) DO UPDATE SET kind = excluded.kind, namespace = excluded.namespace, name = excluded.name,
    owner_uid = excluded.owner_uid, version = excluded.version, deleted = excluded.deleted,
    over_at = iif(excluded.deleted = 1, coalesce(over_at, excluded.over_at), NULL), facts_schema = excluded.facts_schema, state = excluded.state`;

const NAMESPACE = `SELECT uid FROM objects INDEXED BY objects_namespaces WHERE kind = 'Namespace' AND name = ?
  ORDER BY deleted, over_at DESC, length(version) DESC, version DESC LIMIT 1`;

/** What stands in no index: most writes of a row change nothing else. */
const CHANGE = `UPDATE objects SET version = ?, over_at = iif(deleted = 1, coalesce(over_at, ?), NULL), facts_schema = ?,
    state = ? WHERE uid = ?`;

/** Objects as transactions read and write them: of one that has hardly changed only that is written. The caller holds the transaction. */
export class Objects implements ObjectsTx {
  readonly #db: Db;
  readonly #seen = new SeenRows<ObjectRow>();
  readonly #late: LateRows<ObjectRow>;

  constructor(db: Db) {
    this.#db = db;
    this.#late = new LateRows(db, /\bobjects\b/, (row, known) => putObject(db, row, known), this.#seen);
  }

  get(uid: string): ObjectRow | undefined {
    return this.#seen.get(uid, (uid) => objectOf(this.#db, uid));
  }

  put(row: ObjectRow): void {
    const waiting = this.#late.get(row.uid);
    const known = waiting ?? this.#seen.known(row.uid);
    // What comes back and is over again counts from then. What stands in an index is written by a statement of its own.
    if (waiting !== undefined && !hasSamePlace(waiting, row)) this.#late.write();
    // The first time at which it was over counts.
    const overAt = row.deleted ? (known?.overAt ?? row.overAt) : undefined;
    const kept = { ...row, overAt, factsSchema: row.factsSchema ?? KINDS[row.kind].schema };
    this.#late.put(row.uid, kept, known);
    this.#seen.keep(row.uid, kept);
  }

  namespace(name: string): ObjectRow | undefined {
    const found = this.#db.get<{ uid: string }>(NAMESPACE, name);
    return found && this.get(found.uid);
  }

  children(ownerUid: string, kind: Kind): ObjectRow[] {
    const sql = 'SELECT * FROM objects WHERE owner_uid = ? AND kind = ? ORDER BY uid';
    return this.#db.all<ObjectColumns>(sql, ownerUid, kind).flatMap((row) => readObject(this.#db, row) ?? []);
  }
}

/** Undefined when there is none, or none that can be read: then it is gone, and the audit fetches it again. */
export function objectOf(db: Db, uid: string): ObjectRow | undefined {
  const row = db.get<ObjectColumns>('SELECT * FROM objects WHERE uid = ?', uid);
  return row && readObject(db, row);
}

function readObject(db: Db, row: ObjectColumns): ObjectRow | undefined {
  const place = { table: 'objects', column: 'uid', value: row.uid } as const;
  // What is over stays until the retention removes it with its run; what is alive is fetched again.
  const read = row.deleted === 1 ? readJson : readOrRemove;
  const state = read<{ readonly facts: object }>(db, place, row.state, isState);
  return state && toObject(row, state);
}

function isState(state: { readonly facts: object } | null): boolean {
  return typeof state?.facts === 'object' && state.facts !== null;
}

function toObject(row: ObjectColumns, state: object): ObjectRow {
  const { uid, kind, namespace, name, version } = row;
  return {
    uid,
    kind,
    namespace,
    name,
    version,
    ownerUid: row.owner_uid ?? undefined,
    deleted: row.deleted === 1,
    overAt: row.over_at ?? undefined,
    factsSchema: row.facts_schema,
    state,
  };
}

/** Writes a row; `known` is the one that it replaces, if the caller knows it. */
function putObject(db: Db, row: ObjectRow, known?: ObjectRow): void {
  const { uid, version, overAt = null, factsSchema = KINDS[row.kind].schema } = row;
  const state = JSON.stringify(row.state);
  if (known !== undefined && hasSamePlace(known, row)) {
    if (db.run(CHANGE, version, overAt, factsSchema, state, uid) > 0) return;
  }
  const { kind, namespace, name, ownerUid = null, deleted } = row;
  db.run(PUT, uid, kind, namespace, name, ownerUid, version, Number(deleted), overAt, factsSchema, state);
}

function hasSamePlace(a: ObjectRow, b: ObjectRow): boolean {
  return INDEXED.every((field) => a[field] === b[field]);
}

const INDEXED = ['kind', 'namespace', 'name', 'ownerUid', 'deleted'] as const;
