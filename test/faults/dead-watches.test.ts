import { afterAll, beforeAll, expect, it } from 'vitest';
import { clusterScript } from '../harness/cluster.ts';
import { until } from '../harness/kube.ts';
import { serviceAccounts } from './accounts.ts';
import { endAllWatches, KINDS } from './all-watches.ts';
import { ended, trueTimes } from './gap.ts';
import { readMetric } from '../harness/metrics.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, makeCronJobs, onceEach, pingsOf, runs, setStage, SHORT, startRun } from './stage.ts';

/** Long enough that what comes and goes between two LISTs is not in one of them by chance each time. */
const INTERVAL_S = 20;
let stage: Stage;

beforeAll(async () => {
  const env = {
    LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: `${INTERVAL_S}s`,
    LIFECYCLE_BRIDGE__CLUSTER__AUDIT__GRACE: '30s',
  };
  stage = await setStage('dead-watches', { env, accounts: serviceAccounts });
});
afterAll(() => stage.close());

const metric = (name: string) => readMetric(`${stage.bridge.pageUrl}metrics`, `lifecycle_bridge_${name}`);
/** Seconds from the time of each ping's edge, which the object has in whole seconds, until it was at the vendor. */
function lateness(started: readonly Started[]): number[] {
  const uids = new Set<string | undefined>(started.map(({ job }) => job.metadata.uid));
  const pings = stage.vendors.cronitor.pings.filter(({ query }) => uids.has(query.series));
  return pings.map(({ at, query }) => Math.round(at / 100 - Number(query.stamp) * 10) / 10).toSorted((a, b) => a - b);
}

function report(what: string, started: readonly Started[]): void {
  const late = lateness(started);
  const of = (share: number): string => `${late[Math.ceil(late.length * share) - 1]} s`;
  const sample = `${late.length} pings of ${started.length} runs`;
  console.log(`${what}: ${sample}, late by ${of(0.5)} (p50), ${of(0.95)} (p95), ${of(1)} (max)`);
}

it('when every watch ends at once for good, the bridge watches by itself, and a new Collector takes over', async () => {
  const { cluster, bridge } = stage;
  const before = await runs(stage, 'before', 2);
  await expectReported(stage, before);
  const inside = await endAllWatches(stage);

  // Nobody looks: what comes and goes before the next LIST is lost as far as no status proves it, and never reported twice.
  const blind = await runs(stage, 'blind', 3, undefined, { vanish: true });
  const unheard: Started[] = [];
  await makeCronJobs(stage, 'unheard');
  const oneMore = async (): Promise<boolean> => {
    unheard.push(await startRun(stage, 'unheard', unheard.length));
    await expectReported(stage, unheard.slice(-1));
    return (await metric('watch_own{')) === KINDS.length;
  };
  await until('the bridge watches every kind', oneMore, 300_000);

  const watched = await runs(stage, 'watched', 6, undefined, { vanish: true });
  await expectReported(stage, watched);
  // An API server that comes back refuses every account for a moment.
  await clusterScript(cluster, 'restart', 'apiserver');
  const refused = await runs(stage, 'refused', 3, undefined, { vanish: true });
  await expectReported(stage, refused);
  if (!SHORT) {
    const dead = async (): Promise<boolean> => (await metric('watch_dead{')) === KINDS.length;
    await until('the bridge says so', dead, 300_000);
    const page = async (): Promise<string> => (await fetch(bridge.pageUrl)).text();
    await until('the page too', async () => (await page()).includes('the bridge watches Jobs itself'));
  }
  await bridge.kill9();
  await bridge.start();
  await until('a restart ends no doubt', async () => (await metric('watch_own{')) === KINDS.length, 120_000);
  const restarted = await runs(stage, 'restarted', 3, undefined, { keep: true });
  await expectReported(stage, restarted, { repeats: true });
  for (const run of restarted) {
    const stamps = onceEach(pingsOf(stage, run.job)).map((ping) => Number(ping.split(' ')[1]));
    expect(stamps).toEqual(trueTimes(await ended(stage, run)));
  }

  await stage.collector.restart();
  const alive = await runs(stage, 'alive', 3);
  await expectReported(stage, alive);
  await until('the streams live again', async () => (await metric('watch_own{')) === 0, 120_000);
  await expectReported(stage, [...before, ...inside, ...unheard, ...watched, ...refused, ...restarted, ...alive], {
    repeats: true,
  });
  for (const { job, end } of blind) {
    const reported = onceEach(pingsOf(stage, job)).map((ping) => ping.split(' ')[0]);
    expect(['', 'run', `run ${end}`, end]).toContain(reported.join(' '));
  }
  report(`before the bridge watched (LISTs every ${INTERVAL_S} s)`, [...inside, ...blind]);
  report('by the own watch', [...watched, ...refused, ...restarted]);
});
