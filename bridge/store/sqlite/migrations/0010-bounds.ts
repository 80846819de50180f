/**
 * What lets every table end: since when an object is over, since when nothing uses a sticky key, which destinations left
 * the configuration, and what of their rows and of retired ones is remembered.
 */
export const bounds = {
  number: 10,
  oldestReader: 1,
  sql: `
ALTER TABLE objects ADD COLUMN over_at INTEGER;
UPDATE objects SET over_at = unixepoch() * 1000 WHERE deleted = 1;
CREATE TABLE unused_keys (
  destination TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY (destination, namespace, name)) WITHOUT ROWID;
CREATE TABLE left_destinations (destination TEXT PRIMARY KEY, left_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE former_rows (
  destination TEXT NOT NULL, key TEXT NOT NULL, wanted TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (destination, key)) WITHOUT ROWID;
CREATE INDEX decisions_waiting ON decisions (destination) WHERE verdict = 'waiting';
`,
} as const;
