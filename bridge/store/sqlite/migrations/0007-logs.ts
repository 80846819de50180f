/** Tails of container logs, as they are wanted, read and sent. They go with their run. */
export const logs = {
  number: 7,
  oldestReader: 1,
  sql: `
CREATE TABLE logs (
  id INTEGER PRIMARY KEY, run_uid TEXT NOT NULL, namespace TEXT NOT NULL, pod_uid TEXT NOT NULL, pod_name TEXT NOT NULL,
  container TEXT NOT NULL, instance INTEGER NOT NULL, exit_code INTEGER NOT NULL, ended_at INTEGER NOT NULL,
  restarts INTEGER NOT NULL, wanted_at INTEGER NOT NULL, next_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  outcome TEXT, detail TEXT, bytes INTEGER NOT NULL DEFAULT 0, cut INTEGER NOT NULL DEFAULT 0, settled_at INTEGER,
  stored INTEGER, text BLOB,
  UNIQUE (pod_uid, container, instance));
CREATE INDEX logs_run ON logs (run_uid);
CREATE INDEX logs_wanted ON logs (next_at) WHERE outcome IS NULL;
CREATE INDEX logs_kept ON logs (settled_at, stored) WHERE outcome = 'kept';
CREATE TRIGGER runs_pruned AFTER DELETE ON runs BEGIN
  DELETE FROM logs WHERE run_uid = old.uid;
END;
ALTER TABLE intents ADD COLUMN logs_of TEXT;
`,
} as const;
