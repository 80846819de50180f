import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Db } from './db/db.ts';
import { TestStore } from '../testing/test-store.ts';
import { migrate, MIGRATIONS } from './schema/migrations.ts';
import { openReader, openStore } from './open.ts';
import { restoreStore } from './recovery/restore.ts';

const clock = { now: () => 1000 };
const children: ChildProcess[] = [];
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bridge-open-'));
  path = join(folder, 'deep', 'store.db');
});
afterEach(() => {
  children.splice(0).forEach((child) => child.kill('SIGKILL'));
  rmSync(folder, { recursive: true });
});

/** Another process with `code` as its program; resolves with what it prints first. */
async function spawnNode(code: string): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, line: data.toString().trim() };
}

function holder(): Promise<{ child: ChildProcess; line: string }> {
  return spawnNode(`
    import { openStore } from '${import.meta.dirname}/open.ts';
    globalThis.kept = openStore('${path}', { now: () => 1 }); // what nobody keeps is collected, and its lock with it
    console.log('open');
    setInterval(() => {}, 1000);`);
}

it('files that everybody could read are closed to other users, not to the group of the volume', () => {
  openStore(path, clock).close();
  chmodSync(path, 0o664);
  chmodSync(`${path}.keys.json`, 0o644);
  openStore(path, clock).close();
  expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
  expect((statSync(`${path}.keys.json`).mode & 0o007).toString(8)).toBe('0');
});

describe('one owner per store', () => {
  it('refuses a second process and names the first', async () => {
    const { child } = await holder();
    expect(() => openStore(path, clock)).toThrow(`is in use by process ${child.pid}`);
    // A refused attempt must not break the lock of the holder.
    expect(() => openStore(path, clock)).toThrow(`is in use by process ${child.pid}`);
  });

  it('lets the next one in after the owner was killed with SIGKILL', async () => {
    const { child } = await holder();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = openStore(path, clock);
    expect(store.clusterId()).not.toBe('');
    store.close();
  });

  it('refuses a second opening in the same process, until the first is closed', () => {
    const store = openStore(path, clock);
    expect(() => openStore(path, clock)).toThrow(`is in use by process ${process.pid}`);
    store.close();
    openStore(path, clock).close();
    expect(existsSync(`${path}.pid`)).toBe(false);
  });
});

describe('an older bridge', () => {
  const raise = (oldestReader: number) => {
    openStore(path, clock).close();
    const db = new Db(path, false);
    migrate(db, 1, [...MIGRATIONS, { number: 99, oldestReader, sql: 'ALTER TABLE runs ADD COLUMN later TEXT' }]);
    db.close();
  };

  it('may open what a newer one made, as long as that is additive: a rollback works', () => {
    raise(1);
    const store = openStore(path, clock);
    const reader = openReader(path);
    expect([store.cutoff('d', 1), reader.cronJobCount()]).toEqual([1, 0]);
    reader.close();
    store.close();
  });

  it('is refused, writer and reader, below the oldest schema that may open it, and leaves no lock', () => {
    raise(99);
    const message = 'the store needs a bridge with schema 99 or newer, this one has schema';
    expect(() => openStore(path, clock)).toThrow(message);
    expect(() => openStore(path, clock)).toThrow(message);
    expect(() => openReader(path)).toThrow(message);
  });
});

describe('a store from before the first release', () => {
  const message = 'was made by a development version from before the first release';
  const made = [12, 13].map((number) => ({ number, oldestReader: 1, sql: `CREATE TABLE old_${number} (a)` }));

  it('is refused, writer, reader and restore, and stays as it is', () => {
    mkdirSync(dirname(path));
    const db = new Db(path, false);
    db.exec('PRAGMA journal_mode = WAL');
    migrate(db, 1, made);
    db.exec("CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('backup_at', 1)");
    db.close();
    const before = readFileSync(path);
    expect(() => openStore(path, clock)).toThrow(message);
    expect(() => openStore(path, clock)).toThrow(message);
    expect(() => openReader(path)).toThrow(message);
    expect(() => restoreStore(join(folder, 'other.db'), path, 1)).toThrow(message);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(join(folder, 'other.db'))).toBe(false);
  });

  it('is refused also when only the text of its schema is another', () => {
    mkdirSync(dirname(path));
    const db = new Db(path, false);
    migrate(db, 1, [{ ...MIGRATIONS[0]!, sql: 'CREATE TABLE meta (key, value)' }]);
    db.close();
    expect(() => openStore(path, clock)).toThrow(message);
    expect(() => openReader(path)).toThrow(message);
  });

  it('gives way to a new one once its file is moved away', () => {
    mkdirSync(dirname(path));
    const db = new Db(path, false);
    migrate(db, 1, made);
    db.close();
    expect(() => openStore(path, clock)).toThrow(message);
    renameSync(path, `${path}.old`);
    openStore(path, clock).close();
  });
});

