import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Rewriter } from './rewriter.ts';
import { startRewriter } from './rewriter.ts';
import type { Stage } from './stage.ts';
import { expectReported, runs, setStage, SHORT } from './stage.ts';

/** No API server sends it: a time at the end of JavaScript's calendar, which once hung the thread of the store. */
const CREATED = /(?<=creationTimestamp.{4})\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gs;
const AT_THE_END = '+275760-09-12T00:00Z';

let stage: Stage;
let rewriter: Rewriter;
let poisoned = 0;

/** Versions of one CronJob on their way from the Collector. */
function poison(request: Buffer): Buffer | undefined {
  const text = request.toString('latin1');
  if (!text.includes('jobTemplate') || !text.includes('poisonous')) return undefined;
  poisoned++;
  return Buffer.from(text.replaceAll(CREATED, AT_THE_END), 'latin1');
}

beforeAll(async () => {
  const between = async (bridge: string): Promise<string> => {
    rewriter = await startRewriter(bridge, poison);
    return rewriter.endpoint;
  };
  stage = await setStage('poison', { between, env: { LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '15s' } });
});
afterAll(async () => {
  await stage.close();
  rewriter.stop();
});

const quarantined = () => readMetric(`${stage.bridge.pageUrl}metrics`, 'lifecycle_bridge_quarantined_total');

// Short, kubernetes/bounds shows it.
it.skipIf(SHORT)(
  'a time that no API server sends harms nothing: its CronJob and those beside it are followed as any other',
  async () => {
    const { kube, vendors } = stage;
    const workload = { name: 'poisonous', pod: { run: '1s' } };
    const object = cronJob(workload) as { spec: object };
    const isTaken = (schedule: string): boolean =>
      [...vendors.cronitor.monitors.values()].some(
        (monitor) => monitor.name?.endsWith('/poisonous') === true && monitor.schedule === schedule,
      );
    for (const schedule of ['0 0 1 1 *', '0 0 31 2 *', '0 0 1 3 *']) {
      await kube.apply({ ...object, spec: { ...object.spec, timeZone: 'Europe/Berlin', schedule } });
      await until(`its monitor has ${schedule}`, () => isTaken(schedule), 120_000);
    }
    await until('its versions came through', () => poisoned > 0, 120_000);
    await expectReported(stage, await runs(stage, 'beside', 3));
    await expectReported(stage, [{ job: await kube.runCronJob('poisonous', 'poisonous-0'), end: 'complete' }]);
    expect(await quarantined()).toBe(0);
  },
);
