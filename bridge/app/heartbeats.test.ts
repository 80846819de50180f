import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from '../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../test/vendors/start-vendors.ts';
import { T0 } from '../../test/fixtures/facts.ts';
import type { AuditResult } from '../cluster/auditor.ts';
import { TestEngine } from '../ingest/test-engine.ts';
import { ALWAYS } from '../kubernetes/followed.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { systemClock } from '../lib/clock.ts';
import { cronitorSchema } from '../sinks/cronitor/config.ts';
import { createCronitorDeliverer } from '../sinks/cronitor/deliver.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { Http } from '../sinks/http.ts';
import { createHttp } from '../sinks/http.ts';
import type { ConfiguredDeliverer } from '../sinks/sink.ts';
import { auditTrouble, Heartbeats } from './heartbeats.ts';

const MINUTE = 60_000;
const DESTINATION = 'cronitor/default';
const { signal } = new AbortController();
let vendors: Vendors;
let engine: TestEngine;
let http: Http;
let deliverer: ConfiguredDeliverer;
let trouble: string | undefined;
let elapsed: number;
let log: string[];
let heartbeats: Heartbeats;

beforeEach(async () => {
  vendors = await startVendors({ key: 'k' });
  http = createHttp();
  elapsed = MINUTE;
  trouble = undefined;
  log = [];
  start();
});
afterEach(async () => {
  engine.close();
  await http.close();
  await vendors.close();
});

function start(account: object = { heartbeat: {} }): void {
  engine = new TestEngine({ planners: [createCronitorPlanner('default', planConfig(account))] });
  engine.restart();
  const addresses = { apiKey: 'k', apiUrl: vendors.url, pingUrl: vendors.url };
  const config = cronitorSchema.parse({ ...addresses, ...account });
  deliverer = { ...createCronitorDeliverer('default', config, http, systemClock), dryRun: config.dryRun };
  const logAt = (level: string) => (fields: object) =>
    void log.push([level, ...Object.values(fields).slice(1)].join(' '));
  heartbeats = new Heartbeats({
    deliverers: [deliverer],
    reader: engine.reader,
    trouble: async () => trouble,
    logger: { info: logAt('info'), warn: logAt('warn') } as never,
    elapsed: () => elapsed,
  });
}

/** Sends what is wanted at Cronitor, as the outbox does. */
async function converge(): Promise<void> {
  const rows = engine.store.claimDesired(DESTINATION, 10, T0 + MINUTE);
  const deliveries = await deliverer.converge(rows, signal);
  const settled = rows.map(({ key, wantedHash }, index) => {
    return { destination: DESTINATION, key, sentHash: wantedHash, delivery: deliveries[index]! };
  });
  engine.store.settleDesired(settled, T0 + MINUTE);
}

async function look(afterMs = 0): Promise<number> {
  elapsed += afterMs;
  await heartbeats.look(signal);
  expect(vendors.cronitor.autoCreated).toEqual([]);
  return vendors.cronitor.heartbeats.length;
}

