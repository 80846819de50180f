import { describe, expect, it } from 'vitest';
import type { Transition } from '../../lifecycle/transition.ts';
import type { Planned, RunContext } from '../sink.ts';
import { cronJob, JOB_UID, NOON, planContext, rules, run, transition } from './cron-fixtures.ts';
import { checkInItem } from './check-in.ts';
import { payloadSchema } from './payload.ts';
import { planCron } from './plan-cron.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function intentsOf(planned: Planned) {
  if (planned === null || !('intents' in planned)) throw new Error(`not planned: ${JSON.stringify(planned)}`);
  return planned;
}

/** The check-in as Sentry gets it when it is sent `delayMs` after it happened. */
function sent(planned: Planned, delayMs = 1_000): Record<string, unknown> {
  const payload = payloadSchema.parse(JSON.parse(JSON.stringify(intentsOf(planned).intents[0]!.payload)));
  if (payload.kind !== 'check_in') throw new Error(payload.kind);
  const made = checkInItem(payload.checkIn, payload.checkIn.at + delayMs);
  if (!('item' in made)) throw new Error(made.reason);
  return made.item;
}

const plan = (given: Partial<Transition>, context: RunContext = planContext(), settings = {}, hasApi = false) =>
  planCron(transition(given), context, rules(settings, hasApi));
const ended = (outcome: Transition['outcome'], more: Partial<Transition> = {}): Partial<Transition> => {
  return { id: 'run/ended', kind: 'run.ended', at: NOON + 92_000, ...(outcome && { outcome }), ...more };
};

describe('the DSN of a run', () => {
  const of = (planned: Planned) => payloadSchema.parse(intentsOf(planned).intents[0]!.payload).target;
  const dsn = (host: string) => cronJob({ dsn: `https://abc@${host}/1` });

  it('is that of its first check-in to the end: nothing else closes what was opened there', () => {
    const first = plan({}, planContext({ cronJob: dsn('a.sentry.io') }));
    expect(of(first)).toEqual({ dsn: 'https://abc@a.sentry.io/1' });
    const { memo } = intentsOf(first);
    expect(of(plan(ended('succeeded'), planContext({ memo, cronJob: dsn('b.sentry.io') })))).toEqual(of(first));
    expect(of(plan(ended('succeeded'), planContext({ memo, cronJob: cronJob() })))).toEqual(of(first));
    const opened = intentsOf(plan({}));
    expect(of(plan(ended('failed'), planContext({ memo: opened.memo, cronJob: dsn('b.sentry.io') })))).toEqual({});
  });
});

