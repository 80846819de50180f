import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import type { PingQuery } from '../vendors/cronitor-rules.ts';
import { readMetric } from '../harness/metrics.ts';
import type { Proxy } from './proxy.ts';
import { startProxy } from './proxy.ts';
import { fillQueue, queueSize } from './queue.ts';
import type { Stage, Started } from './stage.ts';
import { during, expectReported, random, runs, SEED, setStage, SHORT, startRun } from './stage.ts';

/** How many intents of a destination are on their way at most when the bridge is killed. */
const IN_FLIGHT = 16;
const QUEUED = 5_000;
let stage: Stage;
let proxy: Proxy;

beforeAll(async () => {
  const between = async (bridge: string): Promise<string> => (proxy = await startProxy(bridge)).endpoint;
  stage = await setStage('kills', { between });
});
afterAll(async () => {
  await stage.close();
  await proxy.close();
});

describe('nothing is lost and nothing is reported twice', () => {
  it('when the bridge is killed at random points of 200 runs', async () => {
    const next = random(SEED);
    const chains = Array.from({ length: SHORT ? 3 : 5 }, (_, n) =>
      runs(stage, `kill-bridge-${n}`, SHORT ? 8 : 40, () => pause(next() * 3_000), { vanish: n % 2 === 0 }),
    );
    const starts: Promise<void>[] = [];
    let kills = 0;
    const started = await during(Promise.all(chains), async () => {
      await pause(next() * 3_000);
      await stage.bridge.kill9();
      kills++;
      await pause(next() * 500);
      const start = stage.bridge.start();
      start.catch(() => undefined); // awaited below
      starts.push(start);
      if (next() < 0.3) return; // it may be killed before it is up
      await start;
      const hasTaken = async (): Promise<boolean> => (await committedRequests()) > 0;
      await until('it has taken something', hasTaken, 15_000).catch(() => undefined); // after the last there is nothing
    });
    await Promise.all(starts);
    const repeated = await expectReported(stage, started.flat(), { repeats: true });
    console.log(`${started.flat().length} runs, ${kills} kills, ${repeated} repeated pings`);
    expect(repeated).toBeLessThanOrEqual(kills * IN_FLIGHT);
  });

  it('when the Collector is killed at random points', async () => {
    const next = random(SEED + 1);
    const chain = runs(stage, 'kill-collector', SHORT ? 10 : 60, () => pause(next() * 1_000), { keep: true });
    const started = await during(chain, async () => {
      await pause(next() * 4_000);
      await stage.collector.kill9();
      await pause(next() * 1_000);
      await stage.collector.restart();
    });
    // A Collector connects when it has something to send.
    started.push(await startRun(stage, 'kill-collector', started.length));
    await expectReported(stage, started);
  });

  it.skipIf(SHORT)('when the Collector is killed with 5,000 records queued and the audit overtakes them', async () => {
    const { bridge, collector } = stage;
    const slow = await runs(stage, 'slow', 8, undefined, { run: '15s', keep: true });
    const long = await runs(stage, 'long', 12, undefined, { run: '3600s', keep: true });
    await until('all are reported as running', () => [...slow, ...long].every(isReported), 120_000);
    await bridge.kill9();

    const short = await runs(stage, 'short', 30, undefined, { keep: true });
    const unseen = [await startRun(stage, 'long', 12), await startRun(stage, 'long', 13)];
    await until('they have ended', () => haveEnded([...slow, ...short]), 120_000);
    await until('they have started', () => haveStarted(unseen));
    await fillQueue(stage, long.map(pathOf), QUEUED / 2);
    await remove([...slow.slice(0, 4), ...short.slice(0, 10), ...unseen, ...long.slice(0, 4)]);
    await fillQueue(stage, long.slice(4).map(pathOf), QUEUED / 2);
    expect(await queueSize(stage)).toBeGreaterThanOrEqual(QUEUED);
    await collector.kill9();
    short.push(...(await startMore('short', 30)));
    await collector.restart();
    expect(await queueSize(stage)).toBeGreaterThanOrEqual(QUEUED);

    // The Collector gets no answer yet: only its first requests arrive.
    proxy.set('mute');
    await bridge.start();
    await until('the audit is through', async () => (await goneJobs()) >= 8, 120_000);
    expect(await queueSize(stage)).toBeGreaterThanOrEqual(QUEUED - 50);
    proxy.set('pass');
    short.push(...(await startMore('short', 40)));
    await remove(long.slice(4));

    const cancelled = [...long, ...unseen].map(({ job }): Started => ({ job, end: 'fail' }));
    await expectReported(stage, [...slow, ...short, ...cancelled], { repeats: true });
    const messages = pings().filter(({ message }) => message === 'cancelled');
    expect(new Set(messages.map(({ series }) => series))).toEqual(new Set(cancelled.map(uidOf)));
    await until('the queue is drained', async () => (await queueSize(stage)) === 0, 120_000);
  });
});

const uidOf = ({ job }: Started): string => job.metadata.uid;
const pathOf = ({ job }: Started): string =>
  `/apis/batch/v1/namespaces/${stage.kube.namespace}/jobs/${job.metadata.name}`;

const pings = (): PingQuery[] => stage.vendors.cronitor.pings.map(({ query }) => query);
const isReported = (run: Started): boolean => pings().some(({ series }) => series === uidOf(run));

function committedRequests(): Promise<number> {
  const series = 'lifecycle_bridge_requests_total{outcome="committed"';
  return readMetric(`${stage.bridge.pageUrl}metrics`, series);
}

function goneJobs(): Promise<number> {
  const series = 'lifecycle_bridge_audit_differences_total{kind="Job",difference="gone"';
  return readMetric(`${stage.bridge.pageUrl}metrics`, series);
}

/** Five more runs, from number `first` on. */
async function startMore(name: string, first: number): Promise<Started[]> {
  return Promise.all(Array.from({ length: 5 }, (_, n) => startRun(stage, name, first + n)));
}

async function remove(runs: readonly Started[]): Promise<void> {
  await Promise.all(runs.map((run) => stage.api.delete(pathOf(run))));
}

async function haveStarted(runs: readonly Started[]): Promise<boolean> {
  const jobs = await Promise.all(runs.map((run) => stage.api.get(pathOf(run))));
  return jobs.every(({ status }) => status?.['startTime'] !== undefined);
}

async function haveEnded(runs: readonly Started[]): Promise<boolean> {
  const jobs = await Promise.all(runs.map((run) => stage.api.get(pathOf(run))));
  const conditions = jobs.map(({ status }) => (status?.['conditions'] ?? []) as { readonly type: string }[]);
  return conditions.every((all) => all.some(({ type }) => type === 'Complete' || type === 'Failed'));
}
