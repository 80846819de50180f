import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import { restore, snapshot } from './etcd.ts';
import type { Stage } from './stage.ts';
import { expectReported, FAST_AUDIT, onceEach, pingsOf, runs, setStage, SHORT } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('restored', { env: FAST_AUDIT });
});
afterAll(() => stage.close());

/** What the log says of the LISTs of Jobs, in order. */
const lists = (): { held?: number; gone?: number; epoch?: boolean }[] =>
  readFileSync(stage.bridge.logFile, 'utf8')
    .split('\n')
    .slice(0, -1) // perhaps half a line
    .filter((line) => line.includes('"kind":"Job"'))
    .map((line) => JSON.parse(line) as { held?: number; gone?: number; epoch?: boolean });

const statusOf = async ({ metadata }: KubeObject): Promise<string | undefined> => {
  const answer = await fetch(`${stage.bridge.pageUrl}api/runs/${metadata.uid}`);
  return ((await answer.json()) as { run?: { status: string } }).run?.status;
};
const reported = (job: KubeObject): string[] => onceEach(pingsOf(stage, job)).map((ping) => ping.split(' ')[0]!);

/** A run that goes on until it is deleted. */
const startLong = (cronJobName: string, job: string): Promise<KubeObject> => stage.kube.runCronJob(cronJobName, job);

/** The Job fails by its deadline. */
const endNow = (job: string) =>
  stage.kube.kubectl(['patch', 'job', job, '--patch={"spec":{"activeDeadlineSeconds":1}}']);

/** Uses up versions. */
async function countOn(versions: number): Promise<void> {
  const items = Array.from({ length: versions }, (_, n) => {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `map-${n}` } };
  });
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await stage.kube.kubectl(['create', '-f', '-'], { input, timeoutMs: 120_000 });
}

describe('nothing is lost and nothing is reported twice', () => {
  it.skipIf(SHORT)(
    'when 25 running Jobs vanish at once unseen: a third LIST decides, and none is reported as cancelled',
    async () => {
      const { kube, bridge, collector } = stage;
      await kube.apply(cronJob({ name: 'lost', pod: { run: '600s' } }));
      const jobs = await Promise.all(Array.from({ length: 25 }, (_, n) => startLong('lost', `lost-${n}`)));
      await until('all starts are reported', () => jobs.every((job) => reported(job).length > 0), 120_000);
      await Promise.all([bridge.kill9(), collector.kill9()]);
      await kube.kubectl(['delete', 'jobs,cronjobs', '--all', '--cascade=foreground'], { timeoutMs: 120_000 });
      await bridge.start();
      await collector.restart();
      await until('they are gone', () => lists().some(({ gone }) => gone === 25), 120_000);
      const held = lists().findIndex((line) => line.held === 25);
      expect(held).toBeGreaterThan(-1);
      expect(held).toBeLessThan(lists().findIndex(({ gone = 0 }) => gone > 0));
      for (const job of jobs)
        await until('its end is unknown', async () => (await statusOf(job)) === 'unknown', 120_000);
      // The kill may have lost answers to starts: they were reported again.
      for (const job of jobs) expect([...new Set(reported(job))]).toEqual(['run']);
    },
  );

  it('when etcd is restored from a snapshot: versions count again, and only what is new is reported', async () => {
    const { kube, collector } = stage;
    await kube.apply(cronJob({ name: 'long', pod: { run: '600s' } }));
    const before = await runs(stage, 'before', 3);
    const [running, ended, deleted] = await Promise.all([
      startLong('long', 'running'),
      startLong('long', 'ended'),
      startLong('long', 'deleted'),
    ]);
    await expectReported(stage, before);
    await until('the long ones run', () => [running, ended, deleted].every((job) => reported(job).length === 1));
    await snapshot(stage);
    await collector.watching();
    const between = await runs(stage, 'between', 3);
    const unfinished = await startLong('long', 'unfinished');
    await endNow('ended');
    await kube.delete('job/deleted');
    await expectReported(stage, between);
    await until('all of it is reported', () => reported(unfinished).length === 1);
    await until('their ends are reported', () => [ended, deleted].every((job) => reported(job).length === 2));
    await restore(stage);
    await until('a new epoch', () => lists().some(({ epoch }) => epoch === true), 120_000);
    // The watches of the Collector wait for versions that the cluster will reach much later: they bring nothing.
    const unheard = await runs(stage, 'unheard', 3);
    await expectReported(stage, unheard);
    await collector.restart();
    await until('the lost run is unknown', async () => (await statusOf(unfinished)) === 'unknown', 120_000);
    await endNow('ended');
    await Promise.all(['running', 'deleted'].map((name) => kube.delete(`job/${name}`)));
    await until('the end of the long run is reported', () => reported(running).length === 2, 120_000);
    await expectReported(stage, [...before, ...between, ...unheard, ...(await runs(stage, 'after', 3))]);
    await expectReported(
      stage,
      [running, ended, deleted].map((job) => ({ job, end: 'fail' })),
    );
    expect(reported(unfinished)).toEqual(['run']);
  });

  it.skipIf(SHORT)(
    'when etcd is restored while the bridge is away, and counts beyond what the bridge knew',
    async () => {
      const { kube, bridge, collector } = stage;
      await kube.apply(cronJob({ name: 'slow', pod: { run: '600s' } }));
      const slow = await startLong('slow', 'slow');
      await until('it runs', () => reported(slow).length === 1);
      await snapshot(stage);
      await countOn(200);
      await kube.kubectl(['patch', 'job', 'slow', '--patch={"spec":{"suspend":true}}']);
      await until('it is suspended', async () => (await statusOf(slow)) === 'suspended');
      await Promise.all([bridge.stop(), collector.kill9()]);
      await restore(stage);
      await endNow('slow');
      await kube.wait('job/slow', 'condition=Failed');
      await countOn(400);
      await bridge.start();
      await collector.restart();
      await until('its end is reported', () => reported(slow).length === 2, 120_000);
      expect(reported(slow)).toEqual(['run', 'fail']);
      await expectReported(stage, await runs(stage, 'later', 3));
    },
  );
});
