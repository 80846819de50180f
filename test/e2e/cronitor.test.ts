import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectRun, RUNS } from './cronitor/runs.ts';
import { CronitorStage, type Place } from './cronitor/stage.ts';
import { storm } from './cronitor/storm.ts';
import { expectUpstream, UPSTREAM } from './cronitor/upstream.ts';
import { clusterScript } from '../harness/cluster.ts';
import { type KubeObject, until } from '../harness/kube.ts';
import { cronJob, type Workload } from './workloads.ts';

const stage = new CronitorStage();
beforeAll(async () => {
  await stage.build();
  await stage.kubes.upstream.apply(...UPSTREAM);
  await stage.start();
});
afterAll(() => stage.close());

const monitor = (key: string) => stage.vendors.cronitor.monitors.get(key);
const expectMonitor = (what: string, key: string, check: (found: NonNullable<ReturnType<typeof monitor>>) => boolean) =>
  until(what, () => {
    const found = monitor(key);
    return found !== undefined && check(found);
  });
const isPaused = (key: string) => monitor(key)?.paused === true;

async function make(place: Place, workload: Workload): Promise<KubeObject> {
  const kube = stage.kubes[place];
  await kube.apply(cronJob({ pod: { run: '1s' }, ...workload }));
  return kube.get(`cronjob/${workload.name}`);
}

/** A run from its beginning until Cronitor has its success. */
async function whole(place: Place, name: string, number = 1): Promise<KubeObject> {
  const job = await stage.run(place, name, number);
  await stage.untilReported(job, 'complete');
  expect(stage.states(job)).toEqual(['run', 'complete']);
  return job;
}

/** Bodies of the PUTs that hold one of the monitors. */
const putsOf = (keys: readonly string[]): Record<string, unknown>[][] =>
  stage.vendors.requests
    .filter(({ method, body }) => method === 'PUT' && keys.some((key) => body.includes(`"${key}"`)))
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>[]);

const upstreamKeys = async (): Promise<string[]> => {
  const cronJobs = await stage.kubes.upstream.list('cronjobs');
  return [...cronJobs.map(({ metadata }) => metadata.uid), 'my-custom-id'];
};

describe('the checks of cronitor-kubernetes itself (verify-e2e.sh)', () => {
  it('eight CronJobs before the start are one PUT with seven monitors', async () => {
    await until('every monitor is there', () => stage.vendors.cronitor.monitors.size === 7);
    expectUpstream(stage);
  });
});

