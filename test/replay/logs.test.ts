import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeApi } from '../../bridge/cluster/fake-api.ts';
import { until } from '../harness/kube.ts';
import { Bench } from './bench.ts';
import type { KubeJson } from './objects.ts';
import { cronJob, exported, job, jobUid, podOfJob } from './objects.ts';

/** The pod of the Job `number`, with one container that ended. */
function pod(number: number, exitCode: number): KubeJson {
  const finishedAt = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  const terminated = { exitCode, finishedAt, reason: exitCode === 0 ? 'Completed' : 'Error' };
  return podOfJob(number, finishedAt, {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [{ name: 'main', image: 'busybox', restartCount: 0, state: { terminated } }],
  });
}

describe('logs of containers, from the Kubernetes API to Cronitor', () => {
  const fake = new FakeApi();
  let bench: Bench;
  const gone = 3;

  beforeAll(async () => {
    await fake.start();
    fake.intercept = (path) => {
      if (!path.includes('/log?')) return undefined;
      if (path.includes(`job-${gone}-`))
        return { status: 404, body: { message: `pods "job-${gone}-abcde" not found` } };
      return {
        status: 200,
        body: `connected to postgres://app:s3cret@db\nwrote 7 rows of ${/job-\d+/.exec(path)?.[0]}\n`,
      };
    };
    bench = await Bench.start({ kubeconfig: fake.kubeconfig });
    await bench.insist(exported(cronJob(1)));
    for (const number of [1, 2, gone])
      await bench.insist(exported(job(number, 1, 'running'), pod(number, 0), job(number, 1, 'complete')));
    await until('the logs are there', () => bench.vendors.cronitor.logs.uploads.length === 2, 60_000);
    await bench.delivered(60_000);
  });
  afterAll(async () => {
    await bench?.close();
    await fake.stop();
  });

  it('are uploaded once per run, without secrets', () => {
    const { uploads } = bench.vendors.cronitor.logs;
    const texts = new Map(uploads.map(({ series, text }) => [series, text]));
    expect(uploads).toHaveLength(2);
    expect(Object.fromEntries(texts)).toEqual({
      [jobUid(1)]: 'connected to postgres://[redacted]@db\nwrote 7 rows of job-1\n',
      [jobUid(2)]: 'connected to postgres://[redacted]@db\nwrote 7 rows of job-2\n',
    });
    expect(bench.vendors.cronitor.violations).toEqual([]);
  });

  it('are reported after it, and never keep the end of a run waiting', () => {
    const reported = bench.reported();
    expect(reported.get(jobUid(1))).toEqual(['run', 'complete', 'logs']);
    expect(reported.get(jobUid(gone))).toEqual(['run', 'complete']);
    const event = bench.vendors.cronitor.pings.find(({ query }) => query.state === 'logs');
    expect(event?.query).toMatchObject({ metric: expect.stringMatching(/^length:\d+$/), host: 'node-1' });
    expect(event?.query.message).toMatch(/wrote 7 rows of job-\d$/);
  });

  it('are on the page of the run, or why they are not', async () => {
    const { text } = await bench.get(`runs/${jobUid(1)}`);
    expect(text).toContain('wrote 7 rows of job-1');
    expect(text).not.toContain('s3cret');
    const missing = (await bench.get(`runs/${jobUid(gone)}`)).text;
    expect(missing).toContain('pods &quot;job-3-abcde&quot; not found');
    expect(await bench.metric('lifecycle_bridge_logs_total{outcome="log_unavailable"}')).toBe(1);
  });

  it('are missing with one word of it, while all else works, where the permission is missing', async () => {
    fake.intercept = (path) =>
      path.includes('/log?') ? { status: 403, body: { message: 'cannot get resource "pods/log"' } } : undefined;
    for (const number of [4, 5])
      await bench.insist(exported(job(number, 1, 'running'), pod(number, 1), job(number, 1, 'complete')));
    const forbidden = async (): Promise<boolean> =>
      (await bench.metric('lifecycle_bridge_logs_total{outcome="log_forbidden"}')) === 2;
    await until('both were asked for', forbidden, 30_000);
    await bench.delivered(60_000);
    expect(bench.reported().get(jobUid(4))).toEqual(['run', 'complete']);
    expect(await bench.metric('lifecycle_bridge_logs_forbidden')).toBe(1);
    const { notes } = JSON.parse((await bench.get('readyz')).text) as { notes: string[] };
    expect(notes.filter((note) => note.includes('pods/log'))).toHaveLength(1);
    expect(bench.log().filter(({ msg }) => String(msg).startsWith('no permission for pods/log'))).toHaveLength(1);
  });
});
