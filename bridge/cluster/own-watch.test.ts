import { setTimeout as pause } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { KubeObject } from '../kubernetes/fields.ts';
import { systemClock } from '../lib/clock.ts';
import type { KubeApi } from './api.ts';
import { apiJob, FakeApi } from './fake-api.ts';
import { listed } from './list.ts';
import type { OwnWatchState } from './own-watch.ts';
import { OwnWatch } from './own-watch.ts';

const JOBS = listed('Job');
let fake: FakeApi;
let api: KubeApi;
let watch: OwnWatch | undefined;
let states: OwnWatchState[];
let taken: KubeObject[];
let times: number[];
let refuse: boolean;

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  [states, taken, times, refuse] = [[], [], [], false];
});

afterEach(async () => {
  await watch?.stop();
  watch = undefined;
  await fake.stop();
});

function start(clock = systemClock, namespace?: string): OwnWatch {
  const take = (events: KubeObject[], at: number): Promise<void> => {
    if (refuse) return Promise.reject(new Error('the store cannot commit'));
    taken.push(...events);
    times.push(at);
    return Promise.resolve();
  };
  watch = new OwnWatch({ api, clock, take, onState: (state) => states.push(state) }, JOBS, namespace, '100');
  watch.start();
  return watch;
}

async function until(what: string, check: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !check(); await pause(5)) if (Date.now() > end) throw new Error(what);
}

const open = () => until('the watch is open', () => fake.watches.size === 1);
const took = (count: number) => until(`${count} events were taken`, () => taken.length >= count);
const asked = (): (string | null)[] =>
  fake.requests.map(({ path }) => new URL(path, 'http://api').searchParams.get('resourceVersion'));
const event = (type: string, name: string, version: string): object => ({ type, object: apiJob(name, version) });
const refused = (code: number): object => ({ type: 'ERROR', object: { kind: 'Status', code, message: `no: ${code}` } });
const names = (): unknown[] => taken.map(({ type, object }) => [type, (object as KubeObject & FakeName).metadata.name]);
interface FakeName {
  readonly metadata: { readonly name: string };
}

describe('the own watch of a kind', () => {
  it('begins at the version of a LIST and takes ADDED, MODIFIED and DELETED in their order', async () => {
    start(systemClock, 'shop');
    await open();
    expect(fake.requests[0]!.path).toBe(
      '/apis/batch/v1/namespaces/shop/jobs?watch=1&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion=100',
    );
    fake.emit('jobs', event('ADDED', 'a', '101'), event('MODIFIED', 'a', '102'));
    fake.emit('jobs', event('DELETED', 'a', '103'));
    await took(3);
    expect(names()).toEqual([
      ['ADDED', 'a'],
      ['MODIFIED', 'a'],
      ['DELETED', 'a'],
    ]);
    expect(states).toEqual([{ state: 'stands' }]);
  });

  it('goes on after the last event, or bookmark, when the API ends it', async () => {
    start();
    await open();
    fake.emit('jobs', event('ADDED', 'a', '101'), {
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: '150' } },
    });
    await took(1);
    await pause(1_000); // as long as an API that ends it in order has it open at the least
    [...fake.watches][0]!.response.end();
    await until('it is asked for again', () => fake.requests.length === 2);
    expect(asked()).toEqual(['100', '150']);
    expect(states).toEqual([{ state: 'stands' }]);
    expect(names()).toEqual([['ADDED', 'a']]);
  });

  it('takes an event that comes in pieces, within a character too', async () => {
    start();
    await open();
    const bytes = Buffer.from(`${JSON.stringify(event('ADDED', 'grüße', '101'))}\n`);
    const cut = bytes.indexOf('ü') + 1;
    const { response } = [...fake.watches][0]!;
    response.write(bytes.subarray(0, cut));
    await pause(50);
    response.write(bytes.subarray(cut));
    await took(1);
    expect(names()).toEqual([['ADDED', 'grüße']]);
  });

  it.each([
    ['401', { status: 401, body: { message: 'who?' } }],
    ['403', { status: 403, body: { message: 'no jobs' } }],
    ['a 500 that is not JSON', { status: 500, body: 'oops' }],
    ['a reset', 'reset'],
    ['an end at once', { status: 200, body: '' }],
  ] as const)('is asked for again after %s, for ever', async (_name, answer) => {
    let refusals = 2;
    fake.intercept = () => (refusals-- > 0 ? answer : undefined);
    start();
    await open();
    fake.emit('jobs', event('ADDED', 'a', '101'));
    await took(1);
    // A 401 is asked again at once with new credentials.
    const failures = answer !== 'reset' && answer.status === 401 ? 1 : 2;
    expect(states.filter(({ state }) => state === 'failed')).toHaveLength(failures);
    expect(watch!.stands).toBe(true);
  });

  it.each([
    ['the connection breaks', () => void [...fake.watches][0]!.response.destroy()],
    ['the API ends it by an error', () => fake.emit('jobs', refused(500))],
    ['it brings what is not JSON', () => void [...fake.watches][0]!.response.write('{"type":\n')],
  ])('goes on after the last event when %s', async (_name, disturb) => {
    start();
    await open();
    fake.emit('jobs', event('ADDED', 'a', '101'));
    await took(1);
    disturb();
    await until('it is asked for again', () => fake.requests.length === 2);
    expect(asked()).toEqual(['100', '101']);
  });

  it('asks again for what the store could not commit', async () => {
    refuse = true;
    start();
    await open();
    fake.emit('jobs', event('ADDED', 'a', '101'));
    await until('it failed', () => states.at(-1)?.state === 'failed');
    refuse = false;
    await until('it is asked for again', () => fake.requests.length === 2);
    expect(asked()).toEqual(['100', '100']);
  });

  it.each([
    ['by its status', () => void (fake.intercept = () => ({ status: 410, body: { message: 'too old' } }))],
    ['within a watch', () => undefined],
  ])('ends when its version is too old, as it hears %s: a LIST is needed', async (_name, refuseAll) => {
    refuseAll();
    start();
    await until('it is open, or over', () => fake.watches.size === 1 || states.length > 0);
    fake.emit('jobs', event('ADDED', 'a', '101'), refused(410));
    await until('it said so', () => states.some(({ state }) => state === 'expired'));
    expect(states.at(-1)).toEqual({ state: 'expired' });
    expect(watch!.stands).toBe(false);
  });

  it.each([7_200_000, -7_200_000])('takes events at the API`s own time, when our clock is %i ms off', async (offMs) => {
    const before = Date.now();
    start({ now: () => Date.now() + offMs });
    await open();
    fake.emit('jobs', event('ADDED', 'a', '101'));
    await took(1);
    // Whole seconds, never later than it is.
    expect(times[0]).toBeGreaterThan(before - 2_000);
    expect(times[0]).toBeLessThanOrEqual(Date.now() + 1_000);
  });
});
