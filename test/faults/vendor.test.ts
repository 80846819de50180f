import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, makeCronJobs, random, runs, SEED, setStage, SHORT, startRun } from './stage.ts';

const DOWN_MS = 60_000;
const RUN_IS_GIVEN_UP_MS = 180_000;
const KEY_IS_WRONG_MS = 20_000;

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('vendor');
});
afterAll(() => stage.close());

/** `state stamp` of every ping of a run that the vendor processed; with `lost`, of those whose answer was lost. */
function pings({ job }: Started, lost = false): string[] {
  return stage.vendors.requests
    .filter((request) => request.path.startsWith('/ping/') && (lost ? request.lost : request.lost || isOk(request)))
    .map(({ path }) => new URL(path, 'http://vendors').searchParams)
    .filter((query) => query.get('series') === job.metadata.uid)
    .map((query) => `${query.get('state')} ${query.get('stamp')}`);
}

function isOk({ status }: { readonly status: number }): boolean {
  return status === 200;
}

/** Each ping once, and once more for each of its answers that was lost, with the same identifiers, in order. */
function expectAccounted(started: readonly Started[]): void {
  for (const run of started) {
    const all = pings(run);
    const lost = pings(run, true);
    const once = [...new Set(all)];
    expect(once.map((ping) => ping.split(' ')[0])).toEqual(['run', run.end]);
    for (const ping of once) {
      const times = (list: readonly string[]): number => list.filter((other) => other === ping).length;
      expect(times(all), `${ping} of ${run.job.metadata.name}, seed ${SEED}`).toBe(1 + times(lost));
    }
  }
}

// Short, test/replay/faults and the simulation show it.
describe.skipIf(SHORT)('nothing is lost and nothing is reported twice', () => {
  it('when the vendor is down for a minute, then says 429, then loses answers', async () => {
    const { vendors } = stage;
    const next = random(SEED);
    await makeCronJobs(stage, 'vendor');
    const started = [await startRun(stage, 'vendor', 0)];
    await expectReported(stage, started);
    await vendors.down();
    const end = Date.now() + DOWN_MS;
    for (let n = 1; n < 9; n++) started.push(await startRun(stage, 'vendor', n));
    await pause(Math.max(0, end - Date.now()));
    vendors.inject({ match: '/ping/', times: 5, status: 429, retryAfter: 2 });
    vendors.inject({ match: '/ping/', times: 3 + Math.floor(next() * 5), resetAfterProcessing: true });
    await vendors.up();
    for (let n = 9; n < 15; n++) started.push(await startRun(stage, 'vendor', n));
    await expectReported(stage, started, { repeats: true });
    await until('the last lost answer is repeated', () =>
      started.every((run) => pings(run).length >= 2 + pings(run, true).length),
    );
    expect(vendors.requests.filter(({ lost }) => lost).length).toBeGreaterThan(2);
    expectAccounted(started);
  });

  it('when the vendor does not know the API key for a while', async () => {
    const { cronitor, key } = stage.vendors;
    const before = await runs(stage, 'key', 3);
    await expectReported(stage, before);
    cronitor.keys.delete(key);
    const started: Started[] = [];
    for (let n = 3; n < 9; n++) started.push(await startRun(stage, 'key', n));
    await pause(KEY_IS_WRONG_MS);
    await until('a ping was refused', () => cronitor.violations.some(({ kind }) => kind === 'auth'));
    cronitor.keys.add(key);
    await expectReported(stage, started);
  });
});

it.skipIf(SHORT)(
  'a run that one monitor answers with 500 for ever is given up and listed; its end and all others arrive within 3 minutes',
  async () => {
    const { kube, vendors, bridge } = stage;
    await kube.apply(cronJob({ name: 'broken', pod: { run: '1s', exit: '3' }, job: { backoffLimit: 0 } }));
    const monitor = await until('its monitor is made', () =>
      [...vendors.cronitor.monitors.values()].find(({ name }) => name?.endsWith('/broken') === true),
    );
    vendors.inject({ match: [`/${monitor.key}?`, 'state=run'], times: Infinity, status: 500 });
    const began = Date.now();
    const broken: Started = { job: await kube.runCronJob('broken', 'broken-0'), end: 'fail' };
    const others = await runs(stage, 'other', 9);
    await expectReported(stage, others);
    expect(pings(broken)).toEqual([]);
    await until('the end arrives', () => pings(broken).length > 0, RUN_IS_GIVEN_UP_MS - (Date.now() - began));
    expect(pings(broken).map((ping) => ping.split(' ')[0])).toEqual(['fail']);
    const dropped = (await (await fetch(`${bridge.pageUrl}api/deliveries?status=dropped`)).json()) as {
      items: readonly { status: string; reason: string; transitionId: string }[];
    };
    const superseded = dropped.items.filter(({ reason }) => reason === 'superseded');
    expect(superseded.map(({ transitionId }) => transitionId)).toEqual([
      expect.stringContaining(broken.job.metadata.uid) as string,
    ]);
    const page = await (await fetch(`${bridge.pageUrl}api/drops`)).text();
    expect(page).toContain('superseded');
    vendors.heal();
  },
);
