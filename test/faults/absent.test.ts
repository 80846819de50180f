import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import { runCronJob } from './api.ts';
import type { Proxy } from './proxy.ts';
import { startProxy } from './proxy.ts';
import { startShuffler } from './shuffler.ts';
import type { Stage, Started } from './stage.ts';
import { during, expectReported, makeCronJobs, random, SEED, setStage, SHORT, startRun } from './stage.ts';

/** LISTs follow each other soon, and a run that its CronJob proves waits only for a short time for its Job. */
const FAST = { LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '2s', LIFECYCLE_BRIDGE__CLUSTER__AUDIT__GRACE: '30s' };

let stage: Stage;
let proxy: Proxy;

beforeAll(async () => {
  const between = async (bridge: string): Promise<string> => (proxy = await startProxy(bridge)).endpoint;
  stage = await setStage('absent', { between, env: FAST });
});
afterAll(async () => {
  await stage.close();
  await proxy.close();
});

/** For each time to live CronJobs whose Jobs are removed that time after their end: one succeeds, one fails. */
async function makeShortLived(prefix: string, ttls: readonly number[], run: string): Promise<string[]> {
  const made = ttls.flatMap((ttlSecondsAfterFinished) => {
    const job = { ttlSecondsAfterFinished, backoffLimit: 0 };
    const name = `${prefix}-${ttlSecondsAfterFinished}`;
    return [
      { name: `${name}-ok`, pod: { run }, job },
      { name: `${name}-bad`, pod: { run, exit: '3' }, job },
    ];
  });
  await stage.kube.apply(...made.map(cronJob));
  return made.map(({ name }) => name);
}

async function startShortLived(name: string, n: number): Promise<Started> {
  const end = n % 2 === 0 ? 'complete' : 'fail';
  const cron = `ttl-${n % 3}-${end === 'complete' ? 'ok' : 'bad'}`;
  return { job: await runCronJob(stage.api, stage.kube.namespace, cron, `${name}-${n}`), end };
}

const noShortLived = (): Promise<unknown> =>
  until(
    'every Job is removed',
    async () => (await stage.kube.list('jobs')).every(({ spec }) => spec?.['ttlSecondsAfterFinished'] === undefined),
    120_000,
  );

const pingsOf = (monitor: string): { state: string; stamp: number }[] =>
  stage.vendors.cronitor.pings
    .filter((ping) => ping.monitor === monitor)
    .map(({ query }) => ({ state: query.state, stamp: Number(query.stamp) * 1_000 }));

const isSeenGone = async ({ job }: Started): Promise<boolean> => {
  const answer = await fetch(`${stage.bridge.pageUrl}api/runs/${job.metadata.uid}`);
  return ((await answer.json()) as { run: { deleted: boolean } }).run.deleted;
};

