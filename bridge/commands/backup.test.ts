import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Db } from '../store/sqlite/db/db.ts';
import { DELIVERED, DESTINATION, FAILED, HOUR, TestStore } from '../store/testing/test-store.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import { backupCommand, restoreCommand } from './backup.ts';

let t: TestStore;
let file: string;
let printed: string[];
const children: ChildProcess[] = [];
const terminal = { env: {}, print: (text: string) => void printed.push(text) };

beforeEach(() => {
  t = new TestStore();
  file = join(t.folder, 'backups', 'one.db');
  printed = [];
});
afterEach(() => {
  children.splice(0).forEach((child) => child.kill('SIGKILL'));
  t.remove();
});

const backup = (): Promise<number> => backupCommand([file, '--store', t.path], terminal);

function closed<T>(work: () => T): T {
  t.reader.close();
  t.store.close();
  try {
    return work();
  } finally {
    t.store = openStore(t.path, { now: () => t.now });
    t.reader = openReader(t.path);
  }
}

const restore = (): number => closed(() => restoreCommand([file, '--store', t.path], terminal));

describe('a backup', () => {
  it('made while another process commits all the time is complete up to one commit', async () => {
    const path = join(t.folder, 'busy.db');
    const child = spawn(
      process.execPath,
      [
        '--input-type=module-typescript',
        '-e',
        `
        import { openStore } from '${import.meta.dirname}/../store/sqlite/open.ts';
        const store = openStore('${path}', { now: () => 1 });
        for (let n = 0; ; n++) {
          store.transaction((tx) => {
            for (const half of ['a', 'b']) tx.timeline.enqueue('d', 't' + n, { key: half + n, lane: 'l' + n, payload: 'x'.repeat(999), limits: [] }, 1);
          });
          if (n === 300) console.log('busy');
        }`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    children.push(child);
    await once(child.stdout, 'data');
    expect(await backupCommand([file, '--store', path], terminal)).toBe(0);
    expect(child.exitCode).toBeNull();
    const copy = new Db(file, true);
    const { rows, whole } = copy.get<{ rows: number; whole: number }>(
      'SELECT count(*) AS rows, count(*) = 2 * (max(seq) / 2) AS whole FROM intents',
    )!;
    expect([rows > 600, whole]).toEqual([true, 1]);
    expect(copy.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
    copy.close();
    expect(printed.at(-1)).toMatch(/one\.db: [\d.]+ MiB, checked/);
    expect(readdirSync(join(t.folder, 'backups'))).toEqual(['one.db']);
  });

  it('replaces no file, and leaves none when it fails', async () => {
    await backup();
    const before = readFileSync(file);
    await expect(backup()).rejects.toThrow(`${file} exists already`);
    expect(readFileSync(file).equals(before)).toBe(true);
    const target = join(t.folder, 'backups', 'two.db');
    const broken = join(t.folder, 'broken.db');
    writeFileSync(broken, 'no database');
    await expect(backupCommand([target, '--store', broken], terminal)).rejects.toThrow('the backup failed');
    expect(existsSync(target)).toBe(false);
    await expect(backupCommand([target, '--store', join(t.folder, 'none.db')], terminal)).rejects.toThrow('no store');
  });

  it('shows its progress', async () => {
    for (let n = 0; n < 40; n++) t.enqueue({ key: `big ${n}`, payload: 'x'.repeat(2_000_000) });
    await backup();
    expect(printed.length).toBeGreaterThan(0);
    for (const line of printed.slice(0, -1)) expect(line).toMatch(/^copied [\d.]+ MiB of about \d\d\.\d MiB$/);
  });
});

describe('restoring', () => {
  it('is refused while a bridge runs on the store, and for what is not a backup', async () => {
    await backup();
    expect(() => restoreCommand([file, '--store', t.path], terminal)).toThrow(`is in use by process ${process.pid}`);
    const text = join(t.folder, 'text');
    writeFileSync(text, 'no database');
    expect(() => restoreCommand([text, '--store', t.path], terminal)).toThrow('cannot be used');
    closed(() => {
      expect(() => restoreCommand([t.path, '--store', t.path], terminal)).toThrow('it is a store, but no backup');
    });
  });

  it('announces nothing again: the cut-off is the last commit of the replaced store, and what waited is dropped', async () => {
    t.store.cutoff(DESTINATION, t.now - HOUR);
    t.enqueue({ key: 'sent', lane: 'l' });
    t.settle(t.claim(), DELIVERED);
    t.enqueue({ key: 'waiting', lane: 'l' }, { key: 'behind', lane: 'l' });
    t.settle(t.claim(), FAILED);
    t.want('monitor', { schedule: '* * * * *' });
    t.settleRows(t.claimRows(), DELIVERED);
    expect(t.row('monitor').inSync).toBe(true);
    await backup();
    t.now += HOUR;
    t.settle(t.claim(), DELIVERED);
    t.settle(t.claim(), DELIVERED);
    const lastCommit = t.now;
    t.store.ingested(lastCommit);
    t.store.transaction((tx) =>
      tx.desired.setStickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'later' }, 'key'),
    );
    t.now += HOUR;
    restore();
    expect(t.store.recovery).toMatchObject({ cause: 'restored', cutoff: lastCommit, at: t.now });
    expect(t.store.cutoff(DESTINATION, 1)).toBe(lastCommit);
    expect(
      t.store.transaction((tx) =>
        tx.desired.stickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'later' }),
      ),
    ).toBe('key');
    expect([t.delivery('sent').reason, t.delivery('waiting').reason, t.delivery('behind').reason]).toEqual([
      'delivered',
      'restored',
      'restored',
    ]);
    t.now += 1;
    expect(t.claimedKeys()).toEqual([]);
    expect(t.row('monitor').inSync).toBe(false);
    expect(t.claimRows().map(({ key }) => key)).toEqual(['monitor']);
    expect(readdirSync(t.folder).some((name) => name.startsWith('store.db.replaced-'))).toBe(true);
    t.restart(HOUR);
    expect(t.store.recovery).toMatchObject({ cause: 'restored', cutoff: lastCommit });
    expect(t.store.cutoff(DESTINATION, 1)).toBe(lastCommit);
  });

  it('on a new machine looks back at nothing', async () => {
    t.store.cutoff(DESTINATION, t.now - HOUR);
    await backup();
    t.now += HOUR;
    const path = join(mkdtempSync(join(tmpdir(), 'bridge-new-')), 'bridge.db');
    restoreCommand([file, '--store', path], terminal);
    const store = openStore(path, { now: () => t.now });
    expect(store.cutoff(DESTINATION, 1)).toBe(t.now);
    store.close();
    rmSync(join(path, '..'), { recursive: true });
  });

  it('plays no write-ahead log of the replaced store into the copy', async () => {
    t.enqueue({ key: 'before' });
    await backup();
    closed(() => {
      writeFileSync(`${t.path}-wal`, 'what a crash left');
      restoreCommand([file, '--store', t.path], terminal);
      expect(existsSync(`${t.path}-wal`)).toBe(false);
    });
    expect(t.delivery('before').reason).toBe('restored');
  });
});
