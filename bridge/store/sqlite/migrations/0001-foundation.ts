/**
 * Times are ms since the epoch, `*_json` and payloads are JSON text. Unsettled intents are found by partial indexes,
 * so the settled ones cost nothing; settled_at is in two of them, or they would not cover their queries. Status of an intent, in the order of its life:
 *
 *   queued ─ first of its lane ─▶ awaiting ─ monitor accepted or refused ─▶ ready ─ claim ─▶ sending ─▶ delivered
 *                                                                            ▲                 │└─────▶ dropped
 *                                                                            └───── retry ─────┘
 */
export const foundation = {
  number: 1,
  oldestReader: 1,
  sql: `
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE cutoffs (destination TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE objects (
  uid TEXT PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, owner_uid TEXT,
  version TEXT NOT NULL, deleted INTEGER NOT NULL, state TEXT NOT NULL);
CREATE INDEX objects_owner ON objects (owner_uid, kind, uid) WHERE owner_uid IS NOT NULL;
CREATE INDEX objects_live ON objects (kind) WHERE deleted = 0;

CREATE TABLE runs (
  uid TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, owner_uid TEXT, owner_name TEXT,
  status TEXT NOT NULL, sort_at INTEGER NOT NULL, waiting_for TEXT, run TEXT NOT NULL, memory TEXT NOT NULL);
CREATE INDEX runs_newest ON runs (sort_at, uid);
CREATE INDEX runs_status ON runs (status, sort_at, uid);
CREATE INDEX runs_namespace ON runs (namespace, sort_at, uid);
CREATE INDEX runs_name ON runs (namespace, name);
CREATE INDEX runs_owner ON runs (owner_name, sort_at, uid);
CREATE INDEX runs_waiting ON runs (waiting_for, owner_uid) WHERE waiting_for IS NOT NULL;

CREATE TABLE run_keys (run_key TEXT PRIMARY KEY, uid TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, pod_uid TEXT NOT NULL UNIQUE, run_uid TEXT NOT NULL, started_at INTEGER, attempt TEXT NOT NULL);
CREATE INDEX attempts_run ON attempts (run_uid);

CREATE TABLE transitions (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_uid TEXT, at INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
  transition TEXT NOT NULL);
CREATE INDEX transitions_run ON transitions (run_uid, at) WHERE run_uid IS NOT NULL;

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY, transition_id TEXT NOT NULL, destination TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT,
  detail TEXT, at INTEGER NOT NULL, UNIQUE (transition_id, destination));
CREATE INDEX decisions_dropped ON decisions (at, id) WHERE verdict = 'dropped';

CREATE TABLE intents (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, key TEXT NOT NULL, lane TEXT NOT NULL,
  transition_id TEXT NOT NULL, payload TEXT NOT NULL, limits TEXT NOT NULL, gate TEXT NOT NULL, waits_for TEXT,
  status TEXT NOT NULL, reason TEXT, detail TEXT, note TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, unknown_outcomes INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, next_at INTEGER NOT NULL, eligible_at INTEGER, age_from INTEGER, settled_at INTEGER,
  UNIQUE (destination, key));
CREATE INDEX intents_lane ON intents (destination, lane, seq, created_at, settled_at) WHERE settled_at IS NULL;
CREATE INDEX intents_due ON intents (destination, status, next_at, seq) WHERE settled_at IS NULL;
CREATE INDEX intents_gate ON intents (destination, status, gate, next_at, seq, settled_at) WHERE settled_at IS NULL;
CREATE INDEX intents_age ON intents (destination, gate, age_from) WHERE status = 'ready';
CREATE INDEX intents_failing ON intents (seq) WHERE status = 'ready' AND failures > 0;
CREATE INDEX intents_awaiting ON intents (destination, waits_for) WHERE status = 'awaiting';
CREATE INDEX intents_sending ON intents (seq) WHERE status = 'sending';
CREATE INDEX intents_dropped ON intents (settled_at, seq) WHERE status = 'dropped';
CREATE INDEX intents_dropped_newest ON intents (seq) WHERE status = 'dropped';
CREATE INDEX intents_destination ON intents (destination, seq);
CREATE INDEX intents_transition ON intents (transition_id);

CREATE TABLE receipts (
  destination TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (destination, reason)) WITHOUT ROWID;
CREATE TABLE holds (
  destination TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, total_ms INTEGER NOT NULL,
  PRIMARY KEY (destination, key)) WITHOUT ROWID;

CREATE TABLE sticky_keys (
  destination TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (destination, namespace, name)) WITHOUT ROWID;
CREATE TABLE claims (
  destination TEXT NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, created_at INTEGER NOT NULL, wanted TEXT NOT NULL,
  PRIMARY KEY (destination, key, uid)) WITHOUT ROWID;
CREATE INDEX claims_uid ON claims (destination, uid);
CREATE TABLE desired (
  id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, key TEXT NOT NULL,
  wanted TEXT NOT NULL, wanted_hash TEXT NOT NULL, accepted_hash TEXT, retired INTEGER NOT NULL DEFAULT 0,
  sending INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  reason TEXT, detail TEXT, next_at INTEGER NOT NULL, first_accepted_at INTEGER, not_in_sync_since INTEGER,
  UNIQUE (destination, key));
CREATE INDEX desired_due ON desired (destination, next_at) WHERE sending = 0;
CREATE INDEX desired_not_in_sync ON desired (destination) WHERE not_in_sync_since IS NOT NULL;

CREATE TABLE timers (id TEXT PRIMARY KEY, kind TEXT NOT NULL, uid TEXT NOT NULL, due INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due);
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, reason TEXT NOT NULL, version TEXT, error TEXT NOT NULL,
  size INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX quarantine_newest ON quarantine (at, id, size);
`,
} as const;
