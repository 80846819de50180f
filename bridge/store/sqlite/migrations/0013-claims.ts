/** Claims without payload, elections other than of the oldest, and rows that are asserted more or less often. */
export const claims = {
  number: 13,
  oldestReader: 13,
  sql: `
CREATE TABLE ranked_claims (
  destination TEXT NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, rank INTEGER NOT NULL, wanted TEXT,
  PRIMARY KEY (destination, key, uid)) WITHOUT ROWID;
INSERT INTO ranked_claims SELECT destination, key, uid, created_at, wanted FROM claims;
DROP TABLE claims;
ALTER TABLE ranked_claims RENAME TO claims;
CREATE INDEX claims_uid ON claims (destination, uid);
CREATE INDEX claims_elected ON claims (destination, key, rank, uid) WHERE wanted IS NOT NULL;
ALTER TABLE desired ADD COLUMN assert_every_ms INTEGER DEFAULT 86400000;
`,
} as const;
