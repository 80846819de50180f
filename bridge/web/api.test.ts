import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { fillSample, sampleUid } from './sample-store.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

let web: TestWeb;
beforeEach(async () => {
  web = await startTestWeb();
});
afterEach(() => web.close());

interface List {
  readonly items: readonly Record<string, unknown>[];
  readonly next?: string;
}

async function list(path: string): Promise<List> {
  const response = await web.get(path);
  expect(response.status).toBe(200);
  return (await response.json()) as List;
}

describe('the API', () => {
  beforeEach(() => fillSample(web.store, NOW, 60));

  it('lists runs newest first with times as ISO strings and leaves out what is not known', async () => {
    const { items } = await list('/api/runs?limit=2');
    expect(items[0]).toMatchObject({
      uid: sampleUid(0),
      status: 'running',
      startedAt: '2026-11-21T11:59:30.000Z',
    });
    expect(items[0]).not.toHaveProperty('endedAt');
    expect(items[1]).toMatchObject({ uid: sampleUid(1), endedAt: '2026-11-21T11:53:12.000Z' });
  });

  it.each(['runs', 'desired', 'deliveries', 'drops'])('pages through all %s, each once', async (name) => {
    const all = (await list(`/api/${name}?limit=500`)).items;
    const paged: unknown[] = [];
    let cursor = '';
    do {
      const { items, next = '' }: List = await list(`/api/${name}?limit=3${cursor && `&cursor=${cursor}`}`);
      expect(items.length).toBeLessThanOrEqual(3);
      paged.push(...items);
      cursor = next;
    } while (cursor !== '');
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(3);
  });

  it('filters runs by state and namespace', async () => {
    const failed = await list('/api/runs?status=failed&namespace=shop&limit=500');
    expect(failed.items.length).toBeGreaterThan(0);
    for (const run of failed.items) expect(run).toMatchObject({ status: 'failed', namespace: 'shop' });
  });

  it('searches runs, on the page too, which keeps what was searched and its filters', async () => {
    const { name = '' } = (await list('/api/runs?limit=1')).items[0] as { name?: string };
    const { items } = await list(`/api/runs?q=${name}&limit=500`);
    expect(items.map((run) => run['name'])).toContain(name);
    const page = await (await web.get(`/?q=${name}&namespace=shop`)).text();
    expect(page).toMatch(new RegExp(`name="q"\\s+value="${name}"`));
    expect(page).toContain('<input type="hidden" name="namespace" value="shop" />');
    expect(await (await web.get('/?q=%3Cnone%3E')).text()).toContain('No run has such a name, pod or UID here.');
  });

  it('shows of the CronJob whose runs are listed when it runs, and what is kept of it at vendors', async () => {
    const [row] = (await list('/api/desired?limit=1')).items as {
      objects: string[];
      destination: string;
      key: string;
    }[];
    const [namespace, owner] = row!.objects[0]!.split('/');
    const page = await (await web.get(`/?namespace=${namespace}&owner=${owner}`)).text();
    for (const name of ['Schedule', 'Next', 'Last success', 'UID']) expect(page).toContain(`<dt>${name}</dt>`);
    expect(page).toMatch(new RegExp(`<dt>${row!.destination}</dt>\\s*<dd>\\s*<code>${row!.key}</code>`));
    expect(await (await web.get(`/?namespace=${namespace}`)).text()).not.toContain('<dt>Schedule</dt>');
  });

  it('filters deliveries by state and destination', async () => {
    expect((await list('/api/deliveries?status=dropped')).items[0]).toMatchObject({
      reason: 'bad_request',
      settledAt: expect.stringMatching(/^2026-/),
    });
    expect((await list('/api/deliveries?destination=cronitor/none')).items).toEqual([]);
  });

  it('has everything about one run and leaves what is meant for vendors as it is', async () => {
    const detail = await (await web.get(`/api/runs/${sampleUid(1)}`)).json();
    expect(detail).toMatchObject({
      run: {
        uid: sampleUid(1),
        status: 'failed',
        cause: 'container worker exited with 1 (Error); 3 pods failed; BackoffLimitExceeded',
      },
      attempts: [{ exitCode: 1 }, { exitCode: 137, reason: 'OOMKilled' }, { exitCode: 1 }],
    });
    const { transitions, deliveries } = detail as Record<string, Record<string, unknown>[]>;
    const times = transitions!.map(({ at }) => String(at));
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(times[0]).toBe('2026-11-21T11:52:30.000Z');
    expect(deliveries![0]).toMatchObject({
      payload: { query: { state: 'run', stamp: String(Date.parse('2026-11-21T11:52:30Z') / 1000) } },
    });
  });

  it.each([
    ['/api/runs?status=done', 'status', 'done', 'running, pending, stuck'],
    ['/api/runs?limit=0', 'limit', '0', 'a whole number from 1 to 500'],
    ['/api/runs?limit=1000', 'limit', '1000', 'a whole number from 1 to 500'],
    ['/api/runs?state=failed', 'state', 'failed', 'status, namespace, owner, limit, cursor'],
    ['/api/runs?limit=1&limit=2', 'limit', '1,2', 'one value'],
    ['/api/deliveries?status=failed', 'status', 'failed', 'pending, sending, delivered, dropped'],
    ['/api/drops?status=x', 'status', 'x', 'reason, kind, limit, cursor'],
    ['/api/drops?reason=x', 'reason', 'x', 'before_cutoff'],
    ['/api/drops?kind=x', 'kind', 'x', 'decision, delivery, journal, quarantine'],
    ['/api/problems?owner=x', 'owner', 'x', 'namespace, name, limit, cursor'],
    ['/api/cronjobs?runs=some', 'runs', 'some', 'none'],
  ])('refuses %s and says what is allowed', async (path, parameter, given, allowed) => {
    const response = await web.get(path);
    expect(response.status).toBe(400);
    const expected = { parameter, given, allowed: expect.stringContaining(allowed) };
    expect(await response.json()).toEqual({
      error: { message: `the parameter ${parameter} is not valid`, ...expected },
    });
  });

  it('filters drops by reason and kind, and counts all of them', async () => {
    const { items } = await list('/api/drops?reason=bad_request&limit=500');
    expect(items.length).toBeGreaterThan(0);
    for (const row of items) expect(row).toMatchObject({ kind: 'delivery', reason: 'bad_request' });
    const counts = (await list('/api/drops/counts')).items;
    expect(counts).toContainEqual({ kind: 'delivery', reason: 'bad_request', count: items.length });
    const all = (await list('/api/drops?limit=500')).items;
    expect(counts.reduce((sum, { count }) => sum + Number(count), 0)).toBe(all.length);
    for (const kind of ['decision', 'delivery', 'quarantine']) {
      const some = (await list(`/api/drops?kind=${kind}&limit=500`)).items;
      expect(some).toEqual(all.filter((row) => row['kind'] === kind));
    }
  });

  it('shows what is in quarantine, without secrets', async () => {
    const bytes = Buffer.from('{"kind":"Pod","token":"hunter2"}');
    web.store.transaction((tx) =>
      tx.quarantine.put({ subject: 'u', reason: 'core_error', version: '1', error: 'boom', bytes, at: NOW }),
    );
    const [row] = (await list('/api/drops?kind=quarantine')).items;
    const shown = await (await web.get(`/api/quarantine/${String(row!['id'])}`)).json();
    expect(shown).toMatchObject({
      subject: 'u',
      error: 'boom',
      size: bytes.length,
      text: expect.stringContaining('"kind": "Pod"'),
    });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect((await web.get('/api/quarantine/x')).status).toBe(404);
    expect(await (await web.get(`/quarantine/${String(row!['id'])}`)).text()).toContain(
      '&quot;kind&quot;: &quot;Pod&quot;',
    );
  });

  it('lists CronJobs, also only those without a run', async () => {
    const facts = { kind: 'CronJob', ownerUid: undefined, version: '1', deleted: false, state: {} } as const;
    web.store.transaction((tx) => tx.objects.put({ ...facts, uid: 'new', namespace: 'shop', name: 'new' }));
    const { items } = await list('/api/cronjobs');
    expect(items).toHaveLength(6);
    expect(items[0]).toMatchObject({
      namespace: 'analytics',
      lastRun: { name: expect.stringMatching(/nightly-report/) },
    });
    expect((await list('/api/cronjobs?runs=none')).items).toEqual([
      { uid: 'new', namespace: 'shop', name: 'new', problems: [] },
    ]);
    expect(await (await web.get('/cronjobs?runs=none')).text()).toContain('no run was seen');
  });

  it('refuses a cursor that is none', async () => {
    const response = await web.get('/api/runs?cursor=nonsense');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { parameter: 'cursor' } });
  });

  it.each(['/api/runs/none', '/api/none', '/api'])('answers %s with 404 as JSON', async (path) => {
    const response = await web.get(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: { message: expect.any(String) } });
  });

  it('allows reading only', async () => {
    expect((await web.get('/api/runs', { method: 'POST' })).status).toBe(405);
  });
});
