import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { Bench } from './bench.ts';
import { cronJob, exported, job, jobUid } from './objects.ts';

/** Jobs are spread over CronJobs, because Cronitor takes 5 pings per second of one monitor. */
const CRON_JOBS = 20;
const SENDERS = 12;
/** What the Collector sends again. */
const RETRYABLE = new Set([1, 4, 8, 10, 11, 14, 15]);

let bench: Bench;
afterEach(() => bench.close());

const cronJobs = Array.from({ length: CRON_JOBS }, (_, index) => cronJob(index));
const started = (number: number): Buffer => exported(job(number, number % CRON_JOBS, 'running'));
const completed = (number: number): Buffer => exported(job(number, number % CRON_JOBS, 'complete'));

/** Sends requests from several senders at once; returns what became of each. */
async function flood(requests: readonly Buffer[], onReply: (index: number, code: number) => Promise<void> | void) {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      const { code } = await bench.client.export(requests[index]!, { deadlineMs: 2000 });
      await onReply(index, code);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

it('keeps what it acknowledged over SIGTERM, and has the rest sent again', async () => {
  bench = await Bench.start();
  await bench.insist(exported(...cronJobs));
  const jobs = Array.from({ length: 600 }, (_, index) => index);
  const acknowledged = new Set<number>();
  const refused = new Set<number>();
  let exit: Promise<number | null> | undefined;
  let exitMs = Infinity;
  const stop = async (): Promise<number | null> => {
    const began = performance.now();
    const code = await bench.bridge.stop();
    exitMs = performance.now() - began;
    return code;
  };
  await flood(jobs.map(started), (index, code) => {
    if (code === 0) acknowledged.add(index);
    else refused.add(code);
    if (acknowledged.size === 100) exit ??= stop();
    return code === 0 ? undefined : pause(5);
  });
  expect(await exit).toBe(0);
  expect(exitMs).toBeLessThan(60_000);
  expect(acknowledged.size).toBeLessThan(jobs.length);
  for (const code of refused) expect(RETRYABLE).toContain(code);

  await bench.bridge.start();
  const kept = new Set((await pages()).map(({ uid }) => uid));
  for (const index of acknowledged) expect(kept).toContain(jobUid(index));
});

async function pages(): Promise<{ uid: string }[]> {
  const all: { uid: string }[] = [];
  for (let cursor = ''; ;) {
    const { text } = await bench.get(`api/runs?limit=500${cursor}`);
    const { items, next } = JSON.parse(text) as { items: { uid: string }[]; next?: string };
    all.push(...items);
    if (next === undefined) return all;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

interface Delivery {
  readonly runUid: string;
  readonly status: string;
  readonly reason: string;
  readonly payload: { readonly query: { readonly state: string } };
}

it('reports each run once over kill -9; a repeat after a lost answer has the same identifiers and says so', async () => {
  bench = await Bench.start();
  await bench.insist(exported(...cronJobs));
  const count = 60;
  const jobs = Array.from({ length: count }, (_, index) => index);
  const requests = [...jobs.map(started), ...jobs.map(completed)];
  // Answers that take a while, so that a kill after a ping finds requests under way.
  bench.vendors.inject({ match: 'POST /ping', delayMs: 200, times: 200 });
  const kills = [15, 60, 105].map((at) => at + Math.floor(Math.random() * 10));
  let acknowledged = 0;
  let killing: Promise<void> = Promise.resolve();
  let before = 0;
  const kill = async (): Promise<void> => {
    const { pings } = bench.vendors.cronitor;
    await until('a ping since the last kill', () => pings.length > before);
    await pause(Math.random() * 150);
    await bench.bridge.kill9();
    before = pings.length;
    await bench.bridge.start();
  };
  await flood(requests, async (index, code) => {
    if (code !== 0) await bench.insist(requests[index]!);
    if (++acknowledged === kills[0]) killing = kill();
    if (acknowledged >= (kills[0] ?? Infinity)) kills.shift();
    await killing;
  });
  expect(kills).toEqual([]);
  await bench.delivered();

  const identifiers = new Map<string, Set<string>>();
  const times = new Map<string, number>();
  for (const { monitor, query } of bench.vendors.cronitor.pings) {
    const event = `${query.series} ${query.state}`;
    identifiers.set(event, (identifiers.get(event) ?? new Set()).add(JSON.stringify({ monitor, ...query })));
    times.set(event, (times.get(event) ?? 0) + 1);
  }
  expect(times.size).toBe(2 * count);
  for (const [event, forms] of identifiers) expect({ event, forms: forms.size }).toEqual({ event, forms: 1 });
  for (const states of bench.reported().values()) expect(states.toSorted().toReversed()).toEqual(states);

  const again = new Set<string>();
  for (const { runUid, payload, status, reason } of await bench.list<Delivery>('deliveries')) {
    expect(status).toBe('delivered');
    if (reason === 'delivered_again') again.add(`${runUid} ${payload.query.state}`);
  }
  const repeated = [...times].filter(([, seen]) => seen > 1).map(([event]) => event);
  expect(repeated).not.toEqual([]);
  expect(repeated.filter((event) => !again.has(event))).toEqual([]);
  expect(bench.vendors.cronitor.autoCreated).toEqual([]);
  expect(bench.vendors.cronitor.violations).toEqual([]);
});