describe('the heartbeat', () => {
  it('comes at its interval, once its monitor is there', async () => {
    expect(await look()).toBe(0);
    await converge();
    expect(await look()).toBe(1);
    expect(await look(4 * MINUTE)).toBe(1);
    expect(await look(MINUTE)).toBe(2);
    expect(log).toEqual(['warn the vendor has not accepted its row yet', 'info']);
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it('stays away while the bridge does not work, says why once, and comes soon after', async () => {
    await converge();
    trouble = 'the watch of Pod is dead';
    expect(await look()).toBe(0);
    expect(await look(10_000)).toBe(0);
    trouble = undefined;
    expect(await look(10_000)).toBe(1);
    expect(log).toEqual(['warn the watch of Pod is dead', 'info']);
  });

  it('that could not be sent is not made up for: the next one says how it is then', async () => {
    await converge();
    vendors.inject({ match: '/ping/', status: 500, times: 2 });
    expect(await look()).toBe(0);
    expect(await look(10_000)).toBe(0);
    expect(await look(10_000)).toBe(1);
    expect(await look(10_000)).toBe(1);
    expect(engine.pings()).toEqual([]);
  });

  it('waits as long as Cronitor asks', async () => {
    await converge();
    vendors.inject({ match: '/ping/', status: 429, retryAfter: 30 });
    expect(await look()).toBe(0);
    expect(await look(20_000)).toBe(0);
    expect(await look(10_000)).toBe(1);
  });

  it('ends with the retirement, which pauses its monitor; undone, it comes again', async () => {
    await converge();
    engine.retire(true);
    await converge();
    expect(await look()).toBe(0);
    expect([...vendors.cronitor.monitors.values()]).toMatchObject([{ type: 'heartbeat', paused: true }]);
    engine.retire(false);
    await converge();
    expect(await look()).toBe(1);
    expect([...vendors.cronitor.monitors.values()]).toMatchObject([{ type: 'heartbeat', paused: false }]);
  });

  it('that is no longer wanted leaves a paused monitor', async () => {
    await converge();
    engine.restart([createCronitorPlanner('default', planConfig({ onDelete: 'keep' }))]);
    await converge();
    expect([...vendors.cronitor.monitors.values()]).toMatchObject([{ type: 'heartbeat', paused: true }]);
    expect(engine.reader.ownRow(DESTINATION)).toBeUndefined();
  });

  it('is not sent in a dry run', async () => {
    await converge();
    engine.close();
    start({ heartbeat: {}, dryRun: true });
    expect(await look()).toBe(0);
    expect(log).toEqual([]);
  });
});

describe('the monitor of the heartbeat', () => {
  it('is one of this cluster alone, late by one interval at most, and shown as the bridge', async () => {
    await converge();
    const seconds = 300;
    expect([...vendors.cronitor.monitors.values()]).toEqual([
      {
        key: 'lifecycle-bridge-cluster-1',
        name: 'lifecycle-bridge of production',
        note: expect.stringContaining('The bridge itself') as string,
        type: 'heartbeat',
        schedule: `every ${seconds} seconds`,
        grace_seconds: seconds,
        tags: ['kubernetes'],
      },
    ]);
    expect(engine.reader.desired({ limit: 10 }).items[0]?.objects).toEqual(['lifecycle-bridge']);
  });

  it('may have a key of its own', () => {
    engine.close();
    start({ heartbeat: { key: 'mine', interval: '1m' } });
    expect(engine.reader.ownRow(DESTINATION)).toEqual({ key: 'mine', accepted: false });
  });

  it.each(['59s', '25h', 'often'])('has no interval of %s', (interval) => {
    const { issues = [] } = cronitorSchema.safeParse({ apiKey: 'k', heartbeat: { interval } }).error ?? {};
    expect(issues).toMatchObject([{ path: ['heartbeat', 'interval'] }]);
  });
});

describe('the bridge works', () => {
  const complete = { result: 'complete' } as AuditResult;
  const failed = { result: 'failed', error: 'timeout' } as AuditResult;
  const unaudited = { result: 'unaudited', error: 'forbidden' } as AuditResult;
  const all = (result: AuditResult): [Kind, AuditResult][] => [
    ['CronJob', result],
    ['Job', result],
    ['Pod', result],
  ];

  it.each([
    ['with every audit complete', all(complete), [], undefined],
    ['not before the first audit', [], [], 'the audit of CronJob, Pod, Job is not complete'],
    ['not while a LIST fails', [...all(complete).slice(0, 2), ['Pod', failed]], [], 'the audit of Pod is not complete'],
    ['not with a dead watch', all(complete), ['Pod'], 'the watch of Pod is dead'],
    ['with a kind that may not be listed', [...all(complete).slice(0, 2), ['Pod', unaudited]], [], undefined],
    ['not if nothing may be listed', all(unaudited), [], 'nothing in the cluster may be listed'],
  ] as [string, [Kind, AuditResult][], Kind[], string | undefined][])('%s', (_case, results, dead, why) => {
    const auditor = { kinds: ALWAYS, results: () => new Map(results), deadWatches: () => new Set(dead) };
    expect(auditTrouble(auditor)).toBe(why);
  });

  it('as far as the store knows, without an audit', () => {
    expect(auditTrouble(undefined)).toBeUndefined();
  });
});
