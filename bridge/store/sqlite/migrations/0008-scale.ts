/**
 * Nothing that happens often looks at more rows than it needs: the audit of one namespace at that namespace's objects, a
 * tick at the timers of one kind that are due, retention at the timers of one object.
 */
export const scale = {
  number: 8,
  oldestReader: 1,
  sql: `
CREATE INDEX objects_live_namespace ON objects (kind, namespace) WHERE deleted = 0;
DROP INDEX timers_due;
CREATE INDEX timers_kind_due ON timers (kind, due, id);
CREATE INDEX timers_uid ON timers (uid);
`,
} as const;
