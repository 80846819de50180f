import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../lib/errors.ts';
import { openStore } from '../store/sqlite/open.ts';
import { explainCommand } from './explain.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explain-store-'));
  path = join(folder, 'bridge.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

const makeStore = (): void => openStore(path, { now: () => 1 }).close();

function change(sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** What explain says instead of an explanation, and what to do next. */
async function refusal(): Promise<string> {
  const said = explainCommand(['shop/report', '--store', path], { env: {}, print: () => undefined });
  const error = await said.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error('neither an explanation nor a clear refusal', { cause: error });
  return `${error.message} → ${error.next}`;
}

describe('explain says what is wrong with the store and what to do, when it', () => {
  it('is missing', async () => {
    expect(await refusal()).toMatch(/^there is no store at .*bridge\.db → start the bridge once, or check the path/);
  });

  it('is not a database', async () => {
    writeFileSync(path, 'hello '.repeat(1000));
    expect(await refusal()).toMatch(/bridge\.db cannot be read as a store: file is not a database → .*check the path/);
  });

  it('is a folder', async () => {
    mkdirSync(path);
    expect(await refusal()).toMatch(/bridge\.db cannot be read: .* → Check the path/);
  });

  it.each(['', 'CREATE TABLE runs (a)'])('is a database of others (%s)', async (sql) => {
    change(sql);
    expect(await refusal()).toMatch(
      /bridge\.db is not a store of lifecycle-bridge → Check the path, or start the bridge/,
    );
  });

  it('was made by an older release', async () => {
    makeStore();
    change('DELETE FROM migrations');
    expect(await refusal()).toMatch(/made by an older bridge → start this bridge once/);
  });

  it('was made before the first release', async () => {
    makeStore();
    change("INSERT INTO migrations VALUES (13, 1, 1, '')");
    expect(await refusal()).toMatch(/bridge\.db was made by a development version .* → move the file away/);
  });

  it('may only be opened by a newer release', async () => {
    makeStore();
    change("INSERT INTO migrations VALUES (99, 99, 1, '')");
    expect(await refusal()).toMatch(/needs a bridge with schema 99 or newer.* → install the newer release again/);
  });

  it('is locked by another process', async () => {
    makeStore();
    const other = new DatabaseSync(path);
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE z (y)');
    expect(await refusal()).toMatch(/bridge\.db is locked by another process → Try again/);
    other.close();
  });

  it.each(['migrations', 'runs_name'])('is corrupted (%s)', async (name) => {
    makeStore();
    const db = new DatabaseSync(path);
    const { page } = db.prepare('SELECT rootpage AS page FROM sqlite_schema WHERE name = ?').get(name) as {
      page: number;
    };
    db.close();
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096);
    closeSync(file);
    expect(await refusal()).toMatch(/bridge\.db cannot be read as a store: .*malformed → .*moves a broken store aside/);
  });
});