describe('nothing is lost and nothing is reported twice', () => {
  it('when the bridge is down while Jobs start, end and are removed, and its audit is done before the queue is', async () => {
    await makeShortLived('ttl', [0, 1, 2], '15s');
    const known = await Promise.all([0, 1, 2].map((n) => startShortLived('known', n)));
    const starts = (): number => known.filter(({ job }) => pingsBySeries(job).length > 0).length;
    await until('the runs before are reported', () => starts() === known.length, 60_000);
    proxy.set('cut');
    await stage.bridge.kill9();
    const unseen: Started[] = [];
    for (let n = 0; n < (SHORT ? 6 : 24); n++) unseen.push(await startShortLived('unseen', n));
    await noShortLived();
    await stage.bridge.start();
    await until(
      'the audit finds them gone',
      async () => (await Promise.all(known.map(isSeenGone))).every(Boolean),
      120_000,
    );
    proxy.set('pass');
    // The kill may have come before the answer to a start that the vendor had.
    await expectReported(stage, [...known, ...unseen], { repeats: true });
    const messages = stage.vendors.cronitor.pings.map(({ query }) => query.message);
    expect(messages).not.toContain('cancelled');
  });

  it('when a CronJob is deleted and made again and again around an active run, with shuffled records', async () => {
    const { kube, api, vendors } = stage;
    const again = cronJob({ name: 'again', pod: { run: SHORT ? '40s' : '60s' } });
    await kube.apply(again);
    const { uid: key } = (await kube.get('cronjob/again')).metadata;
    // The first of them that the bridge sees gives the monitor its key.
    await until('its monitor stands', () => vendors.cronitor.monitors.has(key));
    const shuffler = await startShuffler(stage.bridge.endpoint, random(SEED));
    proxy.lead(shuffler.endpoint);
    const job = await runCronJob(api, kube.namespace, 'again', 'again-active');
    // Else the garbage collector may hear of the Job after it left its orphans in peace.
    const active = `/apis/batch/v1/namespaces/${kube.namespace}/jobs/again-active`;
    await until('it is active', async () => (await api.get(active)).status?.['startTime'] !== undefined);
    for (let n = 0; n < (SHORT ? 8 : 50); n++) {
      await kube.kubectl(['delete', 'cronjob/again', '--cascade=orphan']);
      await kube.apply(again);
    }
    const after = await runCronJob(api, kube.namespace, 'again', 'again-after');
    await expectReported(stage, [
      { job, end: 'complete' },
      { job: after, end: 'complete' },
    ]);
    proxy.lead(stage.bridge.endpoint);
    await until('every copy is delivered', () => shuffler.delivered() === shuffler.taken() * 3, 60_000);
    await until('every monitor is in sync', async () => (await notInSync()) === 0, 60_000);
    // `paused` is sent only from the first pause of ours on, and each deletion may have come after the next CronJob.
    const wasPaused = vendors.requests.some(({ body }) => body.includes(key) && body.includes('"paused":true'));
    const monitor = vendors.cronitor.monitors.get(key);
    expect(monitor).toBeDefined();
    expect(monitor?.paused ?? wasPaused).toBe(false);
    const reported = vendors.cronitor.pings
      .filter((ping) => ping.monitor === key)
      .map(({ query }) => `${query.state} of ${query.series}`);
    const uids = [job, after].map(({ metadata }) => metadata.uid);
    expect(new Set(reported)).toEqual(new Set(uids.flatMap((uid) => [`run of ${uid}`, `complete of ${uid}`])));
    const named = [...vendors.cronitor.monitors.values()].filter(({ name }) => name?.endsWith('/again') === true);
    expect(named.map((monitor) => monitor.key)).toEqual([key]);
    shuffler.close();
  });

  it.skipIf(SHORT)('when the Collector was down too: what a CronJob knows of its run is reported, once', async () => {
    const { vendors, bridge, collector } = stage;
    // Of the last one the controller has the time to note the success.
    const names = await makeShortLived('only', [0, 1, 2, 10], '1s');
    const keys = (await cronJobs(names)).map(({ metadata }) => metadata.uid);
    await until('their monitors stand', () => keys.every((key) => vendors.cronitor.monitors.has(key)), 60_000);
    await Promise.all([bridge.kill9(), collector.kill9()]);
    const due = await runOnce(names);
    await noShortLived();
    const expected = (await cronJobs(names)).map(({ status }) => proven(due, status));
    expect(expected.some(({ length }) => length === 2)).toBe(true);
    await bridge.start();
    await collector.restart();
    await makeCronJobs(stage, 'flow');
    const flowing: Started[] = [];
    const flow = async (): Promise<void> => void flowing.push(await startRun(stage, 'flow', flowing.length));
    const isReported = (): boolean => keys.every((key, n) => pingsOf(key).length >= expected[n]!.length);
    await during(until('their runs are reported', isReported, 300_000), async () => {
      await flow();
      await pause(2_000);
    });
    await expectReported(stage, flowing);
    await bridge.settled();
    await bridge.kill9();
    await bridge.start();
    await flow();
    await expectReported(stage, flowing);
    expect(keys.map(pingsOf)).toEqual(expected);
    expect(await statuses(keys)).toEqual(expected.map(({ length }) => (length === 2 ? 'succeeded' : 'unknown')));
  });
});

const cronJobs = (names: readonly string[]): Promise<KubeObject[]> =>
  Promise.all(names.map((name) => stage.kube.get(`cronjob/${name}`)));

/** Lets the schedules of CronJobs come due once, at the same minute, and waits for that; returns when it was. */
async function runOnce(names: readonly string[]): Promise<number> {
  const due = new Date(Math.ceil((Date.now() + 20_000) / 60_000) * 60_000);
  const spec = { schedule: `${due.getUTCMinutes()} ${due.getUTCHours()} * * *`, timeZone: 'Etc/UTC' };
  const path = (name: string): string => `/apis/batch/v1/namespaces/${stage.kube.namespace}/cronjobs/${name}`;
  await Promise.all(names.map((name) => stage.api.patch(path(name), { spec })));
  const lastTimes = async (): Promise<unknown[]> =>
    (await cronJobs(names)).map(({ status }) => status?.['lastScheduleTime']);
  await until('they have run', async () => (await lastTimes()).every((time) => time !== undefined), 180_000);
  return due.getTime();
}

/** What the status of a CronJob that ran once proves of its run. */
function proven(due: number, status: KubeObject['status'] = {}): { state: string; stamp: number }[] {
  const success = status['lastSuccessfulTime'];
  const end = typeof success === 'string' ? [{ state: 'complete', stamp: Date.parse(success) }] : [];
  return [{ state: 'run', stamp: due }, ...end];
}

/** The status of the run of each CronJob, as the page shows it. */
async function statuses(cronJobUids: readonly string[]): Promise<(string | undefined)[]> {
  const answer = await fetch(`${stage.bridge.pageUrl}api/runs?limit=500`);
  const { items } = (await answer.json()) as { items: { ownerUid?: string; status: string }[] };
  return cronJobUids.map((uid) => items.find(({ ownerUid }) => ownerUid === uid)?.status);
}

const pingsBySeries = ({ metadata }: KubeObject): readonly unknown[] =>
  stage.vendors.cronitor.pings.filter(({ query }) => query.series === metadata.uid);

async function notInSync(): Promise<number> {
  const { items } = (await (await fetch(`${stage.bridge.pageUrl}api/desired?limit=500`)).json()) as {
    items: { inSync: boolean }[];
  };
  return items.filter(({ inSync }) => !inSync).length;
}
