import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { ABOUT, cronJobFacts } from '../../test/fixtures/facts.ts';
import { UserError } from '../lib/errors.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { fillSample, sampleUid } from '../web/sample-store.ts';
import { explainCommand } from './explain.ts';

const NOW = Date.parse('2026-11-21T12:00:30Z');

let folder: string;
let path: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explain-'));
  path = join(folder, 'bridge.db');
  store = openStore(path, { now: () => NOW });
  fillSample(store, NOW, 60);
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function reader<T>(read: (reader: ReadStore) => T): T {
  const open = openReader(path);
  try {
    return read(open);
  } finally {
    open.close();
  }
}

async function explain(...argv: string[]): Promise<string> {
  let text = '';
  const code = await explainCommand(argv, { env: {}, print: (line) => (text += `${line}\n`) });
  expect(code).toBe(0);
  return text;
}

it('says what was seen, sent and how, of a run by its UID, beside the process that owns the store', async () => {
  const text = await explain(sampleUid(1), '--store', path);
  expect(text).toMatch(/^shop\/price-import-\d+: failed\n/);
  expect(text).toMatch(/CronJob +price-import/);
  expect(text).toMatch(/why +container worker exited with 1 \(Error\); 3 pods failed; BackoffLimitExceeded/);
  expect(text).toMatch(/2026-11-21T11:52:51\.000Z {2}container worker: exited with 137 \(OOMKilled\)|exited with 137/);
  expect(text).toMatch(/Failed +exit 137 +OOMKilled +in worker +node-2\.example\.internal/);
  expect(text).toMatch(
    /✓ delivered +2026\S+ +demo\/default +started +delivered; an earlier try had an unknown outcome/,
  );
});

it('has a link to the page where its address is known', async () => {
  const env = {
    LIFECYCLE_BRIDGE__STORE__PATH: path,
    LIFECYCLE_BRIDGE__WEB__PUBLIC_URL: 'https://bridge.example.com/',
  };
  let text = '';
  await explainCommand([sampleUid(1)], { env, print: (line) => (text += `${line}\n`) });
  expect(text).toMatch(new RegExp(`^  page +https://bridge.example.com/runs/${sampleUid(1)}$`, 'm'));
  expect(await explain(sampleUid(1), '--store', path)).not.toMatch(/^ {2}page /m);
});

it('says why something was not sent', async () => {
  const text = await explain(sampleUid(30), '--store', path);
  expect(text).toMatch(/Not sent, and why\n +– not sent +demo\/default +started +happened before the cut-off/);
});

it('says what is in quarantine, of a run and of what never became one', async () => {
  const row = { reason: 'core_error', version: '1', error: 'boom', bytes: new Uint8Array(), at: NOW } as const;
  store.transaction((tx) => {
    tx.quarantine.put({ ...row, subject: sampleUid(1) });
    tx.quarantine.put({ ...row, subject: 'poison-uid' });
  });
  expect(await explain(sampleUid(1), '--store', path)).toMatch(/^shop\/[^]*In quarantine since \S+: .*: boom/);
  expect(await explain('poison-uid', '--store', path)).toMatch(/^In quarantine since [^]*\/quarantine\/\d+/);
});

it('shows the answers of every try, who had it sent again, and how to do that', async () => {
  const given = reader((read) => read.drops({ limit: 1, kind: 'delivery' }).items[0]!);
  expect(await explain(given.runUid!, '--store', path)).toContain(`lifecycle-bridge resend ${given.id}`);
  store.resend({ subject: String(given.id), force: false }, 'ada', NOW);
  expect(await explain(given.runUid!, '--store', path)).toMatch(/sent again +\S+ +by ada; before: the vendor refused/);
  const retried = reader((read) => read.deliveries({ limit: 100 }).items.find(({ answers }) => answers.length > 0)!);
  expect(await explain(retried.runUid!, '--store', path)).toMatch(/answer +\S+ +1 × /);
});

it('says first that the bridge is retired', async () => {
  store.transaction((tx) => tx.retirement.set(true, 'ada', NOW));
  expect(await explain(sampleUid(1), '--store', path)).toMatch(/^The bridge is retired since \S+ by ada/);
});

it('finds a run by its Job name', async () => {
  const name = /^shop\/\S+(?=:)/.exec(await explain(sampleUid(1), '--store', path))?.[0] ?? '';
  expect(await explain(name, '--store', path)).toContain(sampleUid(1));
});

