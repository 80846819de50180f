/**
 * Everything as of the first release; 1 to 13 were steps of its development. Times are ms since the epoch, payloads and
 * states JSON text. Unsettled intents are found by partial indexes, so the settled ones cost nothing; settled_at is in two
 * of them, or they would not cover their queries. Status of an intent, in the order of its life:
 *
 *   queued ─ first of its lane ─▶ awaiting ─ row accepted or refused ─▶ ready ─ claim ─▶ sending ─▶ delivered
 *                                                                         ▲                 │└─────▶ dropped
 *                                                                         └───── retry ─────┘
 */
export const foundation = {
  number: 14,
  oldestReader: 14,
  sql: `
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE cutoffs (destination TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE left_destinations (destination TEXT PRIMARY KEY, left_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE retirements (
  id INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, from_by TEXT NOT NULL, until_at INTEGER, until_by TEXT);

CREATE TABLE objects (
  uid TEXT PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, owner_uid TEXT,
  version TEXT NOT NULL, deleted INTEGER NOT NULL, over_at INTEGER, facts_schema INTEGER NOT NULL, state TEXT NOT NULL);
CREATE INDEX objects_owner ON objects (owner_uid, kind, uid) WHERE owner_uid IS NOT NULL;
CREATE INDEX objects_live ON objects (kind) WHERE deleted = 0;
CREATE INDEX objects_live_namespace ON objects (kind, namespace) WHERE deleted = 0;
CREATE INDEX objects_namespaces ON objects (name, deleted) WHERE kind = 'Namespace';

CREATE TABLE timers (id TEXT PRIMARY KEY, kind TEXT NOT NULL, uid TEXT NOT NULL, due INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX timers_kind_due ON timers (kind, due, id);
CREATE INDEX timers_uid ON timers (uid);

CREATE TABLE annotation_problems (
  uid TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, problems TEXT NOT NULL, set_hash TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL, event_at INTEGER, event_error TEXT, kind TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX annotation_problems_name ON annotation_problems (namespace, name, uid);
CREATE INDEX annotation_problems_due ON annotation_problems (next_at);

CREATE TABLE unjudged (
  uid TEXT PRIMARY KEY, reason TEXT NOT NULL, zone TEXT NOT NULL, detail TEXT NOT NULL, since_at INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE INDEX unjudged_reason ON unjudged (reason, zone);

CREATE TABLE runs (
  uid TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, owner_uid TEXT, owner_name TEXT,
  status TEXT NOT NULL, sort_at INTEGER NOT NULL, waiting_for TEXT, run TEXT NOT NULL, memory TEXT NOT NULL);
CREATE INDEX runs_newest ON runs (sort_at, uid);
CREATE INDEX runs_status ON runs (status, sort_at, uid);
CREATE INDEX runs_namespace ON runs (namespace, sort_at, uid);
CREATE INDEX runs_name ON runs (namespace, name);
CREATE INDEX runs_owner ON runs (owner_name, sort_at, uid);
CREATE INDEX runs_waiting ON runs (waiting_for, owner_uid) WHERE waiting_for IS NOT NULL;

-- How many runs there are, kept with them: lists show counts, and a hundred thousand rows are slow to count.
CREATE TABLE run_counts (
  namespace TEXT NOT NULL, owner_name TEXT NOT NULL, status TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (namespace, owner_name, status)) WITHOUT ROWID;
CREATE TRIGGER runs_counted AFTER INSERT ON runs BEGIN
  INSERT INTO run_counts (namespace, owner_name, status, count) VALUES (new.namespace, coalesce(new.owner_name, ''), new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER runs_recounted AFTER UPDATE OF namespace, owner_name, status ON runs
WHEN (old.namespace, old.owner_name, old.status) IS NOT (new.namespace, new.owner_name, new.status) BEGIN
  INSERT INTO run_counts (namespace, owner_name, status, count) VALUES (new.namespace, coalesce(new.owner_name, ''), new.status, 1)
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

CREATE TABLE run_keys (run_key TEXT PRIMARY KEY, uid TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, pod_uid TEXT NOT NULL UNIQUE, run_uid TEXT NOT NULL, started_at INTEGER, attempt TEXT NOT NULL);
CREATE INDEX attempts_run ON attempts (run_uid);

-- Tails of container logs, as they are wanted, read and sent. They go with their run.
CREATE TABLE logs (
  id INTEGER PRIMARY KEY, run_uid TEXT NOT NULL, namespace TEXT NOT NULL, pod_uid TEXT NOT NULL, pod_name TEXT NOT NULL,
  container TEXT NOT NULL, instance INTEGER NOT NULL, exit_code INTEGER NOT NULL, ended_at INTEGER NOT NULL,
  restarts INTEGER NOT NULL, wanted_at INTEGER NOT NULL, next_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  outcome TEXT, detail TEXT, bytes INTEGER NOT NULL DEFAULT 0, cut INTEGER NOT NULL DEFAULT 0, settled_at INTEGER,
  stored INTEGER, text BLOB,
  UNIQUE (pod_uid, container, instance));
CREATE INDEX logs_run ON logs (run_uid);
CREATE INDEX logs_wanted ON logs (next_at) WHERE outcome IS NULL;
CREATE INDEX logs_kept ON logs (settled_at, stored) WHERE outcome = 'kept';
CREATE TRIGGER runs_pruned AFTER DELETE ON runs BEGIN
  DELETE FROM logs WHERE run_uid = old.uid;
END;

CREATE TABLE transitions (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_uid TEXT, at INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
  transition TEXT NOT NULL);
CREATE INDEX transitions_run ON transitions (run_uid, at) WHERE run_uid IS NOT NULL;

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY, transition_id TEXT NOT NULL, destination TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT,
  detail TEXT, at INTEGER NOT NULL, UNIQUE (transition_id, destination));
CREATE INDEX decisions_dropped ON decisions (at, id) WHERE verdict = 'dropped';
CREATE INDEX decisions_dropped_reason ON decisions (reason, at, id) WHERE verdict = 'dropped';
CREATE INDEX decisions_waiting ON decisions (destination) WHERE verdict = 'waiting';

CREATE TABLE intents (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, key TEXT NOT NULL, lane TEXT NOT NULL,
  transition_id TEXT NOT NULL, payload TEXT NOT NULL, limits TEXT NOT NULL, gate TEXT NOT NULL, waits_for TEXT,
  story TEXT, keep INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT, detail TEXT, note TEXT,
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
CREATE INDEX intents_delivered ON intents (destination, settled_at) WHERE status = 'delivered';
CREATE INDEX intents_dropped ON intents (settled_at, seq) WHERE status = 'dropped';
CREATE INDEX intents_dropped_newest ON intents (seq) WHERE status = 'dropped';
CREATE INDEX intents_destination ON intents (destination, seq);
CREATE INDEX intents_transition ON intents (transition_id);
CREATE INDEX intents_story ON intents (story) WHERE story IS NOT NULL AND settled_at IS NULL;
CREATE INDEX intents_dropped_reason ON intents (reason, settled_at, seq) WHERE status = 'dropped';

-- What vendors answered to tries that were not the last, and what people had sent again. They go with their intent.
CREATE TABLE answers (
  seq INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT, count INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (seq, reason)) WITHOUT ROWID;
CREATE TABLE resends (
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, was_status TEXT NOT NULL,
  was_reason TEXT, was_detail TEXT, was_settled_at INTEGER NOT NULL);
CREATE INDEX resends_seq ON resends (seq);
CREATE TRIGGER intents_pruned AFTER DELETE ON intents BEGIN
  DELETE FROM answers WHERE seq = old.seq;
  DELETE FROM resends WHERE seq = old.seq;
END;

CREATE TABLE receipts (
  destination TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (destination, reason)) WITHOUT ROWID;
CREATE TABLE holds (
  destination TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, total_ms INTEGER NOT NULL,
  PRIMARY KEY (destination, key)) WITHOUT ROWID;

CREATE TABLE desired (
  id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, key TEXT NOT NULL,
  wanted TEXT NOT NULL, wanted_hash TEXT NOT NULL, accepted_hash TEXT, retired INTEGER NOT NULL DEFAULT 0,
  sending INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  reason TEXT, detail TEXT, next_at INTEGER NOT NULL, first_accepted_at INTEGER, not_in_sync_since INTEGER,
  remove_at INTEGER, assert_every_ms INTEGER,
  UNIQUE (destination, key));
CREATE INDEX desired_due ON desired (destination, next_at) WHERE sending = 0;
CREATE INDEX desired_not_in_sync ON desired (destination) WHERE not_in_sync_since IS NOT NULL;
CREATE INDEX desired_removals ON desired (remove_at) WHERE remove_at IS NOT NULL;

CREATE TABLE claims (
  destination TEXT NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, of_uid TEXT NOT NULL, of_rank INTEGER NOT NULL,
  rank INTEGER NOT NULL, wanted TEXT, PRIMARY KEY (destination, key, uid)) WITHOUT ROWID;
CREATE INDEX claims_uid ON claims (destination, uid);
CREATE INDEX claims_elected ON claims (destination, key, of_rank, of_uid, rank, uid) WHERE wanted IS NOT NULL;
CREATE TABLE former_rows (
  destination TEXT NOT NULL, key TEXT NOT NULL, wanted TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (destination, key)) WITHOUT ROWID;

CREATE TABLE sticky_keys (
  destination TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (destination, kind, namespace, name)) WITHOUT ROWID;
CREATE TABLE unused_keys (
  destination TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY (destination, kind, namespace, name)) WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, reason TEXT NOT NULL, version TEXT, release TEXT NOT NULL,
  error TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX quarantine_newest ON quarantine (at, id, size);

-- Kubernetes Events, for a while. They are numbered together with the transitions.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, about TEXT NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL,
  count INTEGER NOT NULL, step INTEGER NOT NULL, taken_at INTEGER NOT NULL, event TEXT NOT NULL);
CREATE INDEX events_about ON events (about, at);
CREATE INDEX events_at ON events (at);

-- How far each destination that follows everything has come, and what of it was not exported.
CREATE TABLE journals (
  destination TEXT PRIMARY KEY, cursor INTEGER NOT NULL, sending_to INTEGER, in_flight INTEGER NOT NULL DEFAULT 0,
  most INTEGER, attempts INTEGER NOT NULL DEFAULT 0, unknown_outcomes INTEGER NOT NULL DEFAULT 0, reason TEXT, detail TEXT,
  next_at INTEGER NOT NULL, age_seq INTEGER NOT NULL, age_from INTEGER NOT NULL, exported_at INTEGER) WITHOUT ROWID;
CREATE TABLE journal_drops (
  id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT, from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE INDEX journal_drops_newest ON journal_drops (at, id);
CREATE INDEX journal_drops_destination ON journal_drops (destination, id);

-- What is left of pruned objects, and records that were refused for being older than that memory.
CREATE TABLE tombstones (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, run_key TEXT, created_at INTEGER, pruned_at INTEGER NOT NULL, announced TEXT NOT NULL);
CREATE TABLE refused (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL);
CREATE INDEX refused_newest ON refused (at, id);
`,
} as const;
