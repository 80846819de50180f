import type { Kind } from '../../../kubernetes/observation.ts';
import type { Instant } from '../../../lib/clock.ts';
import { PASSED } from '../journal/journal-entries.ts';
import type { Db } from '../db/db.ts';

const CHUNK = 50;

/**
 * What belongs to a run, and to a pod: the transitions of a pod that belong to no run are known by their ids, which begin
 * with its UID. Those of a run may begin with the UID of its CronJob, which they outlive.
 */
const OF_RUN = 'run_uid = ?1';
const OF_POD = "(run_uid = ?1 OR (transitions.id > ?1 || '/' AND transitions.id < ?1 || '0'))";

export function transitionsOfObject(kind: Kind | undefined): string {
  return kind === 'Pod' ? OF_POD : OF_RUN;
}

/** Whether the story of a run waits to be sent, with whatever transition. */
const hasStory = (uid: string): string => `EXISTS (SELECT 1 FROM intents WHERE story = ${uid} AND settled_at IS NULL)`;

const unsettled = (which: string): string => `SELECT 1 WHERE ${hasStory('?1')} OR EXISTS (SELECT 1 FROM transitions
  JOIN intents ON intents.transition_id = transitions.id WHERE settled_at IS NULL AND ${which})
  OR EXISTS (SELECT 1 FROM transitions WHERE ${which} AND seq > ${PASSED})`;

/** Whether something of a run, or of a pod, waits to be sent or exported. */
export const UNSETTLED = { run: unsettled(OF_RUN), pod: unsettled(OF_POD) } as const;

export interface Pruned {
  readonly uid: string;
  /** Undefined for a run that no object stands for. */
  readonly kind?: Kind;
  readonly runKey?: string | undefined;
}

/**
 * Deletes an object with its run and all that belongs to it, in parts until `deadline` (of `performance.now()`); true
 * when it is done. The object's own row goes last, so that a record between two parts finds what was reported.
 */
export function deleteObject(db: Db, { uid, kind, runKey }: Pruned, deadline: number): boolean {
  while (deletePods(db, uid, kind) || deleteTransitions(db, uid, kind)) if (performance.now() >= deadline) return false;
  // An end that was awaited has decisions, but maybe no transition.
  if (runKey !== undefined) db.run('DELETE FROM decisions WHERE transition_id = ?', `${runKey}/ended`);
  db.run('DELETE FROM attempts WHERE run_uid = ? OR pod_uid = ?', uid, uid);
  db.run('DELETE FROM runs WHERE uid = ?', uid);
  // Of a pod that belonged to no run; those of a run went with it.
  db.run('DELETE FROM logs WHERE run_uid = ?', uid);
  db.run('DELETE FROM objects WHERE uid = ?', uid);
  return true;
}

/** Whether the records of a pod do not all name its owner: one that does not is known by the pod's own tombstone only. */
export const PARTLY_OWNED = "iif(json_valid(state), json_extract(state, '$.partlyOwned') IS NOT NULL, FALSE)";

/** Pods of other controllers than Jobs go by themselves, and those that were cut off from theirs. */
function deletePods(db: Db, uid: string, kind: Kind | undefined): boolean {
  if (kind !== undefined && kind !== 'Job') return false;
  const sql = `DELETE FROM objects WHERE uid IN (
    SELECT uid FROM objects WHERE owner_uid = ? AND kind = 'Pod' AND deleted = 1 AND NOT ${PARTLY_OWNED} LIMIT ${CHUNK})`;
  return db.run(sql, uid) > 0;
}

function deleteTransitions(db: Db, uid: string, kind: Kind | undefined): boolean {
  const sql = `SELECT id FROM transitions WHERE ${transitionsOfObject(kind)} LIMIT ${CHUNK}`;
  const rows = db.all<{ id: string }>(sql, uid);
  for (const { id } of rows) deleteTransition(db, id);
  return rows.length > 0;
}

function deleteTransition(db: Db, id: string): void {
  db.run('DELETE FROM intents WHERE transition_id = ?', id);
  // The unique key (transition, destination) finds them.
  db.run('DELETE FROM decisions WHERE transition_id = ?', id);
  db.run('DELETE FROM transitions WHERE id = ?', id);
}

const REPEATED = `SELECT seq, id, recorded_at AS recordedAt,
    iif(json_valid(transition), transition ->> '$.kind' IN ('container.terminated', 'run.suspended', 'run.resumed', 'event.warned'), 0)
      AS repeated,
    EXISTS (SELECT 1 FROM intents WHERE transition_id = transitions.id AND settled_at IS NULL)
      OR EXISTS (SELECT 1 FROM decisions WHERE transition_id = transitions.id AND verdict = 'waiting')
      OR ${hasStory('run_uid')}
      OR EXISTS (SELECT 1 FROM timers WHERE uid = run_uid AND kind = 'settled')
      OR seq > ${PASSED} AS open
  FROM transitions WHERE seq > ? ORDER BY seq LIMIT ${CHUNK}`;

interface RepeatedRow {
  readonly seq: number;
  readonly id: string;
  readonly recordedAt: Instant;
  readonly repeated: number;
  readonly open: number;
}

/**
 * Looks at the next transitions after `seq`, and deletes what was recorded up to `before` of the kinds that one living
 * object makes again and again (its containers crash, it is suspended) once it is settled: the object remembers in few
 * bytes that it was reported. Returns how many went, and the `seq` to go on after; without it, the rest is younger.
 */
export function deleteRepeated(
  db: Db,
  seq: number,
  before: Instant,
): { readonly removed: number; readonly seq?: number } {
  const rows = db.all<RepeatedRow>(REPEATED, seq);
  const old = rows.filter(({ recordedAt }) => recordedAt <= before);
  const settled = old.filter(({ repeated, open }) => repeated === 1 && open === 0);
  for (const { id } of settled) deleteTransition(db, id);
  const isDone = old.length < CHUNK;
  return { removed: settled.length, ...(!isDone && { seq: old.at(-1)!.seq }) };
}