it('lists the last runs of a CronJob, newest first, with what to ask next', async () => {
  const text = await explain('shop/cart-cleanup', '--store', path);
  expect(text).toContain('The last 10 runs of shop/cart-cleanup, newest first:');
  const times = text.match(/^ {2}2026-\S+/gm) ?? [];
  expect(times).toHaveLength(10);
  expect(times).toEqual(times.toSorted().toReversed());
  expect(text).toContain('explain UID');
});

it('says of a CronJob that has not run yet when it will, and what the vendor knows', async () => {
  const facts = cronJobFacts({ name: 'new', schedule: '0 4 * * *', timeZone: 'Europe/Berlin', suspend: true });
  store.transaction((tx) => {
    const { uid, namespace, name } = facts;
    const state = { facts, deleted: false };
    tx.objects.put({ uid, kind: 'CronJob', namespace, name, ownerUid: undefined, version: '1', deleted: false, state });
    const claimant = { destination: 'demo/default', uid, createdAt: NOW, alive: true };
    tx.desired.claim(claimant, [{ key: 'the-key', wanted: {} }], { retire: () => null }, NOW);
  });
  expect(await explain('shop/new', '--store', path)).toMatch(
    /^shop\/new: CronJob\n +UID +\S+\n +schedule +0 4 \* \* \* Europe\/Berlin, suspended\n\nVendor objects\n +○ not in sync +demo\/default +the-key +not sent yet\n\nNo run of it was seen/,
  );
});

it.each([['00000000-0000-4000-8000-000000000000'], ['shop/none']])(
  'says what to do when %s is unknown',
  async (subject) => {
    const run = explain(subject, '--store', path);
    await expect(run).rejects.toThrow(UserError);
    await expect(run).rejects.toMatchObject({ next: expect.stringContaining('lifecycle-bridge check') });
  },
);

it('takes the path of the store from the configuration', async () => {
  let text = '';
  const terminal = { env: { LIFECYCLE_BRIDGE__STORE__PATH: path }, print: (line: string) => (text += line) };
  await explainCommand([sampleUid(0)], terminal);
  expect(text).toContain('running');
});

it('asks for exactly one subject', async () => {
  await expect(explain('--store', path)).rejects.toMatchObject({ next: expect.stringContaining('usage: ') });
});

it('says what was sent of a run that was removed by the retention', async () => {
  const job = {
    kind: 'Job',
    namespace: 'shop',
    name: 'old-1',
    ownerUid: undefined,
    version: '1',
    deleted: true,
    overAt: NOW,
  } as const;
  const transition = {
    id: 'old/started',
    kind: 'run.started',
    at: NOW,
    about: ABOUT,
    runUid: 'old',
    text: 'started',
  } as const;
  store.transaction((tx) => {
    tx.objects.put({ ...job, uid: 'old', state: { facts: {}, deletedAt: NOW } });
    tx.timeline.add(transition, NOW);
    tx.timeline.enqueue('other', transition.id, { key: 'old', lane: 'old', payload: null, limits: [] }, NOW);
  });
  const [claimed] = store.claim('other', 1, NOW, [], false);
  store.settle([{ seq: claimed!.seq, delivery: { outcome: 'delivered' } }], NOW);
  store.retain(NOW + 1000, { age: 1, maxBytes: 1 << 30 });
  const text = await explain('old', '--store', path);
  expect(text).toContain('shop/old-1: Job, removed from the store at 2026-11-21T12:00:31.000Z (store.retention)');
  expect(text).toMatch(/delivered +2026-11-21T12:00:30.000Z +other +old\/started/);
});

it('takes the beginning of a UID when it is that of one run alone', async () => {
  const run = reader((read) => read.run(sampleUid(7))!).run;
  const memory = { memos: {}, waiting: [], waitingFor: undefined };
  store.transaction((tx) => tx.runs.put({ run: { ...run, uid: 'abcd0123-0000-4000-8000-000000000000' }, memory }));
  expect(await explain('abcd01', '--store', path)).toContain('abcd0123-0000-4000-8000-000000000000');
  const several = explain('5f0c9e1a', '--store', path);
  await expect(several).rejects.toThrow(
    /several runs have a UID that begins with 5f0c9e1a:\n {2}5f0c9e1a-\S+\n[^]*and others/,
  );
  await expect(explain('abcd9', '--store', path)).rejects.toThrow('nothing is known about a run with the UID abcd9');
  await expect(explain('abc', '--store', path)).rejects.toThrow('nothing is known about');
});
