import { expect, it } from 'vitest';
import type { HttpResult } from '../http.ts';
import { Hosts } from './hosts.ts';

const OK: HttpResult = { kind: 'answer', status: 200, headers: {}, body: '', complete: true };
const DOWN: HttpResult = { kind: 'failed', reason: 'connection_failed', detail: 'ECONNREFUSED', unknown: false };
const LOST: HttpResult = { kind: 'failed', reason: 'timeout', detail: 'no answer in time', unknown: true };
const STOPPED: HttpResult = { kind: 'failed', reason: 'shutting_down', detail: 'stopped', unknown: false };
const status = (code: number): HttpResult => ({ ...OK, status: code });

/** Which hosts each try asked, while the first and the second answer so. */
async function tries(at: readonly number[], first: HttpResult, second: HttpResult = OK): Promise<string[]> {
  const hosts = new Hosts('1', '2');
  const all: string[] = [];
  for (const now of at) {
    let asked = '';
    await hosts.send(now, (base) => {
      asked += base;
      return Promise.resolve(base === '1' ? first : second);
    });
    all.push(asked);
  }
  return all;
}

it('asks the second host from the third try on, and the first again after a minute', async () => {
  expect(await tries([0, 1, 2, 3, 59_000], DOWN)).toEqual(['1', '1', '2', '2', '2']);
  // What the first has not heard goes to the second in the same try.
  expect(await tries([0, 1, 2, 61_001, 61_002], DOWN)).toEqual(['1', '1', '2', '12', '2']);
});

it('repeats nowhere at once what the first host may have taken', async () => {
  expect(await tries([0, 1, 2, 61_001, 61_002], LOST)).toEqual(['1', '1', '2', '1', '2']);
});

it.each([
  [DOWN, '2'],
  [LOST, '2'],
  [status(500), '2'],
  [status(503), '2'],
  [OK, '1'],
  [status(429), '1'],
  [status(401), '1'],
  [status(404), '1'],
  [STOPPED, '1'],
])('after two answers %o the third try asks host %s', async (answer, host) => {
  expect((await tries([0, 1, 2], answer))[2]).toBe(host);
});

it('goes back to the first when both are away, and forgets failures after an answer', async () => {
  expect(await tries([0, 1, 2, 3, 4], DOWN, DOWN)).toEqual(['1', '1', '2', '12', '2']);
  const hosts = new Hosts('1', '2');
  const asked: string[] = [];
  for (const answer of [DOWN, OK, DOWN, OK])
    await hosts.send(0, (base) => {
      asked.push(base);
      return Promise.resolve(answer);
    });
  expect(asked).toEqual(['1', '1', '1', '1']);
});

it('has no second host unless there is one, and survives a clock that is set back', async () => {
  const only = new Hosts('1', undefined);
  const both = new Hosts('1', '2');
  const asked: string[] = [];
  const ask = (base: string): Promise<HttpResult> => {
    asked.push(base);
    return Promise.resolve(LOST);
  };
  for (let n = 0; n < 4; n++) await only.send(n, ask);
  for (const now of [10_000_000, 10_000_001, 0]) await both.send(now, ask);
  expect(asked).toEqual(['1', '1', '1', '1', '1', '1', '1']);
});
