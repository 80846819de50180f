import type { Instant } from '../../../lib/clock.ts';
import type { Recovery } from '../../store.ts';
import type { Db } from '../db/db.ts';
import { beginRetirement, currentRetirement, endRetirement } from '../outbox/retirements.ts';
import { parsed } from '../db/unreadable-rows.ts';
import type { Keys, RecoveryFiles } from '../file/recovery-files.ts';

const KEY = 'recovery';

/** Fills a new store in place of a lost one, inside a transaction, and remembers that it was made so. */
export function rebuild(
  db: Db,
  { keys, lastCommit }: RecoveryFiles,
  lost: Pick<Recovery, 'cause' | 'reason' | 'movedTo'>,
  now: Instant,
): Recovery {
  const cutoff = keys === undefined || lastCommit === undefined ? undefined : Math.min(wholeSecond(lastCommit), now);
  if (keys !== undefined) putKeys(db, keys, cutoff ?? now);
  return remember(db, { ...lost, at: now, cutoff: cutoff ?? now, cutoffKnown: cutoff !== undefined });
}

/** Times of objects are whole seconds: what happened in the second of the last commit, but after it, must still be announced. */
function wholeSecond(at: Instant): Instant {
  return Math.floor(at / 1000) * 1000;
}

/** The last time that this store came in place of another, if ever. */
export function lastRecovery(db: Db): Recovery | undefined {
  const row = db.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', KEY);
  return row && parsed<Recovery>(row.value, (known) => typeof known?.at === 'number').value;
}

export function remember(db: Db, recovery: Recovery): Recovery {
  db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', KEY, JSON.stringify(recovery));
  return recovery;
}

/** What the small file beside the store says. */
export function readKeys(db: Db): Keys {
  const cutoffs = db.all<{ destination: string; at: number }>('SELECT destination, at FROM cutoffs');
  const sticky = db.all<{ destination: string; kind: string; namespace: string; name: string; key: string }>(
    'SELECT * FROM sticky_keys',
  );
  return {
    clusterId: db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'cluster_id'")?.value,
    cutoffs: Object.fromEntries(cutoffs.map(({ destination, at }) => [destination, at])),
    retired: currentRetirement(db) ?? null,
    stickyKeys: sticky.map(
      ({ destination, kind, namespace, name, key }) => [destination, kind, namespace, name, key] as const,
    ),
  };
}

/** Adds what the small file beside the store says to what the store knows. */
export function putKeys(db: Db, { clusterId, cutoffs, stickyKeys, retired }: Keys, cutoff: Instant): void {
  if (clusterId !== undefined) db.run("INSERT OR IGNORE INTO meta (key, value) VALUES ('cluster_id', ?)", clusterId);
  for (const [destination, at] of Object.entries(cutoffs)) {
    db.run('INSERT OR IGNORE INTO cutoffs (destination, at) VALUES (?, ?)', destination, Math.max(at, cutoff));
  }
  for (const row of stickyKeys)
    db.run(
      'INSERT OR IGNORE INTO sticky_keys (destination, kind, namespace, name, key) VALUES (?, ?, ?, ?, ?)',
      ...row,
    );
  // A backup may be older than the last "retire" or "retire --undo".
  if (retired) beginRetirement(db, retired.by, retired.since);
  else if (retired === null) endRetirement(db, 'restore', cutoff);
}
