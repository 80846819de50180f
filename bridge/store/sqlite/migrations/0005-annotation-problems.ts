/**
 * One row for each live CronJob with annotations that a destination cannot read; it leaves when nothing is wrong any
 * more. `set_hash` names the set of problems and so the Kubernetes Event that tells it.
 */
export const annotationProblems = {
  number: 5,
  oldestReader: 1,
  sql: `
CREATE TABLE annotation_problems (
  uid TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, problems TEXT NOT NULL, set_hash TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL, event_at INTEGER, event_error TEXT) WITHOUT ROWID;
CREATE INDEX annotation_problems_name ON annotation_problems (namespace, name, uid);
CREATE INDEX annotation_problems_due ON annotation_problems (next_at);
`,
} as const;
