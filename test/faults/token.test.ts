import { status } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { connectOtlp } from '../otlp-client.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, makeCronJobs, setStage, startRun } from './stage.ts';

/** No more than the Jobs that their CronJob keeps: what a restarting Collector does not see, the audit must. */
const RUNS = 3;
const dir = mkdtempSync(join(tmpdir(), 'faults-token-'));
const bridgeFile = join(dir, 'tokens');
const collectorFile = join(dir, 'token');
let stage: Stage;

beforeAll(async () => {
  writeFileSync(bridgeFile, 'first\n');
  writeFileSync(collectorFile, 'first');
  const env = { LIFECYCLE_BRIDGE__OTLP__TOKEN_FILE: bridgeFile };
  stage = await setStage('token', { env, tokenFile: collectorFile });
});
afterAll(async () => {
  await stage.close();
  rmSync(dir, { recursive: true });
});

const unauthorized = (): Promise<number> =>
  readMetric(`${stage.bridge.pageUrl}metrics`, 'lifecycle_bridge_requests_total{outcome="unauthorized"}');

/** Records of exports that the Collector gave up. */
const dropped = (): Promise<number> =>
  readMetric(stage.collector.metricsUrl, 'otelcol_exporter_send_failed_log_records');

/** Runs from start to end. */
async function endedRuns(name: string, from: number, count: number): Promise<Started[]> {
  const started: Started[] = [];
  for (let n = from; n < from + count; n++) started.push(await startRun(stage, name, n));
  for (const { job, end } of started)
    await stage.kube.wait(`job/${job.metadata.name}`, `condition=${end === 'fail' ? 'Failed' : 'Complete'}`, 120_000);
  return started;
}

async function untilRefused(token: string): Promise<void> {
  const client = connectOtlp(stage.bridge.endpoint, { token });
  const refused = async (): Promise<boolean> => (await client.export(new Uint8Array())).code === status.UNAVAILABLE;
  await until('the bridge has read its file', refused, 60_000).finally(() => client.close());
}

async function expectRefused(before: number): Promise<void> {
  await until('exports are refused', async () => (await unauthorized()) > before, 60_000);
  expect(await dropped()).toBe(0);
  const ready = (await (await fetch(`${stage.bridge.pageUrl}readyz`)).json()) as object;
  expect(ready).toMatchObject({ otlp: { unauthorized: { lastWhy: 'no accepted bearer token' } } });
  expect(await (await fetch(stage.bridge.pageUrl)).text()).toContain('no accepted bearer token');
}

describe('nothing is lost and nothing is reported twice', () => {
  it('when the Collector changes its token first: the bridge follows its file and takes what waited', async () => {
    await makeCronJobs(stage, 'collector-first');
    const started = [await startRun(stage, 'collector-first', 0)];
    await expectReported(stage, started);
    const before = await unauthorized();
    writeFileSync(collectorFile, 'second');
    await stage.collector.restart();
    const waiting = await endedRuns('collector-first', 1, RUNS);
    // From now on only the Collector's queue knows of them.
    for (const { job } of waiting) await stage.kube.delete(`job/${job.metadata.name}`);
    await expectRefused(before);
    writeFileSync(bridgeFile, 'second\n');
    await expectReported(stage, [...started, ...waiting]);
    expect(await dropped()).toBe(0);
  });

  it('when the bridge changes its tokens first: the Collector keeps what is refused, over its own restart', async () => {
    await makeCronJobs(stage, 'bridge-first');
    const started = [await startRun(stage, 'bridge-first', 0)];
    await expectReported(stage, started);
    writeFileSync(bridgeFile, 'third\n');
    await untilRefused('second');
    const before = await unauthorized();
    const waiting = await endedRuns('bridge-first', 1, RUNS);
    await expectRefused(before);
    writeFileSync(collectorFile, 'third');
    await stage.collector.restart();
    await expectReported(stage, [...started, ...waiting]);
  });
});
