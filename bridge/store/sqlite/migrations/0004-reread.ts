/**
 * Which release could not process what is in quarantine, and which readers made an object's facts: what is of an older
 * one is read again. No release stands for an older one than any that is named.
 */
export const reread = {
  number: 4,
  oldestReader: 1,
  sql: `
ALTER TABLE quarantine ADD COLUMN release TEXT;
ALTER TABLE objects ADD COLUMN facts_schema INTEGER NOT NULL DEFAULT 1;
`,
} as const;
