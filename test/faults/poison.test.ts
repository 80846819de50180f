import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../e2e/harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Rewriter } from './rewriter.ts';
import { startRewriter } from './rewriter.ts';
import type { Stage } from './stage.ts';
import { expectTold, runs, setStage } from './stage.ts';

/** No API server accepts what the core cannot process: a time at the end of JavaScript's calendar, in a time zone. */
const CREATED = /(?<=creationTimestamp.{4})\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gs;
const AT_THE_END = '+275760-09-12T00:00Z';
const AUDITS = 3;

let stage: Stage;
let rewriter: Rewriter;
let poisoning = true;
let poisoned = 0;

/** Versions of one CronJob on their way from the Collector. */
function poison(request: Buffer): Buffer | undefined {
  const text = request.toString('latin1');
  if (!poisoning || !text.includes('jobTemplate') || !text.includes('poisonous')) return undefined;
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

async function metric(name: string, ...labels: readonly string[]): Promise<number> {
  const text = await (await fetch(`${stage.bridge.pageUrl}metrics`)).text();
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const audits = (): Promise<number> => metric('lifecycle_bridge_lists_total', 'kind="CronJob"', 'result="complete"');

async function auditsMore(count: number): Promise<void> {
  const before = await audits();
  await until('the audits', async () => (await audits()) >= before + count, 120_000);
}

describe('an object that the core cannot process', () => {
  it('is one quarantine row and no work for the audit; the rest of its batch is taken, and its next version', async () => {
    const { kube, bridge, vendors } = stage;
    const workload = { name: 'poisonous', pod: { run: '1s' } };
    const object = cronJob(workload) as { spec: object };
    const inBerlin = (schedule: string): object => ({
      ...object,
      spec: { ...object.spec, timeZone: 'Europe/Berlin', schedule },
    });
    const quarantined = (): Promise<number> => metric('lifecycle_bridge_quarantined_total');
    // A LIST may be quicker than the stream and bring a version that is in order: then the next one is poisoned.
    let n = 0;
    while ((await quarantined()) === 0) {
      n++;
      await kube.apply(inBerlin(`0 0 ${n} 1 *`));
      await kube.apply(cronJob({ name: 'follows', schedule: `0 0 ${n} 2 *` }));
      const inTime = until('quarantine', async () => (await quarantined()) > 0);
      await inTime.catch((error: unknown) => {
        if (n === 20) throw error;
      });
    }
    // On a busy machine an earlier version may be the one that is in quarantine, with the next still on its way.
    await until('every version came through', () => poisoned >= n);
    poisoning = false;
    const beside = await runs(stage, 'beside', 3);
    await expectTold(stage, beside);
    const versions = await quarantined();
    // What the control plane notes of the runs a LIST may find before the stream brings it.
    const noted = async (): Promise<unknown> => (await kube.get('cronjob/beside-ok')).status?.['lastSuccessfulTime'];
    await until('their success is noted', async () => (await noted()) !== undefined);
    await auditsMore(2);
    const found = await metric('lifecycle_bridge_audit_differences_total', 'kind="CronJob"');
    const { uid } = (await kube.get('cronjob/poisonous')).metadata;
    await auditsMore(AUDITS);
    const drops = (await (await fetch(`${bridge.pageUrl}api/drops`)).json()) as { items: { subject?: string }[] };
    expect(drops.items.filter(({ subject }) => subject === uid)).toEqual([
      expect.objectContaining({ kind: 'quarantine', reason: 'core_error' }),
    ]);
    expect(await quarantined()).toBe(versions);
    expect(await metric('lifecycle_bridge_audit_differences_total', 'kind="CronJob"')).toBe(found);
    await kube.apply(inBerlin('0 0 1 3 *'));
    await until('its next version is taken', () =>
      [...vendors.cronitor.monitors.values()].some(
        ({ name, schedule }) => name?.endsWith('/poisonous') === true && schedule === '0 0 1 3 *',
      ),
    );
    await expectTold(stage, [{ job: await kube.runCronJob('poisonous', 'poisonous-0'), end: 'complete' }]);
    expect(await quarantined()).toBe(versions);
  });
});