describe('the check-ins of a run', () => {
  it('open with every key of the configuration of the monitor', () => {
    expect(sent(plan({}))).toEqual({
      check_in_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      monitor_slug: expect.stringMatching(/^shop-report-[0-9a-f]{8}$/),
      status: 'in_progress',
      environment: 'production',
      monitor_config: {
        schedule: { type: 'crontab', value: '0 * * * *' },
        checkin_margin: 5,
        max_runtime: 60,
        timezone: 'UTC',
        failure_issue_threshold: 1,
        recovery_threshold: 1,
        owner: null,
      },
      contexts: { trace: { trace_id: JOB_UID.replaceAll('-', '') } },
    });
  });

  it.each([
    ['succeeded', 'ok'],
    ['replaced', 'ok'],
    ['failed', 'error'],
    ['cancelled', 'error'],
  ] as const)('close with the same id and the duration: %s is %s', (outcome, status) => {
    const opened = plan({});
    const memo = intentsOf(opened).memo;
    const closed = sent(plan(ended(outcome), planContext({ memo })));
    expect(closed).toMatchObject({ check_in_id: sent(opened)['check_in_id'], status, duration: 90 });
  });

  it('have the same id after everything was forgotten but the run', () => {
    expect(sent(plan(ended('failed')))['check_in_id']).toBe(sent(plan({}))['check_in_id']);
  });

  it('have another id in another environment, at another destination, of another run', () => {
    const ids = [
      sent(plan({}))['check_in_id'],
      sent(plan({}, planContext({ cronJob: cronJob({ environment: 'staging' }) })))['check_in_id'],
      sent(planCron(transition(), planContext(), { ...rules(), destination: 'sentry/other' }))['check_in_id'],
      sent(plan({}, planContext({ run: run({ runKey: 'another' }) })))['check_in_id'],
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('go where the run was opened, whatever the annotations say by then', () => {
    const { memo } = intentsOf(plan({}));
    const renamed = cronJob({ 'monitor-slug': 'another', environment: 'staging', monitor: 'false' });
    const closed = sent(plan(ended('succeeded'), planContext({ memo, cronJob: renamed })));
    const opened = sent(plan({}));
    expect(closed).toMatchObject({ monitor_slug: opened['monitor_slug'], environment: 'production' });
  });

  it('are ok for a cancelled run, by onCancelled', () => {
    expect(sent(plan(ended('cancelled'), planContext(), { crons: { onCancelled: 'ok' } }))['status']).toBe('ok');
  });

  it('report the real ending in one of their own where another one was concluded and sent', () => {
    const inferred = sent(plan(ended('succeeded', { inferred: true })));
    const real = sent(plan(ended('failed', { corrects: true })));
    expect(inferred).not.toHaveProperty('duration');
    expect(real).toMatchObject({ status: 'error' });
    expect(real['check_in_id']).not.toBe(inferred['check_in_id']);
  });

  it('follow each other in one lane, and share the limits of their monitor and environment', () => {
    const [first] = intentsOf(plan({})).intents;
    const [last] = intentsOf(plan(ended('failed'))).intents;
    expect(first!.lane).toBe(last!.lane);
    expect(first!.limits).toEqual(last!.limits);
    expect(first!.limits.at(-1)).toMatchObject({ burst: 5, key: expect.stringContaining('/production') });
  });

  it('are closed whatever comes later: only one that says that the run goes on gives way', () => {
    const keep = (given: Partial<Transition>) => intentsOf(plan(given)).intents[0]!.keep;
    expect([{}, ended('succeeded', { inferred: true }), ended('failed', { corrects: true })].map(keep)).toEqual([
      undefined,
      true,
      true,
    ]);
  });

  it('wait for their monitor where there is a token', () => {
    expect(intentsOf(plan({})).intents[0]).not.toHaveProperty('waitsFor');
    const [first] = intentsOf(plan({}, planContext(), {}, true)).intents;
    expect(first!.waitsFor).toMatch(/^monitor\/default\/shop-report-/);
  });
});

describe('a start that is sent late', () => {
  it('is not sent: Sentry would take it for a run that starts now', () => {
    expect(() => sent(plan({}), 6 * MINUTE)).toThrow('late_start');
    expect(sent(plan({}), 4 * MINUTE)['status']).toBe('in_progress');
  });

  it('leaves the end to be sent alone, however late', () => {
    expect(sent(plan(ended('succeeded')), 5 * HOUR)).toMatchObject({ status: 'ok', duration: 90 });
  });
});

describe('a run that goes on', () => {
  const again = (annotations: Record<string, string>, at = NOON + 2_000) => {
    const context = planContext({ cronJob: cronJob(annotations) });
    return intentsOf(plan({ kind: 'run.active', id: 'run/active/1', at }, context)).again;
  };

  it('is reported again before two thirds of the time after which Sentry calls it timed out', () => {
    const planned = intentsOf(plan({}));
    const { max_runtime: minutes } = sent(planned)['monitor_config'] as { max_runtime: number };
    expect(planned.again! - (NOON + 2_000)).toBeLessThanOrEqual((minutes * MINUTE * 2) / 3);
    expect(sent(plan({ kind: 'run.active', id: 'run/active/1', at: NOON + 30 * MINUTE }))).toMatchObject({
      status: 'in_progress',
      check_in_id: sent(planned)['check_in_id'],
    });
  });

  it('is not reported again under a limit of its own: that Sentry calls it timed out is wanted', () => {
    const limited = planContext({ cronJob: cronJob({ 'max-runtime': '45' }) });
    expect(intentsOf(plan({}, limited))).not.toHaveProperty('again');
    expect(sent(plan({}, limited))['monitor_config']).toMatchObject({ max_runtime: 45 });
  });

  it('is timed out at a limit that is longer than Sentry knows', () => {
    const limit = { 'max-runtime': '20160' };
    const start = NOON + 2_000;
    const signs: number[] = [];
    for (let at: number | undefined = start; at !== undefined; at = again(limit, at)) signs.push(at);
    expect(signs.at(-1)! + 10_080 * MINUTE).toBe(start + 20_160 * MINUTE);
    for (let n = 1; n < signs.length; n++) expect(signs[n]! - signs[n - 1]!).toBeLessThanOrEqual(6_720 * MINUTE);
    expect(sent(plan({}, planContext({ cronJob: cronJob(limit) })))['monitor_config']).toMatchObject({
      max_runtime: 10_080,
    });
  });
});

describe('runs without check-ins', () => {
  it.each([
    ['of a CronJob that is not to be monitored', { cronJob: cronJob({ monitor: 'false' }) }, 'not_selected'],
    ['whose schedule Sentry cannot have', { cronJob: cronJob({}, { schedule: '@every 30s' }) }, 'schedule_refused'],
  ] as const)('%s', (_, given, drop) => {
    expect(plan({}, planContext(given))).toMatchObject({ drop, once: true });
  });

  it('made by hand, where these are ignored', () => {
    const manual = planContext({ run: run({ manual: true }) });
    expect(plan({}, manual, { crons: { manualRuns: 'ignore' } })).toMatchObject({ drop: 'manual_run' });
    expect(sent(plan({}, manual))['status']).toBe('in_progress');
  });

  it('of a Job that was deleted before it started', () => {
    expect(plan(ended('never_started'))).toEqual({ drop: 'never_started' });
  });

  it('of anything but a CronJob', () => {
    expect(plan({}, { ...planContext(), owners: () => [] })).toBeNull();
    expect(plan({}, planContext({ run: run({ kind: 'Deployment' }) }))).toBeNull();
  });
});