describe.concurrent('scenarios side by side', () => {
  it.each(RUNS)('$title', async (scenario) => {
    const { name, cronitor = {}, pod = {}, job = {}, states } = scenario;
    const owner = await make('main', { name, cronitor, pod: { run: '1s', ...pod }, job });
    const run = await stage.run('main', name);
    const over = await stage.over(run);
    await stage.untilReported(run, states.at(-1)!);
    expectRun(stage, scenario, owner, over);
  });

  it('8 a dry run sends nothing and says what it would have sent', async () => {
    const { metadata } = await make('dry', { name: 'dry' });
    const job = await stage.run('dry', 'dry');
    expect(await stage.dropped('dry', job)).toEqual(['dry_run', 'dry_run']);
    const about = stage.vendors.requests.filter(({ path, body }) => (path + body).includes(metadata.uid));
    expect([about, stage.pings(job)]).toEqual([[], []]);
  });

  it('9 what is outside of the scope is not seen', async () => {
    const { metadata } = await make('outside', { name: 'outside' });
    const job = await stage.run('outside', 'outside');
    await stage.over(job);
    await make('main', { name: 'inside' });
    await whole('main', 'inside');
    expect([monitor(metadata.uid), stage.pings(job)]).toEqual([undefined, []]);
    expect((await fetch(`${stage.bridge.pageUrl}api/runs/${job.metadata.uid}`)).status).toBe(404);
  });

  it('10 an account with defaultBehavior exclude takes what says include, and says why not the others', async () => {
    const { metadata } = await make('optin', { name: 'left-out' });
    const job = await stage.run('optin', 'left-out');
    await make('optin', { name: 'taken', cronitor: { include: 'true' } });
    await whole('optin', 'taken');
    expect(await stage.dropped('optin', job)).toEqual(['not_selected', 'not_selected']);
    expect([monitor(metadata.uid), stage.pings(job)]).toEqual([undefined, []]);
  });

  it('11 a time zone that is added, changed and removed is that of the monitor', async () => {
    const { uid } = (await make('main', { name: 'zoned' })).metadata;
    await expectMonitor('no zone', uid, (found) => 'timezone' in found && found.timezone === 'UTC');
    for (const timeZone of ['America/New_York', 'Europe/Berlin']) {
      await stage.patch('main', 'zoned', { spec: { timeZone } });
      await expectMonitor(timeZone, uid, (found) => 'timezone' in found && found.timezone === timeZone);
    }
    await stage.patch('main', 'zoned', { spec: { timeZone: null } });
    await expectMonitor('no zone again', uid, (found) => 'timezone' in found && found.timezone === 'UTC');
  });

  it('12 exclude pauses the monitor and hides the runs, until it is taken away', async () => {
    const { uid } = (await make('main', { name: 'toggled' })).metadata;
    await whole('main', 'toggled', 1);
    const exclude = (value: string | null) =>
      stage.patch('main', 'toggled', { metadata: { annotations: { 'k8s.cronitor.io/exclude': value } } });
    await exclude('true');
    await until('it is paused', () => isPaused(uid));
    const hidden = await stage.run('main', 'toggled', 2);
    expect(await stage.dropped('default', hidden)).toEqual(['not_selected', 'not_selected']);
    await exclude(null);
    await expectMonitor('it goes on', uid, ({ paused }) => paused === false);
    await whole('main', 'toggled', 3);
    expect(stage.pings(hidden)).toEqual([]);
  });

  it('13 a pod that fails and one that succeeds after it: one run, one complete', async () => {
    await make('main', { name: 'recovers', pod: { run: '30s' }, job: { backoffLimit: 2 } });
    const job = await stage.run('main', 'recovers');
    await stage.failFirstPod(job);
    await stage.untilReported(job, ['complete', 'fail']);
    expect((await stage.over(job)).status).toMatchObject({ failed: 1, succeeded: 1 });
    expect(stage.states(job)).toEqual(['run', 'complete']);
  });

  it('a Job deleted while it is active: one run, one fail that says cancelled', async () => {
    await make('main', { name: 'deleted', pod: { run: '600s' } });
    const job = await stage.run('main', 'deleted');
    await stage.untilReported(job, 'run');
    await stage.kubes.main.delete(`job/${job.metadata.name}`);
    await stage.untilReported(job, 'fail');
    expect(stage.pings(job).map(({ state, message }) => [state, message])).toEqual([
      ['run', undefined],
      ['fail', 'cancelled'],
    ]);
  });

  it('16 an exclude that is not a boolean stops nobody: the CronJob is monitored', async () => {
    const { uid } = (await make('main', { name: 'no-boolean', cronitor: { exclude: 'yes' } })).metadata;
    await whole('main', 'no-boolean');
    expect(monitor(uid)?.name).toBe(`${stage.kubes.main.namespace}/no-boolean`);
    await until('it is ready', async () => (await fetch(`${stage.bridge.pageUrl}readyz`)).status === 200);
  });

  it('17 annotations alone that change are the monitor`s at once, and the next run`s', async () => {
    const { uid } = (await make('main', { name: 'annotated' })).metadata;
    await whole('main', 'annotated', 1);
    const annotations = { 'k8s.cronitor.io/name': 'Another name', 'k8s.cronitor.io/env': 'qa' };
    await stage.patch('main', 'annotated', { metadata: { annotations } });
    await expectMonitor('its name', uid, ({ name }) => name === 'Another name');
    const job = await whole('main', 'annotated', 2);
    expect(stage.pings(job).map(({ env }) => env)).toEqual(['qa', 'qa']);
  });

  it('19 a ping that is answered with 429 or 500 is sent again until each has arrived once', async () => {
    const { uid } = (await make('main', { name: 'refused' })).metadata;
    const of = (state: string) => [`/${uid}?`, `state=${state}`];
    stage.vendors.inject({ match: of('run'), status: 429, retryAfter: 1 });
    stage.vendors.inject({ match: of('complete'), status: 500, times: 2 });
    const job = await whole('main', 'refused');
    const sent = stage.vendors.requests.filter(({ path }) => path.includes(job.metadata.uid));
    expect(sent.map(({ status }) => status)).toEqual([429, 200, 500, 500, 200]);
  });

  it('21 Events of Kubernetes that come again, change or are deleted change nothing', async () => {
    await make('main', { name: 'eventful' });
    const job = await whole('main', 'eventful', 1);
    const kube = stage.kubes.main;
    const about = `--field-selector=involvedObject.uid=${job.metadata.uid}`;
    const names = await until('the Events SuccessfulCreate and Completed', async () => {
      const events = await kube.kubectl(['get', 'events', about, '-o', 'name']);
      const names = events.split('\n').filter((name) => name !== '');
      return names.length >= 2 && names;
    });
    for (const name of names) await kube.kubectl(['patch', name, '--type=merge', '-p', '{"count":7}']);
    await kube.kubectl(['delete', ...names]);
    await whole('main', 'eventful', 2);
    expect(stage.states(job)).toEqual(['run', 'complete']);
  });

  it('23 a suspended CronJob pauses its monitor, a resumed one resumes it, a deleted one pauses it', async () => {
    const { uid } = (await make('main', { name: 'suspended' })).metadata;
    await expectMonitor('its monitor', uid, ({ paused }) => paused !== true);
    await stage.patch('main', 'suspended', { spec: { suspend: true } });
    await until('it is paused', () => isPaused(uid));
    await stage.patch('main', 'suspended', { spec: { suspend: false } });
    await expectMonitor('it goes on', uid, ({ paused }) => paused === false);
    await stage.kubes.main.delete('cronjob/suspended');
    await until('it is paused again', () => isPaused(uid));
  });

  it('storm: 60 CronJobs that fire in the same minute are all reported, once, within the limits', async () => {
    expect(await storm(stage, 60)).toHaveLength(60);
  });
});

