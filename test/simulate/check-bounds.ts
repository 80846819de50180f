import sqlite from 'node:sqlite';
import { BY_CLOCK } from '../../bridge/ingest/timers.ts';
import type { Failure } from './checker.ts';
import { time } from './runs.ts';
import type { Simulation } from './simulation.ts';

const MINUTE = 60_000;
/**
 * A pass of the retention begins an hour after the last, or ten minutes later when it is looked for just before. A
 * CronJob goes after its Jobs: in the pass after theirs, since it was seen first.
 */
const PASS_MS = 2 * (60 + 10) * MINUTE + 5 * MINUTE;
/** A bridge that is alive fires what is due. */
const DUE_MS = 5 * MINUTE;

/** What no store may keep for ever. What silence would decide waits for records, of which there are none in the end. `?1`: what is older, `?2`: what should have happened by then. */
const RULES: Readonly<Record<string, string>> = {
  // A pod goes with its Job, a CronJob after its Jobs, and nothing of which a part waits to be sent.
  'deleted objects that the retention forgot': `SELECT uid, over_at AS at FROM objects WHERE deleted = 1 AND over_at < ?1
    AND NOT EXISTS (SELECT 1 FROM objects AS other WHERE coalesce(other.over_at, ?1) >= ?1
      AND iif(objects.kind = 'CronJob', other.owner_uid = objects.uid, objects.kind = 'Pod' AND other.uid = objects.owner_uid))
    AND NOT EXISTS (SELECT 1 FROM transitions JOIN intents ON transition_id = transitions.id
      WHERE settled_at IS NULL AND (run_uid = objects.uid OR run_uid = objects.owner_uid))`,
  'timers that never fired': `SELECT id AS uid, due AS at FROM timers WHERE due < ?2
    AND kind IN (${BY_CLOCK.map((kind) => `'${kind}'`).join()})`,
  'pods of runs that are not there': `SELECT pod_uid AS uid, started_at AS at FROM attempts
    WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.uid = run_uid)`,
  'decisions about nothing': `SELECT transition_id AS uid, at FROM decisions
    WHERE NOT EXISTS (SELECT 1 FROM transitions WHERE transitions.id = transition_id) AND at < ?1`,
  'claims of objects that are not there': `SELECT claims.uid, 0 AS at FROM claims JOIN cutoffs USING (destination)
    WHERE NOT EXISTS (SELECT 1 FROM left_destinations WHERE left_destinations.destination = claims.destination)
    AND claims.uid IN (SELECT uid FROM tombstones)`,
};

/** Rows that live longer than anything needs them. */
export function checkBounds({ storePath, plan, scheduler }: Simulation): Failure[] {
  const db = new sqlite.DatabaseSync(storePath, { readOnly: true });
  try {
    return Object.entries(RULES).flatMap(([what, sql]) => {
      const old = scheduler.now - plan.retentionMs - PASS_MS;
      const rows = db
        .prepare(`WITH bounds AS (SELECT ?1 AS a, ?2 AS b) SELECT found.* FROM bounds, (${sql}) AS found`)
        .all(old, scheduler.now - DUE_MS);
      const [first] = rows as unknown as { uid: string; at: number }[];
      if (first === undefined) return [];
      return [{ what: `${rows.length} ${what}, such as ${first.uid} of ${time(first.at)}` }];
    });
  } finally {
    db.close();
  }
}
