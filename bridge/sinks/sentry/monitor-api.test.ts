import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { desiredContext } from '../../../test/fixtures/desired-context.ts';
import type { Json } from '../../lib/json.ts';
import type { ClaimedDesired, Deliverer } from '../sink.ts';
import { cronJob, rules } from './cron-fixtures.ts';
import type { DeliverBench } from './deliver-bench.ts';
import { checkIn, send, signal, startBench } from './deliver-bench.ts';
import { monitorBody } from './monitor-api.ts';
import { planMonitor, retireMonitor, wantedSchema } from './plan-monitor.ts';

let bench: DeliverBench;
let deliverer: Deliverer;
beforeEach(async () => {
  bench = await startBench();
  const tokenFile = join(bench.folder, 'token');
  writeFileSync(tokenFile, 'simulated-api-token');
  deliverer = bench.deliverer({ api: { tokenFile, url: bench.vendors.url, organization: 'acme' } });
});
afterEach(() => bench.close());

function row(overrides: Parameters<typeof cronJob>[1] = {}, previous?: Json): ClaimedDesired {
  const context = desiredContext({ previous: () => previous });
  const [planned] = planMonitor(cronJob({}, overrides), context, rules({}, true));
  const { key, wanted } = planned!;
  return { destination: 'sentry/default', key, wanted: wanted as Json, wantedHash: '', attempt: 1 };
}

const monitors = () => [...bench.vendors.sentry.crons().monitors.values()];
const accepted = [{ outcome: 'delivered' }];

describe('a monitor at Sentry', () => {
  it('is made where there is none, then changed with its CronJob, disabled and enabled again', async () => {
    expect(await deliverer.converge([row()], signal)).toEqual(accepted);
    expect(monitors()).toMatchObject([
      { status: 'active', config: { schedule: { type: 'crontab', value: '0 * * * *' }, checkin_margin: 5 } },
    ]);
    const suspended = row({ suspend: true, schedule: '30 2 * * *', timeZone: 'Europe/Berlin' });
    expect(await deliverer.converge([suspended], signal)).toEqual(accepted);
    expect(monitors()).toMatchObject([{ status: 'disabled', config: { timezone: 'Europe/Berlin' } }]);
    expect(await deliverer.converge([row({}, suspended.wanted)], signal)).toEqual(accepted);
    expect(monitors()).toMatchObject([{ status: 'active' }]);
    expect(bench.vendors.sentry.violations).toEqual([]);
  });

  it('that a person disabled stays so while its CronJob changes', async () => {
    expect(await deliverer.converge([row()], signal)).toEqual(accepted);
    bench.vendors.sentry.crons().monitors.get(row().key.split('/').at(-1)!)!.status = 'disabled';
    expect(await deliverer.converge([row({ schedule: '5 * * * *' })], signal)).toEqual(accepted);
    expect(monitors()).toMatchObject([{ status: 'disabled', config: { schedule: { value: '5 * * * *' } } }]);
  });

  it('has an interval as the API takes it', async () => {
    expect(await deliverer.converge([row({ schedule: '@every 90m' })], signal)).toEqual(accepted);
    expect(monitors()).toMatchObject([{ config: { schedule: { type: 'interval', value: 90, unit: 'minute' } } }]);
  });

  it('is disabled when it is retired, then removed; one that is not there is as good as removed', async () => {
    const made = row();
    await deliverer.converge([made], signal);
    const retired = retireMonitor(made.wanted, 'unclaimed', rules({}, true));
    expect(await deliverer.converge([{ ...made, wanted: retired }], signal)).toEqual(accepted);
    expect(monitors()).toMatchObject([{ status: 'disabled' }]);
    for (let n = 0; n < 2; n++) expect(await deliverer.converge([{ ...made, wanted: null }], signal)).toEqual(accepted);
    expect(monitors()).toEqual([]);
  });

  it('is made for each row of a batch', async () => {
    const rows = Array.from({ length: 20 }, (_, n) => row({ name: `report-${n}` }));
    expect(await deliverer.converge(rows, signal)).toEqual(rows.map(() => accepted[0]));
    expect(monitors()).toHaveLength(20);
  });

  it('that Sentry refuses is dropped with its words; a refused token holds all of them', async () => {
    const bad = row();
    const wanted = { ...wantedSchema.parse(bad.wanted), name: '' };
    expect(await deliverer.converge([{ ...bad, wanted }, row({ name: 'other' })], signal)).toMatchObject([
      { outcome: 'drop', reason: 'bad_request', detail: expect.stringContaining('400') },
      { outcome: 'delivered' },
    ]);
    bench.vendors.sentry.api.tokens.clear();
    const refused = { outcome: 'retry', reason: 'unauthorized', hold: { key: 'api' } };
    expect(await deliverer.converge([row(), row({ name: 'other' })], signal)).toMatchObject([refused, refused]);
  });

  it('is not enough for a row that is none', async () => {
    const [delivery] = await deliverer.converge([{ ...row(), key: 'anything' }], signal);
    expect(delivery).toMatchObject({ outcome: 'drop', reason: 'bad_request' });
  });
});

