import sqlite from 'node:sqlite';
import type { Failure } from './checker.ts';
import type { Simulation } from './simulation.ts';
import type { KubeObject, Resource } from './world/objects.ts';
import { resourceOf } from './world/objects.ts';

interface Row {
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
  readonly version: string;
}

/** With all that is over for long enough, the store has the objects of the cluster, each as it is, and no other that lives. */
export function checkObjects(simulation: Simulation): Failure[] {
  const db = new sqlite.DatabaseSync(simulation.storePath, { readOnly: true });
  try {
    const rows = db
      .prepare("SELECT uid, kind, namespace || '/' || name AS name, version FROM objects WHERE deleted = 0")
      .all() as unknown as Row[];
    const stored = new Map(rows.map((row) => [row.uid, row]));
    // Of what is over for longer than the retention keeps it, that is all that is known.
    const pruned = new Set(
      db
        .prepare('SELECT uid FROM tombstones')
        .all()
        .map(({ uid }) => uid as string),
    );
    // Events are kept by themselves, and not compared.
    const watched = simulation.watched().filter((resource) => resource !== 'events');
    const living = watched.flatMap((resource) => simulation.api.list(resource));
    return [
      ...living.flatMap((object) => (pruned.has(object.metadata.uid) ? [] : wrongWith(object, stored))),
      ...goneOf(rows, living, watched),
    ];
  } finally {
    db.close();
  }
}

function wrongWith({ kind, metadata }: KubeObject, stored: ReadonlyMap<string, Row>): Failure[] {
  const { uid, namespace, name, resourceVersion } = metadata;
  const version = stored.get(uid)?.version;
  if (version === resourceVersion) return [];
  const what = version === undefined ? 'does not live in the store' : `is ${version} in the store`;
  return [{ what: `${kind} ${namespace}/${name}, version ${resourceVersion}, ${what}`, uid }];
}

function goneOf(rows: readonly Row[], living: readonly KubeObject[], watched: readonly Resource[]): Failure[] {
  const uids = new Set(living.map(({ metadata }) => metadata.uid));
  return rows
    .filter(({ uid, kind }) => !uids.has(uid) && watched.includes(resourceOf({ kind })))
    .map(({ kind, name, uid }) => ({ what: `${kind} ${name} is gone, and lives in the store`, uid }));
}
