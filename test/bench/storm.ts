import { Releases } from '../../bridge/lib/releases.ts';
import type { KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import { machine, printTable, quantile, round, say } from './measure.ts';
import type { Stage } from './stage.ts';
import { setStage, usage } from './stage.ts';

/**
 * CronJobs that all fire in the same minute: whether Cronitor hears of each run once, within its limits, and how late.
 * Everything is real but the vendor and the kubelet. About five minutes; the argument is another number of CronJobs:
 * `npm run bench:storm -- 60`. Ends with 1 when something is missing, reported twice or over a limit.
 */
const CRON_JOBS = Number(process.argv[2] ?? 500);
/** The minute begins so much later, at least: every CronJob is made, and every monitor accepted, by then. */
const AHEAD_MS = 30_000 + CRON_JOBS * 120;
const REPORTED_MS = 300_000;

interface Delays {
  readonly reported: 'run' | 'complete';
  /** From the time in the Job, which is in whole seconds: up to a second of it is not a delay. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** From the moment at which a plain watch saw it. */
  readonly watchP50Ms: number;
  readonly watchP99Ms: number;
}

/** The whole minute in which the storm begins, in ms. */
const minute = Math.ceil((Date.now() + AHEAD_MS) / 60_000) * 60_000;

async function makeCronJobs({ kube, vendors }: Stage): Promise<void> {
  const at = new Date(minute);
  const schedule = `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
  const names = Array.from({ length: CRON_JOBS }, (_, number) => `storm-${number}`);
  const spec = { timeZone: 'Etc/UTC' };
  await kube.apply(...names.map((name) => cronJob({ name, schedule, spec, pod: { run: '1s' } })));
  await until('every monitor is there', () => vendors.cronitor.monitors.size === CRON_JOBS, REPORTED_MS);
  if (Date.now() >= minute) throw new Error('the minute began before every monitor was there: the machine is too busy');
}

/** `UID STATE` of every ping with the times of its arrival. */
function arrivals({ vendors }: Stage): Map<string, number[]> {
  const arrived = new Map<string, number[]>();
  for (const { at, query } of vendors.cronitor.pings) {
    const key = `${query.series} ${query.state}`;
    arrived.set(key, [...(arrived.get(key) ?? []), at]);
  }
  return arrived;
}

/** The Jobs when all of them are over and reported, or when it took too long. */
async function weather(stage: Stage): Promise<readonly KubeObject[]> {
  await until('the minute', () => Date.now() >= minute, AHEAD_MS + 120_000);
  say('the minute begins');
  let jobs: readonly KubeObject[] = [];
  const isOver = async (): Promise<boolean> => {
    const arrived = arrivals(stage);
    if (arrived.size < 2 * CRON_JOBS) return false;
    jobs = await stage.kube.list('jobs');
    return jobs.length >= CRON_JOBS && jobs.every(({ metadata }) => arrived.has(`${metadata.uid} complete`));
  };
  // The figures show what is missing.
  await until('every run is reported', isOver, REPORTED_MS).catch((error: unknown) => say(String(error)));
  return jobs.length > 0 ? jobs : stage.kube.list('jobs');
}

function delays(stage: Stage, jobs: readonly KubeObject[], reported: 'run' | 'complete'): Delays {
  const arrived = arrivals(stage);
  const times = jobs.flatMap(({ metadata, status }) => {
    const key = `${metadata.uid} ${reported}`;
    const at = arrived.get(key)?.[0];
    const time = Date.parse(String(status?.[reported === 'run' ? 'startTime' : 'completionTime']));
    return at === undefined ? [] : [{ byJob: at - time, byWatch: at - (stage.cluster.seen.get(key) ?? Number.NaN) }];
  });
  const byJob = times.map((each) => each.byJob);
  const byWatch = times.map((each) => each.byWatch).filter((ms) => !Number.isNaN(ms));
  return {
    reported,
    p50Ms: Math.round(quantile(byJob, 0.5)),
    p99Ms: Math.round(quantile(byJob, 0.99)),
    maxMs: Math.round(Math.max(...byJob)),
    watchP50Ms: Math.round(quantile(byWatch, 0.5)),
    watchP99Ms: Math.round(quantile(byWatch, 0.99)),
  };
}

/** What has to be 0, and how the storm went by. */
function outcome({ vendors }: Stage, jobs: readonly KubeObject[], arrived: Map<string, number[]>) {
  const keys = jobs.flatMap(({ metadata }) => ['run', 'complete'].map((state) => `${metadata.uid} ${state}`));
  const all = [...arrived.values()].flat().toSorted((a, b) => a - b);
  const perSecond = all.map((at, index) => index - all.findIndex((other) => other > at - 1000) + 1);
  const since = (at: number): number => round((at - minute) / 1000);
  const ends = jobs.map(({ status }) => Date.parse(String(status?.['completionTime'])));
  return {
    missing: 2 * CRON_JOBS - keys.filter((key) => arrived.has(key)).length,
    repeated: all.length - arrived.size,
    otherJobs: jobs.length - CRON_JOBS,
    violations: vendors.cronitor.violations.length,
    autoCreated: vendors.cronitor.autoCreated.length,
    lastJobEndedAfterS: since(Math.max(...ends)),
    lastPingAfterS: since(all.at(-1) ?? Number.NaN),
    mostPingsInASecond: Math.max(...perSecond),
  };
}

const releases = new Releases();
let failed = true;
try {
  const stage = await setStage(releases, { env: {}, addressLimit: true });
  say(`making ${CRON_JOBS} CronJobs`);
  await makeCronJobs(stage);
  const before = usage(stage);
  const jobs = await weather(stage);
  const [controlPlane, collector, bridge] = usage(stage).map((used, at) => round(used - before[at]!));
  const found = outcome(stage, jobs, arrivals(stage));
  const rows = (['run', 'complete'] as const).map((state) => delays(stage, jobs, state));
  const { missing, repeated, otherJobs, violations, autoCreated } = found;
  failed = [missing, repeated, otherJobs, violations, autoCreated].some((count) => count !== 0);
  printTable(rows.map((row) => ({ ...row })));
  const cpuSeconds = { controlPlane, collector, bridge };
  console.log(
    JSON.stringify({ benchmark: 'storm', machine: machine(), cronJobs: CRON_JOBS, ...found, cpuSeconds, rows }),
  );
} finally {
  say('stopping');
  await releases.release((error) => console.error(error));
}
process.exit(failed ? 1 : 0);
