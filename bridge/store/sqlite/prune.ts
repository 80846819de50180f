import type { Db } from './db.ts';

const CHUNK = 50;

/** Of its run, or of a pod itself: a transition of a pod begins with the pod's UID. */
const TRANSITIONS = `SELECT id FROM transitions WHERE run_uid = ?1 OR (id > ?1 || '/' AND id < ?1 || '0') LIMIT ${CHUNK}`;

/**
 * Deletes an object with its run and all that belongs to it, in parts until `deadline` (of `performance.now()`); true
 * when it is done. The object's own row goes last, so that a record between two parts finds what was told.
 */
export function deleteObject(db: Db, uid: string, runKey: string | undefined, deadline: number): boolean {
  while (deletePods(db, uid) || deleteTransitions(db, uid)) if (performance.now() >= deadline) return false;
  // An end that was awaited has decisions, but maybe no transition.
  if (runKey !== undefined) db.run('DELETE FROM decisions WHERE transition_id = ?', `${runKey}/ended`);
  db.run('DELETE FROM attempts WHERE run_uid = ? OR pod_uid = ?', uid, uid);
  db.run('DELETE FROM runs WHERE uid = ?', uid);
  db.run('DELETE FROM objects WHERE uid = ?', uid);
  return true;
}

function deletePods(db: Db, uid: string): boolean {
  const sql = `DELETE FROM objects WHERE uid IN (
    SELECT uid FROM objects WHERE owner_uid = ? AND kind = 'Pod' AND deleted = 1 LIMIT ${CHUNK})`;
  return db.run(sql, uid) > 0;
}

function deleteTransitions(db: Db, uid: string): boolean {
  const rows = db.all<{ id: string }>(TRANSITIONS, uid);
  for (const { id } of rows) {
    db.run('DELETE FROM intents WHERE transition_id = ?', id);
    // The unique key (transition, destination) finds them.
    db.run('DELETE FROM decisions WHERE transition_id = ?', id);
    db.run('DELETE FROM transitions WHERE id = ?', id);
  }
  return rows.length > 0;
}
