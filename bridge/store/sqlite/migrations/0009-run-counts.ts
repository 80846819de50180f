/** How many runs there are, kept with them: the list of runs shows counts, and a hundred thousand rows are slow to count. */
export const runCounts = {
  number: 9,
  oldestReader: 1,
  sql: `
CREATE TABLE run_counts (
  namespace TEXT NOT NULL, owner_name TEXT NOT NULL, status TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (namespace, owner_name, status)) WITHOUT ROWID;
INSERT INTO run_counts
  SELECT namespace, coalesce(owner_name, ''), status, count(*) FROM runs GROUP BY namespace, coalesce(owner_name, ''), status;

CREATE TRIGGER runs_counted AFTER INSERT ON runs BEGIN
  INSERT INTO run_counts VALUES (new.namespace, coalesce(new.owner_name, ''), new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER runs_recounted AFTER UPDATE OF namespace, owner_name, status ON runs
WHEN (old.namespace, old.owner_name, old.status) IS NOT (new.namespace, new.owner_name, new.status) BEGIN
  INSERT INTO run_counts VALUES (new.namespace, coalesce(new.owner_name, ''), new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
  UPDATE run_counts SET count = count - 1
    WHERE (namespace, owner_name, status) = (old.namespace, coalesce(old.owner_name, ''), old.status);
END;
CREATE TRIGGER runs_uncounted AFTER DELETE ON runs BEGIN
  UPDATE run_counts SET count = count - 1
    WHERE (namespace, owner_name, status) = (old.namespace, coalesce(old.owner_name, ''), old.status);
  DELETE FROM run_counts
    WHERE (namespace, owner_name) = (old.namespace, coalesce(old.owner_name, '')) AND count = 0;
END;
`,
} as const;
