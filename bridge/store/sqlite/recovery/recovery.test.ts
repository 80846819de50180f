import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DELIVERED, DESTINATION, HOUR, TestStore } from '../../testing/test-store.ts';
import { openReader, openStore } from '../open.ts';

const LIMITS = { age: 24 * HOUR, maxBytes: 1 << 30 };

let t: TestStore;
let clusterId: string;
let lastCommit: number;

beforeEach(() => {
  t = new TestStore();
  t.store.cutoff(DESTINATION, t.now - HOUR);
  clusterId = t.store.clusterId();
  t.store.transaction((tx) =>
    tx.desired.setStickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'report' }, 'sticky'),
  );
  for (let n = 0; n < 500; n++) t.enqueue({ key: `intent ${n}`, payload: 'x'.repeat(200) });
  for (let claimed = t.claim(); claimed.length > 0; claimed = t.claim()) t.settle(claimed, DELIVERED);
  t.now += HOUR;
  lastCommit = t.now;
  t.store.ingested(lastCommit);
  t.store.retain(t.now, LIMITS);
  t.reader.close();
  t.store.close();
  t.now += HOUR;
});
afterEach(() => t.remove());

/** Overwrites the file from this part of it on, as a broken disk does. */
function destroy(from: number): void {
  const handle = openSync(t.path, 'r+');
  const start = Math.floor(statSync(t.path).size * from);
  writeSync(handle, Buffer.alloc(64 * 1024, 0xa5), 0, 64 * 1024, start);
  closeSync(handle);
}

function reopen(): void {
  t.store = openStore(t.path, { now: () => t.now });
  t.reader = openReader(t.path);
}

const aside = (): string[] =>
  readdirSync(t.folder).filter((name) => name.startsWith('store.db.corrupt-') && !name.endsWith('-wal'));

describe('a store that was lost', () => {
  it.each([
    ['has garbage at its beginning', () => destroy(0), 'not a database'],
    ['has garbage in the middle', () => destroy(0.5), ''],
    ['was cut', () => truncateSync(t.path, 8192), ''],
  ])('because it %s is kept aside, and a new one goes on where it was', (_, damage, reason) => {
    damage();
    const damaged = readFileSync(t.path);
    reopen();
    expect(t.store.recovery).toMatchObject({ cause: 'corrupt', at: t.now, cutoff: lastCommit, cutoffKnown: true });
    expect(t.store.recovery?.reason).toContain(reason);
    expect(readFileSync(t.store.recovery!.movedTo!).equals(damaged)).toBe(true);
    expect(t.store.cutoff(DESTINATION, t.now)).toBe(lastCommit);
    expect(t.store.clusterId()).toBe(clusterId);
    expect(
      t.store.transaction((tx) =>
        tx.desired.stickyKey(DESTINATION, { kind: 'CronJob', namespace: 'shop', name: 'report' }),
      ),
    ).toBe('sticky');
    expect(t.reader.deliveries({ limit: 10 }).items).toEqual([]);
  });

  it('because its file is missing begins again in the same way', () => {
    rmSync(t.path);
    reopen();
    expect(t.store.recovery).toMatchObject({ cause: 'missing', movedTo: undefined, cutoff: lastCommit });
    expect(t.store.cutoff(DESTINATION, t.now)).toBe(lastCommit);
  });

  it('announces what happened in the second of the last commit, and is not silenced by a clock that was ahead', () => {
    rmSync(t.path);
    writeFileSync(`${t.path}.last-commit`, String(lastCommit + 999));
    reopen();
    expect(t.store.recovery).toMatchObject({ cutoff: lastCommit });
    t.store.close();
    rmSync(t.path);
    writeFileSync(`${t.path}.last-commit`, String(t.now + HOUR));
    reopen();
    expect(t.store.recovery).toMatchObject({ cutoff: t.now, cutoffKnown: true });
  });

  it('begins with what waited to be sent, up to a minute before the last commit', () => {
    const lost = t;
    t = new TestStore();
    rmSync(lost.folder, { recursive: true });
    t.store.cutoff(DESTINATION, t.now - HOUR);
    const noted = (): number => Number(readFileSync(`${t.path}.last-commit`));
    const commit = (): void => {
      t.store.ingested(t.now);
      t.restart();
    };
    t.enqueue({ key: 'a' });
    const since = t.now;
    t.now += 10_000;
    commit();
    expect(noted()).toBe(since);
    t.now += HOUR;
    commit();
    expect(noted()).toBe(t.now - 60_000);
    t.settle(t.claim(), DELIVERED);
    commit();
    expect(noted()).toBe(t.now);
  });

  it('without the files beside it looks back at nothing', () => {
    destroy(0.5);
    rmSync(`${t.path}.keys.json`);
    reopen();
    expect(t.store.recovery).toMatchObject({ cutoff: t.now, cutoffKnown: false });
    expect(t.store.cutoff(DESTINATION, t.now - HOUR)).toBe(t.now);
    t.restart();
    expect(t.store.cutoff('sentry/later', t.now - HOUR)).toBe(t.now - HOUR);
  });

  it('gives a destination that is new with this start its own look back', () => {
    destroy(0);
    reopen();
    expect(t.store.cutoff('sentry/new', t.now - HOUR)).toBe(t.now - HOUR);
  });

  it('begins again when the bridge was killed while it made the new one', () => {
    writeFileSync(`${t.path}.suspect`, 'database disk image is malformed');
    reopen();
    expect(t.store.recovery).toMatchObject({ cause: 'corrupt', reason: 'database disk image is malformed' });
    expect(existsSync(`${t.path}.suspect`)).toBe(false);
  });

  it('leaves at most three old files behind', () => {
    for (let n = 0; n < 5; n++) {
      destroy(0);
      t.now += 1;
      openStore(t.path, { now: () => t.now }).close();
    }
    expect(aside()).toHaveLength(3);
    reopen();
  });
});

describe('a sound store', () => {
  it('is opened as it is, whether it was closed or not', () => {
    reopen();
    expect(t.store.recovery).toBeUndefined();
    expect(t.reader.deliveries({ limit: 1000 }).items).toHaveLength(500);
    expect(aside()).toEqual([]);
  });

  it('says in its next step that its file was removed or replaced', () => {
    reopen();
    t.store.retain(t.now, LIMITS);
    rmSync(t.path);
    expect(() => t.store.retain(t.now, LIMITS)).toThrow('was removed or replaced while it was in use');
    writeFileSync(t.path, '');
    expect(() => t.store.retain(t.now, LIMITS)).toThrow('was removed or replaced while it was in use');
  });

  it('says in its next step that its file was overwritten, though all its pages are in memory', () => {
    reopen();
    t.store.retain(t.now, LIMITS);
    destroy(0);
    expect(() => t.store.retain(t.now, LIMITS)).toThrow('was overwritten while it was in use');
  });

  it('is made for the first time without a word', () => {
    reopen();
    const fresh = new TestStore();
    expect(fresh.store.recovery).toBeUndefined();
    expect(fresh.store.cutoff(DESTINATION, 5)).toBe(5);
    fresh.remove();
  });
});
