import { describe, expect, it } from 'vitest';
import { desiredContext } from '../../../test/fixtures/desired-context.ts';
import type { Json } from '../../lib/json.ts';
import { cronJob, rules } from './cron-fixtures.ts';
import { monitorConfig, monitorOf } from './monitor.ts';
import { adoptMonitor, cronProblems, monitorKey, parseMonitorKey, planMonitor, retireMonitor } from './plan-monitor.ts';

const context = (previous?: Json) => desiredContext({ previous: () => previous });
const withApi = rules({}, true);

function wanted(job = cronJob(), previous?: Json): Record<string, Json> {
  const [row] = planMonitor(job, context(previous), withApi);
  return row?.wanted as Record<string, Json>;
}

describe('the monitor of a CronJob', () => {
  it('is wanted where there is a token, and only there', () => {
    expect(planMonitor(cronJob(), context(), withApi)).toEqual([
      {
        key: expect.stringMatching(/^monitor\/default\/shop-report-[0-9a-f]{8}$/),
        wanted: { target: {}, name: 'shop/report', monitor: monitorOf(cronJob(), withApi) },
      },
    ]);
    expect(planMonitor(cronJob(), context(), rules())).toEqual([]);
  });

  it('has what the annotations say, then what the settings say', () => {
    const annotated = cronJob({
      'checkin-margin': '90m',
      'max-runtime': '2h',
      'failure-issue-threshold': '3',
      owner: 'team:42',
      'monitor-slug': 'nightly',
      timezone: 'Europe/Berlin',
    });
    const settings = rules({ crons: { checkinMargin: '10m', recoveryThreshold: 2, owner: 'user:1' } });
    expect(monitorOf(annotated, settings)).toMatchObject({
      slug: 'nightly',
      margin: 90,
      maxRuntime: 120,
      failureIssueThreshold: 3,
      recoveryThreshold: 2,
      owner: 'team:42',
      timeZone: 'Europe/Berlin',
    });
    expect(monitorOf(cronJob(), settings)).toMatchObject({ margin: 10, owner: 'user:1' });
  });

  it('is never given a longer max_runtime than Sentry takes', () => {
    expect(monitorOf(cronJob({ 'max-runtime': '40320' }), withApi).maxRuntime).toBe(10_080);
  });

  it('is disabled while the CronJob is suspended, and enabled by us only when we disabled it', () => {
    expect(wanted()).not.toHaveProperty('status');
    const disabled = wanted(cronJob({}, { suspend: true }));
    expect(disabled['status']).toBe('disabled');
    expect(wanted(cronJob(), disabled)['status']).toBe('active');
    expect(wanted(cronJob(), null)['status']).toBe('active');
  });

  it('is disabled when the CronJob is gone, and left alone by onDelete: keep', () => {
    expect(retireMonitor(wanted(), 'unclaimed', withApi)).toMatchObject({ status: 'disabled' });
    const keep = rules({ crons: { onDelete: 'keep' } }, true);
    expect(retireMonitor(wanted(), 'unclaimed', keep)).toBeNull();
    expect(retireMonitor(wanted(), 'left', keep)).toMatchObject({ status: 'disabled' });
  });

  it('is enabled again for a CronJob whose claim is older than the pause', () => {
    expect(adoptMonitor(wanted(), { ...wanted(), status: 'disabled' })).toMatchObject({ status: 'active' });
    expect(adoptMonitor(wanted(), wanted())).toEqual(wanted());
  });

  it('has a key that says where it is', () => {
    for (const target of [{}, { route: 'payments' }])
      expect(parseMonitorKey(monitorKey(target, 'a-slug', withApi)!)).toEqual({ target, slug: 'a-slug' });
    expect(monitorKey({ dsn: 'https://k@host/1' }, 'a-slug', withApi)).toBeUndefined();
    expect(parseMonitorKey('anything')).toBeUndefined();
  });
});

describe('every key of the configuration', () => {
  it('is sent, those without a value too: what is left out stays as it was', () => {
    const config = monitorConfig(monitorOf(cronJob(), rules()), Date.UTC(2027, 0, 1));
    expect(Object.keys(config!).toSorted()).toEqual([
      'checkin_margin',
      'failure_issue_threshold',
      'max_runtime',
      'owner',
      'recovery_threshold',
      'schedule',
      'timezone',
    ]);
  });
});

describe('what is wrong with a CronJob', () => {
  const problems = (job: ReturnType<typeof cronJob>, settings = rules()) =>
    cronProblems(job, settings).map(({ annotation, allowed }) => `${annotation}: ${allowed}`);

  it.each(['123', '0', '', '-a', 'a--b', 'x'.repeat(51)])(
    'is the slug %j, which Sentry would refuse or change',
    (slug) => {
      expect(problems(cronJob({ 'monitor-slug': slug }))).toHaveLength(1);
    },
  );

  it('is each annotation that is not allowed, and the setting counts instead', () => {
    const job = cronJob({
      monitor: 'maybe',
      'monitor-slug': 'Not A Slug',
      environment: 'x'.repeat(65),
      timezone: 'Mars/Olympus',
      'checkin-margin': '90s',
      'max-runtime': '0',
      'failure-issue-threshold': '721',
      'recovery-threshold': 'two',
      owner: 'ada',
    });
    expect(problems(job)).toHaveLength(9);
    expect(monitorOf(job, rules())).toEqual(monitorOf(cronJob(), rules()));
  });

  it('is a schedule that Sentry cannot have, or that may mean something else', () => {
    expect(problems(cronJob({}, { schedule: '@every 90s' }))).toEqual([expect.stringContaining('whole minutes')]);
    expect(problems(cronJob({}, { schedule: 'TZ=Local 0 3 * * *' }))).toEqual([expect.stringContaining('Local')]);
    expect(problems(cronJob({ monitor: 'false' }, { schedule: '@every 90s' }))).toEqual([]);
  });

  it('is a name of digits, where the name would be the slug', () => {
    const named = (annotations = {}) => cronJob(annotations, { name: '2026' });
    const compatible = rules({ crons: { slugs: 'compatible' } });
    expect(problems(named(), compatible)).toEqual([
      expect.stringContaining('metadata.name: a name that is not a number'),
    ]);
    expect(problems(named({ 'monitor-slug': 'year' }), compatible)).toEqual([]);
    expect(problems(named())).toEqual([]);
  });

  it('is that nothing can be paused without a token', () => {
    const suspended = cronJob({}, { suspend: true });
    expect(problems(suspended)).toEqual(['spec.suspend: false: the bridge cannot pause without a token']);
    expect(problems(suspended, withApi)).toEqual([]);
  });
});