describe('what a store remembers', () => {
  it('is its cluster id and the first cut-off of each destination', () => {
    const t = new TestStore();
    const id = t.store.clusterId();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(t.store.cutoff('demo/default', 5)).toBe(5);
    t.restart();
    expect(t.store.clusterId()).toBe(id);
    expect(t.store.cutoff('demo/default', 9)).toBe(5);
    expect(t.store.cutoff('sentry/default', 9)).toBe(9);
    t.remove();
  });
});

describe('the reader', () => {
  it('says when there is no store', () => {
    expect(() => openReader(path)).toThrow(`there is no store at ${path}`);
  });

  it('sees a commit at once and cannot write', () => {
    const store = openStore(path, clock);
    const reader = openReader(path);
    expect(reader.depth()).toEqual([]);
    store.cutoff('demo/default', 1);
    expect(reader.depth()).toMatchObject([{ destination: 'demo/default', pending: 0, notInSync: 0 }]);
    reader.close();
    store.close();
    const db = new Db(path, true);
    expect(() => db.exec('DELETE FROM cutoffs')).toThrow('readonly');
    db.close();
  });
});

describe('migrations', () => {
  it('are applied once by two processes that start at the same time', async () => {
    const file = join(folder, 'plain.db');
    const at = Date.now() + 1500;
    const code = `
      import { Db } from '${import.meta.dirname}/db/db.ts';
      import { migrate } from '${import.meta.dirname}/schema/migrations.ts';
      const db = new Db('${file}', false);
      while (Date.now() < ${at});
      migrate(db, 1);
      console.log('done', db.all('SELECT number FROM migrations').length);`;
    const lines = await Promise.all([spawnNode(code), spawnNode(code)]);
    expect(lines[0].line).toMatch(/^done \d+$/);
    expect(lines[1].line).toBe(lines[0].line);
  });

  it('bring a store of an older release up to date, and keep what it holds', () => {
    openStore(path, clock).close();
    const db = new Db(path, false);
    db.exec("INSERT INTO meta VALUES ('kept', 1)");
    const later = { number: 15, oldestReader: 14, sql: 'ALTER TABLE runs ADD COLUMN later TEXT' };
    migrate(db, 2, [...MIGRATIONS, later]);
    migrate(db, 3, [...MIGRATIONS, later]);
    expect(db.all('SELECT number, applied_at AS at FROM migrations')).toMatchObject([
      { number: 14, at: 1000 },
      { number: 15, at: 2 },
    ]);
    expect(db.get("SELECT value, (SELECT count(later) FROM runs) AS runs FROM meta WHERE key = 'kept'")).toMatchObject({
      value: 1,
      runs: 0,
    });
    db.close();
  });

  it('may add a column to any table, as every INSERT of this release names its own', () => {
    const files = globSync('**/*.ts', { cwd: import.meta.dirname }).filter((file) => !file.endsWith('.test.ts'));
    const texts = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));
    expect(texts.join().match(/INSERT/g)!.length).toBeGreaterThan(30);
    expect(texts.flatMap((text) => text.match(/INTO \w+ (?:VALUES|SELECT)/g) ?? [])).toEqual([]);
  });

  it('leave nothing behind when one fails', () => {
    const db = new Db(join(folder, 'plain.db'), false);
    const broken = [
      { number: 1, oldestReader: 1, sql: 'CREATE TABLE a (b)' },
      { number: 2, oldestReader: 1, sql: 'CREATE TABLE c (' },
    ];
    expect(() => migrate(db, 1, broken)).toThrow('incomplete input');
    expect(db.all('SELECT name FROM sqlite_schema')).toEqual([]);
    db.close();
  });
});
