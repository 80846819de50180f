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
let poisoned = 0;

/** The first version of one CronJob on its way from the Collector. */
function poison(request: Buffer): Buffer | undefined {
  const text = request.toString('latin1');
  if (poisoned > 0 || !text.includes('jobTemplate') || !text.includes('poisonous')) return undefined;
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
    await auditsMore(1);
    const found = await metric('lifecycle_bridge_audit_differences_total', 'kind="CronJob"');
    await kube.apply(inBerlin('0 0 1 1 *'));
    const beside = await runs(stage, 'beside', 3);
    await expectTold(stage, beside);
    const { uid } = (await kube.get('cronjob/poisonous')).metadata;
    await auditsMore(AUDITS);
    const drops = (await (await fetch(`${bridge.pageUrl}api/drops`)).json()) as { items: { subject?: string }[] };
    expect(drops.items.filter(({ subject }) => subject === uid)).toEqual([
      expect.objectContaining({ kind: 'quarantine', reason: 'core_error' }),
    ]);
    expect(await metric('lifecycle_bridge_quarantined_total')).toBe(1);
    expect(await metric('lifecycle_bridge_audit_differences_total', 'kind="CronJob"')).toBe(found);
    await kube.apply(inBerlin('0 0 2 1 *'));
    await until('its monitor is made', () =>
      [...vendors.cronitor.monitors.values()].some(({ name }) => name?.endsWith('/poisonous') === true),
    );
    await kube.runCronJob('poisonous', 'poisonous-0');
    await expectTold(stage, [{ job: await kube.get('job/poisonous-0'), end: 'complete' }]);
    expect(await metric('lifecycle_bridge_quarantined_total')).toBe(1);
  });
});
