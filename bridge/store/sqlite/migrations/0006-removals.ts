/** When a row that no object claims is wanted as null, the vendor having nothing. */
export const removals = {
  number: 6,
  oldestReader: 1,
  sql: `
ALTER TABLE desired ADD COLUMN remove_at INTEGER;
CREATE INDEX desired_removals ON desired (remove_at) WHERE remove_at IS NOT NULL;
`,
} as const;
