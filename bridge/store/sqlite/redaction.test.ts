import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Db } from './db.ts';
import { redaction } from './migrations/0011-redaction.ts';
import { openReader, openStore } from './open.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bridge-redaction-'));
  path = join(folder, 'bridge.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

let seeds = 0;
const message = (): string =>
  `login failed\n-u app:SEED${++seeds} password=SEED${++seeds} postgres://u:SEED${++seeds}@db`;
const json = (value: object): string => JSON.stringify(value);

/** A store as a bridge of the schema before left it, with a secret in each text. */
function fill(db: Db): void {
  const run = { uid: 'r', name: 'report', status: 'failed', reason: 'Error', message: message(), createdAt: 1 };
  const object = {
    facts: { image: 'x/token:1.2', annotations: { 'k8s.cronitor.io/note': message() } },
    message: message(),
  };
  db.run(
    `INSERT INTO objects (uid, kind, namespace, name, version, deleted, state) VALUES ('o', 'Pod', 'shop', 'report', '1', 0, ?)`,
    json(object),
  );
  db.run(
    `INSERT INTO runs (uid, namespace, name, status, sort_at, run, memory) VALUES ('r', 'shop', 'report', 'failed', 1, ?, ?)`,
    json(run),
    json({ memos: {}, waiting: [{ id: 't', message: message() }] }),
  );
  db.run(`INSERT INTO attempts (pod_uid, run_uid, attempt) VALUES ('p', 'r', ?)`, json({ message: message() }));
  db.run(
    `INSERT INTO transitions (id, run_uid, at, recorded_at, transition) VALUES ('t', 'r', 1, 1, ?)`,
    json({ id: 't', at: 1, text: message(), message: message() }),
  );
  db.run(
    `INSERT INTO decisions (transition_id, destination, verdict, detail, at) VALUES ('t', 'd', 'dropped', ?, 1)`,
    message(),
  );
  db.run(
    `INSERT INTO intents (destination, key, lane, transition_id, payload, limits, gate, status, detail, note, created_at, next_at)
     VALUES ('d', 't', 'l', 't', ?, '[]', '[]', 'ready', ?, ?, 1, 1)`,
    json({ key: 'k', query: { state: 'fail', message: message() } }),
    message(),
    message(),
  );
  db.run(`INSERT INTO answers VALUES (1, 'bad_request', ?, 1, 1)`, message());
  db.run(
    `INSERT INTO resends (seq, at, by, was_status, was_detail, was_settled_at) VALUES (1, 1, 'x', 'dropped', ?, 1)`,
    message(),
  );
  db.run(`INSERT INTO claims VALUES ('d', 'k', 'o', 1, ?)`, json({ key: 'k', note: message() }));
  db.run(
    `INSERT INTO desired (destination, key, wanted, wanted_hash, detail, next_at) VALUES ('d', 'k', ?, 'h', ?, 1)`,
    json({ key: 'k', note: message() }),
    message(),
  );
  db.run(
    `INSERT INTO annotation_problems (uid, namespace, name, problems, set_hash, next_at, event_error)
     VALUES ('o', 'shop', 'report', ?, 'h', 1, ?)`,
    json([{ annotation: 'k8s.cronitor.io/x', value: message() }]),
    message(),
  );
  db.run(
    `INSERT INTO logs (run_uid, namespace, pod_uid, pod_name, container, instance, exit_code, ended_at, restarts, wanted_at, next_at, detail)
     VALUES ('r', 'shop', 'p', 'report-x', 'main', 0, 1, 1, 0, 1, 1, ?)`,
    message(),
  );
  db.run(
    `INSERT INTO quarantine (subject, reason, error, size, at, bytes) VALUES ('o', 'core_error', ?, 1, 1, ?)`,
    message(),
    Buffer.from(json({ kind: 'Pod', message: message() })),
  );
}

it('what a store of an older bridge holds loses its secrets at the first start, on disk too', () => {
  openStore(path, { now: () => 1 }).close();
  const db = new Db(path, false);
  db.run('DELETE FROM migrations WHERE number = ?', redaction.number);
  db.write(() => fill(db));
  db.close();
  expect(readFileSync(path).includes('SEED')).toBe(true);
  const store = openStore(path, { now: () => 2 });
  for (const name of readdirSync(folder)) {
    expect({ name, holds: readFileSync(join(folder, name)).includes('SEED') }).toEqual({ name, holds: false });
  }
  const reader = openReader(path);
  expect(reader.run('r')?.run.message).toBe('login failed\n-u [redacted] password=[redacted] postgres://[redacted]@db');
  reader.close();
  store.close();
  const after = new Db(path, true);
  expect(after.get<{ state: string }>('SELECT state FROM objects')?.state).toContain('x/token:1.2');
  expect(after.get<{ payload: string }>('SELECT payload FROM intents')?.payload).toContain('"state":"fail"');
  after.close();
});
