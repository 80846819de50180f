import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { encodeLogs } from '../otlp-client.ts';
import { Bench } from './bench.ts';
import { configMap, cronJob, exported, job, jobUid } from './objects.ts';

const UNAVAILABLE = 14;
const INVALID_ARGUMENT = 3;

interface Drop {
  readonly kind: string;
  readonly reason: string;
  readonly detail: string;
}

describe('what is sent to the bridge', () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await Bench.start()));
  afterAll(() => bench.close());

  it('is refused for good when it is not an export, and kept once in quarantine', async () => {
    const garbage = Buffer.from('this is not protobuf');
    for (const times of [1, 2])
      expect({ times, ...(await bench.client.export(garbage)) }).toMatchObject({ code: INVALID_ARGUMENT });
    const drops = await bench.list<Drop>('drops');
    expect(drops).toHaveLength(1);
    expect(drops[0]).toMatchObject({ kind: 'quarantine', reason: 'undecodable' });
    expect(await bench.metric('lifecycle_bridge_requests_total{outcome="undecodable"}')).toBe(2);
    expect(await bench.metric('lifecycle_bridge_quarantined_total{reason="undecodable"}')).toBe(2);
  });

  it('is taken when one record of it is not a Kubernetes object: that one is quarantined, the rest works', async () => {
    const body = (object: object): object => ({ type: 'MODIFIED', object });
    const objects = [cronJob(1), job(1, 1, 'running'), job(1, 1, 'complete')].map(body);
    const odd = [{ log: 'a line of text' }, 'plain', { type: 'ADDED', object: { kind: 'Job' } }];
    const records = [objects[0], odd[0], objects[1], odd[1], odd[2], objects[2]].map((body) => ({ body }));
    expect(await bench.client.export(encodeLogs(records))).toMatchObject({ code: 0 });
    await bench.delivered();
    expect(bench.reported()).toEqual(new Map([[jobUid(1), ['run', 'complete']]]));
    const drops = (await bench.list<Drop>('drops')).filter(({ reason }) => reason === 'not_kubernetes');
    expect(drops).toHaveLength(3);
  });

  it('is ignored, not refused, when its kind is not followed', async () => {
    expect(await bench.client.export(exported(configMap(1), configMap(2)))).toMatchObject({ code: 0 });
    expect(await bench.list<Drop>('drops')).toHaveLength(4);
  });

  it('is counted by kind and result, with commit times, outbox, deliveries and the age of the last record', async () => {
    const metric = (name: string): Promise<number | undefined> => bench.metric(`lifecycle_bridge_${name}`);
    expect(await metric('records_total{kind="ConfigMap",result="ignored"}')).toBe(2);
    expect(await metric('records_total{kind="Job",result="observed"}')).toBe(2);
    expect(await metric('records_total{kind="CronJob",result="observed"}')).toBe(1);
    expect(await metric('records_total{kind="unknown",result="not_kubernetes"}')).toBe(3);
    expect(await metric('commit_duration_seconds_count')).toBeGreaterThan(1);
    expect(await metric('outbox_pending{destination="cronitor/default"}')).toBe(0);
    expect(await metric('outbox_oldest_age_seconds{destination="cronitor/default"}')).toBe(0);
    expect(await metric('desired_not_in_sync{destination="cronitor/default"}')).toBe(0);
    const delivered = 'deliveries_total{destination="cronitor/default",outcome="delivered",reason="delivered"}';
    expect(await metric(delivered)).toBe(3);
    expect(await metric('record_age_seconds{kind="Job"}')).toBeGreaterThanOrEqual(0);
    expect(await metric('record_age_seconds{kind="Job"}')).toBeLessThan(60);
  });

  it('leaves a log that a person can read: JSON, few lines, no warning of the runtime', () => {
    const lines = bench.log().map(({ level, msg, reason }) => [level, msg, reason].filter(Boolean).join(' '));
    expect(lines).toEqual([
      'info started',
      'warn a record was put into quarantine; /drops shows it undecodable',
      'warn a record was put into quarantine; /drops shows it not_kubernetes',
    ]);
  });
});

/** Makes every write of the process beyond the first bytes of a file fail, as a full disk does; undefined: room again. */
function room(pid: number, bytes?: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:`]);
}

describe('a disk without room', () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await Bench.start()));
  afterEach(() => bench.close());

  it('makes exports wait at the sender; with room again everything arrives, once, without a restart', async () => {
    const pid = Number(readFileSync(`${bench.bridge.storePath}.pid`, 'utf8'));
    await bench.insist(exported(cronJob(1), job(1, 1, 'running')));
    await bench.delivered();
    // Delivered while nothing can be written: its answer must be written down later, not asked for again.
    bench.vendors.inject({ match: 'state=complete', delayMs: 1500 });
    await bench.insist(exported(job(1, 1, 'complete')));
    await until('the ping arrived, its answer not', () => bench.reported().get(jobUid(1))?.length === 2);
    room(pid, 16_384);

    const request = exported(job(2, 1, 'running'), job(2, 1, 'complete'));
    const refused = await bench.client.export(request);
    expect(refused).toMatchObject({ code: UNAVAILABLE, retryAfterMs: expect.any(Number) });
    await until('it is not ready', async () => (await bench.get('readyz')).status === 503);
    expect(JSON.parse((await bench.get('readyz')).text)).toMatchObject({
      ready: false,
      commit: expect.stringMatching(/./),
    });
    expect((await bench.get('livez')).status).toBe(200);
    expect((await bench.get('')).text).toContain('cannot commit');
    const unsettled = async (): Promise<boolean> => bench.log().some(({ msg }) => String(msg).startsWith('the outbox'));
    await until('the answer came and could not be written', unsettled);
    expect((await bench.client.export(request)).code).toBe(UNAVAILABLE);

    room(pid);
    await bench.insist(request);
    await until('it is ready', async () => (await bench.get('readyz')).status === 200);
    await bench.delivered();
    const once = ['run', 'complete'];
    expect(bench.reported()).toEqual(
      new Map([
        [jobUid(1), once],
        [jobUid(2), once],
      ]),
    );
    const messages = bench.log().map(({ msg }) => msg);
    const about = messages.filter((msg) => String(msg).startsWith('the store'));
    expect(about).toEqual([
      'the store cannot commit: exports are refused, and the Collector keeps them',
      'the store commits again',
    ]);
    expect(messages.length).toBeLessThan(6);
  });
});
