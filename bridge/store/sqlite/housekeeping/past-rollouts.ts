import { WORKLOADS } from '../../../kubernetes/followed.ts';
import type { Kind } from '../../../kubernetes/observation.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Db } from '../db/db.ts';
import { deleteObject, UNSETTLED } from './prune.ts';

/** The newest first. What waits has no end yet, or is to be planned. */
const ROLLOUTS = `SELECT runs.uid, waiting_for IS NOT NULL AS waits,
    iif(json_valid(run), json_extract(run, '$.endedAt'), 0) AS ended_at
  FROM objects JOIN runs ON runs.namespace = objects.namespace AND runs.name = objects.name AND runs.owner_uid = objects.uid
  WHERE objects.uid = ? ORDER BY sort_at DESC, runs.uid`;

interface Rollout {
  readonly uid: string;
  readonly waits: number;
  readonly ended_at: Instant | null;
}

export interface PastRollouts {
  readonly removed: number;
  /** Some are left. */
  readonly isLeft: boolean;
  /** For want of time: the next step goes on with them. */
  readonly isCut: boolean;
}

/**
 * Removes the rollouts of a workload that ended up to `before`, in parts until `deadline` (of `performance.now()`). One that
 * lives for years has many: of one that `lives` the newest stays.
 */
export function deleteRollouts(
  db: Db,
  { uid, kind, lives }: { readonly uid: string; readonly kind: Kind; readonly lives: boolean },
  before: Instant,
  deadline: number,
): PastRollouts {
  if (!WORKLOADS.has(kind)) return { removed: 0, isLeft: false, isCut: false };
  const all = db.all<Rollout>(ROLLOUTS, uid);
  let removed = 0;
  let isCut = false;
  for (const run of lives ? all.slice(1) : all) {
    // A step that comes here late removes one, or it would never go on.
    isCut = removed > 0 && performance.now() >= deadline;
    if (isCut) break;
    const isOver = run.waits === 0 && run.ended_at !== null && run.ended_at <= before;
    const isAwaited = db.get(UNSETTLED.run, run.uid) ?? db.get('SELECT 1 FROM timers WHERE uid = ? LIMIT 1', run.uid);
    // An open one of a workload that nobody watches any more does not end.
    if ((!isOver && (lives || run.waits === 1)) || isAwaited !== undefined) continue;
    isCut = !deleteObject(db, { uid: run.uid }, deadline);
    if (isCut) break;
    removed++;
  }
  return { removed, isLeft: removed < all.length, isCut };
}
