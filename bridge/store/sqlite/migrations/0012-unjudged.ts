/** One row for each live CronJob whose missed runs are not judged, and why. */
export const unjudged = {
  number: 12,
  oldestReader: 1,
  sql: `
CREATE TABLE unjudged (
  uid TEXT PRIMARY KEY, reason TEXT NOT NULL, zone TEXT NOT NULL, detail TEXT NOT NULL, since_at INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE INDEX unjudged_reason ON unjudged (reason, zone);
`,
} as const;
