import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { Bench } from './bench.ts';
import { cronJob, cronJobUid, exported, job, jobUid } from './objects.ts';

/**
 * One bridge with one Cronitor account per fault: each account has a simulator of its own, so all faults happen at the
 * same time to the same runs, and none may touch another.
 */
const FAULTS = ['down', 'limited', 'broken', 'lossy', 'locked', 'dry'] as const;
type Fault = (typeof FAULTS)[number];

const DOWN_MS = 20_000;
const JOBS = [1, 2, 3, 4];
const REFUSED = 9;
const keyOf = (fault: Fault): string => `key-of-${fault}-0123456789abcdef`;
const inFile: readonly Fault[] = ['lossy', 'locked'];

let bench: Bench;
let keys: string;
const vendors = {} as Record<Fault, Vendors>;
let downSince: number;
let pingPort: number;

interface Delivery {
  readonly runUid: string;
  readonly destination: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly attempts: number;
  readonly payload: { readonly query: { readonly state: string } };
}

interface Monitor {
  readonly destination: string;
  readonly key: string;
  readonly inSync: boolean;
  readonly reason?: string;
  readonly detail?: string;
}

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'keys-'));
  pingPort = await freePort();
  const env: Record<string, string> = {
    LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_KEY: 'key-of-default-0123456789abcdef',
  };
  for (const fault of FAULTS) {
    vendors[fault] = await startVendors({ key: keyOf(fault) });
    const set = (name: string, value: string): void =>
      void (env[`LIFECYCLE_BRIDGE__CRONITOR__${fault.toUpperCase()}__${name}`] = value);
    set('API_URL', vendors[fault].url);
    set('PING_URL', fault === 'down' ? `http://127.0.0.1:${pingPort}` : vendors[fault].url);
    if (inFile.includes(fault)) {
      writeFileSync(join(keys, fault), `${keyOf(fault)}\n`);
      set('API_KEY_FILE', join(keys, fault));
    } else set('API_KEY', keyOf(fault));
  }
  env['LIFECYCLE_BRIDGE__CRONITOR__DRY__DRY_RUN'] = 'true';
  const { limited, broken, lossy, locked } = vendors;
  limited.inject({ match: 'POST /ping', status: 429, retryAfter: 3, times: 2, body: `too fast, ${keyOf('limited')}` });
  broken.inject({ match: 'POST /ping', status: 500, times: 5, body: `broken: ${keyOf('broken')}` });
  lossy.inject({ match: 'POST /ping', resetAfterProcessing: true, times: 3 });
  locked.inject({ match: 'PUT /api', status: 401, times: 10_000, body: `no such key ${keyOf('locked')}` });
  bench = await Bench.start({ env }, 'key-of-default-0123456789abcdef');
  downSince = Date.now();
  const refused = [
    cronJob(REFUSED, 'whenever it suits'),
    job(REFUSED, REFUSED, 'running'),
    job(REFUSED, REFUSED, 'complete'),
  ];
  await bench.insist(exported(...JOBS.map((number) => cronJob(number)), ...refused));
  for (const phase of ['running', 'complete'] as const)
    await bench.insist(exported(...JOBS.map((number) => job(number, number, phase))));
});

afterAll(async () => {
  await bench.close();
  await Promise.all(FAULTS.map((fault) => vendors[fault].close()));
  rmSync(keys, { recursive: true });
});

async function deliveries(fault: string): Promise<readonly Delivery[]> {
  const all = await bench.list<Delivery>('deliveries');
  return all.filter(({ destination }) => destination === `cronitor/${fault}`);
}

async function settled(fault: string, timeoutMs = 30_000): Promise<readonly Delivery[]> {
  return until(
    `${fault} has everything`,
    async () => {
      const rows = await deliveries(fault);
      return rows.length === 2 * JOBS.length + 2 && rows.every(({ status }) => status === 'delivered') && rows;
    },
    timeoutMs,
  );
}

/** Every run's first ping is its start, and its end comes once and after it. */
function expectInOrder({ cronitor }: Vendors, times: 'once' | 'again' = 'once'): void {
  const reported = bench.reported({ cronitor } as Vendors);
  expect([...reported.keys()].toSorted()).toEqual([...JOBS, REFUSED].map(jobUid).toSorted());
  for (const states of reported.values()) {
    const distinct = times === 'once' ? states : states.filter((state, index) => state !== states[index - 1]);
    expect(distinct).toEqual(['run', 'complete']);
  }
}