describe('the configuration that the API is given', () => {
  const wanted = (schedule: string, timeZone: string) => wantedSchema.parse(row({ schedule, timeZone }).wanted);

  it('is that of the last check-in: a margin that is raised over a gap stays until the next run', () => {
    const berlin = wanted('30 2 * * *', 'Europe/Berlin');
    const margin = (now: string) =>
      (monitorBody(berlin, Date.parse(now))!['config'] as Record<string, Json>)['checkin_margin'];
    expect(margin('2027-03-26T12:00:00Z')).toBe(5);
    expect(margin('2027-03-27T12:00:00Z')).toBe(23 * 60 + 35);
    expect(margin('2027-03-28T12:00:00Z')).toBe(23 * 60 + 35);
    expect(margin('2027-03-29T00:31:00Z')).toBe(5);
  });

  it('leaves an owner alone that a person chose', () => {
    expect(monitorBody(wanted('0 * * * *', 'UTC'), 0)).not.toHaveProperty('owner');
  });
});

describe('what Sentry dropped after it had answered 200', () => {
  it('is said by the receipt of the next check-in of the monitor', async () => {
    await deliverer.converge([row({ suspend: true })], signal);
    expect(await send(deliverer, checkIn())).toMatchObject({
      outcome: 'delivered',
      detail: expect.stringMatching(
        /^Sentry dropped the check-in of .*: the monitor is disabled \(MONITOR_DISABLED\)$/,
      ),
    });
  });

  it('is asked once a minute at most', async () => {
    for (let n = 0; n < 5; n++) await send(deliverer, checkIn({ id: String(n).repeat(32), environment: `stage-${n}` }));
    const asked = () => bench.vendors.requests.filter(({ path }) => path.includes('processing-errors')).length;
    expect(asked()).toBe(1);
    bench.now += 63_000;
    await send(deliverer, checkIn({ id: '9'.repeat(32) }));
    expect(asked()).toBe(2);
  });

  it('costs no check-in where it cannot be read', async () => {
    bench.vendors.sentry.api.tokens.clear();
    expect(await send(deliverer, checkIn())).toMatchObject({
      outcome: 'delivered',
      detail: expect.stringContaining('what Sentry dropped cannot be read: HTTP 401'),
    });
    expect(await send(bench.deliverer(), checkIn({ id: 'd'.repeat(32) }))).toEqual({ outcome: 'delivered' });
  });
});

describe('a start that was not sent because it was late', () => {
  it('is not made up for while the run goes on', async () => {
    const start = checkIn({ status: 'in_progress', at: bench.now - 3_600_000 });
    expect(await send(deliverer, start)).toMatchObject({ outcome: 'drop', reason: 'late_start' });
    const goesOn = checkIn({ status: 'in_progress', at: bench.now, again: true });
    expect(await send(deliverer, goesOn)).toMatchObject({ outcome: 'drop', reason: 'late_start' });
    expect(bench.vendors.sentry.checkIns).toEqual([]);
    expect(await send(deliverer, checkIn())).toMatchObject({ outcome: 'delivered' });
    expect(bench.vendors.sentry.checkIns).toHaveLength(1);
  });
});