describe('the other check of cronitor-kubernetes itself (verify-dynamic-update.sh)', () => {
  it('a schedule that is patched is at Cronitor within ten seconds', async () => {
    const { uid } = (await make('main', { name: 'patched' })).metadata;
    await expectMonitor('its monitor', uid, () => true);
    await stage.patch('main', 'patched', { spec: { schedule: '0 1 1 1 *' } });
    await until('its schedule', () => monitor(uid)?.schedule === '0 1 1 1 *', 10_000);
    expect(putsOf([uid]).at(-1)).toHaveLength(1);
  });
});

describe('scenarios that disturb all', () => {
  it('18 monitors that could not be sent are sent again, and telemetry waits for them', async () => {
    stage.vendors.inject({ match: 'PUT /api/monitors', status: 500, times: Infinity });
    const { uid } = (await make('main', { name: 'unwanted' })).metadata;
    const job = await stage.run('main', 'unwanted');
    await stage.over(job);
    const isRefused = () =>
      stage.vendors.requests.some(({ body, status }) => status === 500 && body.includes(`"${uid}"`));
    await until('it was refused', isRefused);
    expect(stage.pings(job)).toEqual([]);
    stage.vendors.heal();
    await stage.untilReported(job, 'complete');
    expect(stage.states(job)).toEqual(['run', 'complete']);
  });

  it('20 a watch that ends before the Job does and stands again after it has its end reported once', async () => {
    await make('main', { name: 'unwatched', pod: { run: '3s' } });
    const job = await stage.run('main', 'unwatched');
    await stage.untilReported(job, 'run');
    process.kill(stage.collector.pid, 'SIGSTOP');
    try {
      // What is sent to one that sleeps would wait in its sockets.
      await clusterScript(stage.cluster, 'restart', 'apiserver');
      await stage.over(job);
    } finally {
      process.kill(stage.collector.pid, 'SIGCONT');
    }
    await stage.untilReported(job, 'complete');
    await whole('main', 'unwatched', 2);
    expect(stage.states(job)).toEqual(['run', 'complete']);
  });

  it('24 SIGTERM lets what is under way end, and nothing of it is sent again', async () => {
    const { uid } = (await make('main', { name: 'drained' })).metadata;
    stage.vendors.inject({ match: [`/${uid}?`, 'state=run'], delayMs: 500 });
    const job = await stage.run('main', 'drained');
    await stage.untilReported(job, 'run');
    expect(await stage.bridge.stop()).toBe(0);
    await stage.bridge.start();
    await stage.untilReported(job, 'complete');
    expect(stage.states(job)).toEqual(['run', 'complete']);
  });

  it('25 a run that ends while the bridge is away is reported when it is back, at its own time', async () => {
    await make('main', { name: 'unattended', pod: { run: '3s' } });
    const job = await stage.run('main', 'unattended');
    await stage.untilReported(job, 'run');
    await stage.bridge.stop();
    const { status } = await stage.over(job);
    await stage.bridge.start();
    await stage.untilReported(job, 'complete');
    const [first, last, ...more] = stage.pings(job);
    expect([first!.state, last!.state, more]).toEqual(['run', 'complete', []]);
    expect(Number(last!.stamp)).toBe(Date.parse(String(status?.['completionTime'])) / 1000);
  });
});

describe('afterwards', () => {
  it('the eight CronJobs of the start were sent once, although they fired every minute', async () => {
    const keys = await upstreamKeys();
    expect(putsOf(keys)).toHaveLength(1);
    const jobs = await stage.kubes.upstream.list('jobs');
    expect(jobs.length).toBeGreaterThanOrEqual(7);
  });

  it('no rule of the vendor was broken, no monitor made by a ping, nothing reported twice', () => {
    const { violations, autoCreated, pings } = stage.vendors.cronitor;
    expect([violations, autoCreated]).toEqual([[], []]);
    const reported = pings.map(({ query }) => `${query.series} ${query.state} ${query.message ?? ''}`);
    expect(reported.toSorted()).toEqual([...new Set(reported)].toSorted());
  });
});