describe('a vendor', () => {
  it('without a fault hears everything, whatever the others do', async () => {
    await settled('default');
    expectInOrder(bench.vendors);
    expect(bench.vendors.cronitor.autoCreated).toEqual([cronJobUid(REFUSED), cronJobUid(REFUSED)]);
  });

  it('that refuses one monitor gets the others, and the runs of the refused one with a word about it', async () => {
    const rows = (await bench.list<Monitor>('desired')).filter(({ destination }) => destination === 'cronitor/default');
    const states = Object.fromEntries(rows.map(({ key, inSync, reason }) => [key, inSync || reason]));
    const good = JOBS.map((number) => [cronJobUid(number), true]);
    expect(states).toEqual(Object.fromEntries([...good, [cronJobUid(REFUSED), 'bad_request']]));
    expect(rows.find(({ inSync }) => !inSync)?.detail).toContain(
      'HTTP 400: {"errors":["monitor 0: schedule is not a schedule"]}',
    );
    const about = (await settled('default')).filter(({ runUid }) => runUid === jobUid(REFUSED));
    expect(about).toMatchObject([{ reason: 'delivered' }, { reason: 'delivered' }]);
    expect((await bench.get(`runs/${jobUid(REFUSED)}`)).text).toContain(
      'sent although the vendor refuses the object that it belongs to for good',
    );
  });

  it('that asks for a pause (429) is given one', async () => {
    await settled('limited');
    expectInOrder(vendors.limited);
    const pings = vendors.limited.requests.filter(({ path }) => path.startsWith('/ping'));
    const refused = pings.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    for (const { path, at } of refused) {
      const again = pings.find((ping) => ping.path === path && ping.at > at);
      expect(again!.at - at).toBeGreaterThanOrEqual(2_900);
    }
    // Two monitors at once make it a pause of all; those that were under way when it asked may still arrive.
    const afterwards = pings.map(({ at }) => at - refused[1]!.at).filter((ms) => ms > 1_000);
    expect(Math.min(...afterwards)).toBeGreaterThanOrEqual(2_900);
  });

  it('that fails (500) is asked again', async () => {
    const rows = await settled('broken');
    expectInOrder(vendors.broken);
    expect(rows.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(rows.length + 5);
  });

  it('that loses answers hears the same again, and the receipt says so', async () => {
    const rows = await settled('lossy');
    expectInOrder(vendors.lossy, 'again');
    expect(rows.filter(({ reason }) => reason === 'delivered_again')).toHaveLength(3);
    expect(vendors.lossy.cronitor.pings).toHaveLength(rows.length + 3);
  });

  it('that refuses the key at its management API gets the telemetry all the same, and the page says so', async () => {
    await settled('locked');
    expectInOrder(vendors.locked);
    const rows = (await bench.list<Monitor>('desired')).filter(({ destination }) => destination === 'cronitor/locked');
    expect(rows).toHaveLength(JOBS.length + 1);
    // Refused at first, and recognised as a key for telemetry alone once a ping was accepted.
    const reason = expect.stringMatching(/^(unauthorized|limited_key)$/);
    for (const row of rows)
      expect(row).toMatchObject({ inSync: false, reason, detail: expect.stringContaining('HTTP 401') });
    for (const { detail } of await settled('locked'))
      expect(detail).toMatch(/row_refused: (unauthorized|limited_key): HTTP 401/);
    const { text } = await bench.get(`runs/${jobUid(1)}`);
    expect(text).toMatch(
      /although the vendor refuses the object that it belongs to for good: (the vendor refused the key \(401\)|the key may send telemetry.*): HTTP 401/,
    );
  });

  it('of a dry run hears nothing, and the receipts say so', async () => {
    const rows = await until('everything is decided', async () => {
      const rows = await deliveries('dry');
      return rows.every(({ status }) => status === 'dropped') && rows;
    });
    expect(rows).toHaveLength(2 * JOBS.length + 2);
    for (const row of rows) expect(row.reason).toBe('dry_run');
    expect(vendors.dry.requests).toEqual([]);
    expect((await bench.get(`runs/${jobUid(1)}`)).text).toContain('dry run: everything was done except the request');
    expect(bench.log()[0]?.['destinations']).toContain('cronitor/dry (dry run: nothing is sent)');
  });

  it('that is away for 20 s has everything when it is back; until then it shows why all of it waits', async () => {
    const waiting = await deliveries('down');
    const first = waiting.filter(({ payload }) => payload.query.state === 'run');
    expect(waiting.every(({ status }) => status !== 'delivered')).toBe(true);
    expect(first.filter(({ reason }) => reason === 'connection_failed')).not.toEqual([]);
    expect(await bench.metric('lifecycle_bridge_outbox_pending{destination="cronitor/down"}')).toBe(10);
    expect(
      await bench.metric('lifecycle_bridge_outbox_oldest_age_seconds{destination="cronitor/down"}'),
    ).toBeGreaterThan(1);
    await until('it was away long enough', () => Date.now() - downSince > DOWN_MS);
    const back = await startVendors({ port: pingPort, key: keyOf('down') });
    bench.releases.add(() => back.close());
    const rows = await settled('down');
    expectInOrder(back);
    for (const { reason } of rows) expect(reason).toBe('delivered');
  });

  it('that was away is one line in the log when it began and one when it was over', () => {
    const about = bench.log().filter(({ destination }) => destination === 'cronitor/down');
    expect(about.map(({ level, msg, reason }) => [level, msg, reason])).toEqual([
      ['warn', 'a desired row was refused; /desired shows it', 'bad_request'],
      ['warn', 'a delivery failed; it is tried again', 'connection_failed'],
      ['info', 'deliveries work again', undefined],
    ]);
    expect(bench.log().length).toBeLessThan(30);
  });
});

describe('an API key', () => {
  const secrets = [...FAULTS.map(keyOf), 'key-of-default-0123456789abcdef'];
  const forms = secrets.flatMap((secret) => [secret, Buffer.from(`${secret}:`).toString('base64').slice(0, 20)]);

  function expectNone(where: string, text: string): void {
    expect({ where, found: forms.filter((form) => text.includes(form)) }).toEqual({ where, found: [] });
  }

  it('is on no page, in no answer of the API and not in the metrics', async () => {
    const lists = ['', 'desired', 'deliveries', 'drops', 'api/runs', 'api/desired', 'api/deliveries', 'api/drops'];
    const runs = [...JOBS, REFUSED].flatMap((number) => [`runs/${jobUid(number)}`, `api/runs/${jobUid(number)}`]);
    for (const path of [...lists, ...runs, 'metrics', 'readyz', 'version']) {
      const { status, text } = await bench.get(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expectNone(path, text);
    }
  });

  it('is in no line of the log and in no byte of the store', () => {
    const files = readdirSync(bench.folder).filter((file) => !/\.(?:sock|tmp)$/.test(file));
    expect(files).toContain('bridge.db-wal');
    expect(files).toContain('bridge.log');
    for (const file of files) expectNone(file, readFileSync(join(bench.folder, file), 'latin1'));
  });
});
