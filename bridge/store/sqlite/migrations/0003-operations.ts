/**
 * What people asked for (resend, retire) and what vendors answered to tries that were not the last. The trigger keeps
 * both with their intent: who prunes intents need not know them.
 */
export const operations = {
  number: 3,
  oldestReader: 1,
  sql: `
CREATE TABLE retirements (
  id INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, from_by TEXT NOT NULL, until_at INTEGER, until_by TEXT);
CREATE TABLE resends (
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, was_status TEXT NOT NULL,
  was_reason TEXT, was_detail TEXT, was_settled_at INTEGER NOT NULL);
CREATE INDEX resends_seq ON resends (seq);
CREATE TABLE answers (
  seq INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT, count INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (seq, reason)) WITHOUT ROWID;
CREATE TRIGGER intents_pruned AFTER DELETE ON intents BEGIN
  DELETE FROM answers WHERE seq = old.seq;
  DELETE FROM resends WHERE seq = old.seq;
END;
CREATE INDEX decisions_dropped_reason ON decisions (reason, at, id) WHERE verdict = 'dropped';
CREATE INDEX intents_dropped_reason ON intents (reason, settled_at, seq) WHERE status = 'dropped';
`,
} as const;
