import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import type { Proxy } from './proxy.ts';
import { startProxy } from './proxy.ts';
import type { Stage } from './stage.ts';
import { during, expectReported, random, runs, SEED, setStage, SHORT, startRun } from './stage.ts';

let stage: Stage;
let proxy: Proxy;

beforeAll(async () => {
  const between = async (bridge: string): Promise<string> => (proxy = await startProxy(bridge)).endpoint;
  stage = await setStage('transport', { between });
});
afterAll(async () => {
  await stage.close();
  await proxy.close();
});

describe('nothing is lost and nothing is reported twice', () => {
  it('when the network between Collector and bridge is cut again and again', async () => {
    const next = random(SEED);
    const chain = runs(stage, 'cut', SHORT ? 15 : 60, () => pause(next() * 1_500), { vanish: true });
    const started = await during(chain, async () => {
      proxy.set('pass');
      await pause(next() * 2_000);
      // Held answers of what the bridge has committed, or held requests; then both are lost.
      proxy.set(next() < 0.5 ? 'mute' : 'stall');
      await pause(next() * 1_000);
      if (next() < 0.2) return; // they arrive late
      proxy.set('cut');
      await pause(next() * 2_000);
    });
    proxy.set('pass');
    const committed = (): Promise<number> =>
      readMetric(`${stage.bridge.pageUrl}metrics`, 'lifecycle_bridge_requests_total{outcome="committed"');
    /** One more run, until the bridge has taken something. */
    const oneMore = async (): Promise<void> => {
      const before = await committed();
      started.push(await startRun(stage, 'cut', started.length));
      await until('a request arrives', async () => (await committed()) > before, 120_000);
    };
    // Whatever the seed did, one answer is lost.
    await oneMore();
    proxy.set('mute');
    await oneMore();
    proxy.set('cut');
    proxy.set('pass');
    await expectReported(stage, started);
    const acknowledged = readMetric(stage.collector.metricsUrl, 'otelcol_exporter_sent_log_records');
    const lost = (await committed()) - (await acknowledged);
    console.log(`${lost} requests were committed and their answer was lost`);
    expect(lost).toBeGreaterThan(0);
  });

  it('when two Collectors send at once', async () => {
    const second = await stage.secondCollector();
    const started = await runs(stage, 'two', 12, () => pause(200));
    await expectReported(stage, started);
    await second.stop();
    await nothingWaits();
    await expectReported(stage, started);
  });
});

/** A second ping would be on its way. */
async function nothingWaits(): Promise<void> {
  const metrics = `${stage.bridge.pageUrl}metrics`;
  const pending = (): Promise<number> => readMetric(metrics, 'lifecycle_bridge_outbox_pending');
  await until('nothing waits to be delivered', async () => (await pending()) === 0);
}
