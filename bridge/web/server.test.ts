import { ABOUT } from '../../test/fixtures/facts.ts';
import { endedRun, TRACE_ID } from '../telemetry/testing/used-metrics.ts';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { UserError } from '../lib/errors.ts';
import { openReader } from '../store/sqlite/open.ts';
import { DESTINATION, fillSample, sampleUid } from './sample-store.ts';
import { startWeb } from './server.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

let web: TestWeb;
beforeEach(async () => {
  web = await startTestWeb();
});
afterEach(() => web.close());

async function page(path: string): Promise<string> {
  const response = await web.get(path);
  expect(response.headers.get('content-type')).toContain('text/html');
  return response.text();
}

it('is kept from nobody by those who connect and do nothing', async () => {
  const small = await startTestWeb({ maxConnections: 3 });
  const port = small.options.port;
  const idle = Array.from({ length: 20 }, () =>
    connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .resume(),
  );
  await expect.poll(() => idle.filter(({ closed }) => closed).length).toBe(17);
  expect((await small.get('/livez')).status).toBe(200);
  await expect.poll(() => idle.filter(({ closed }) => closed).length).toBe(18);
  idle.forEach((socket) => socket.destroy());
  await small.close();
});

it('listens on every address with host "::", and calls those who come by IPv4 so', async () => {
  const open = await startTestWeb({ host: '::', auth: 'token', token: 'right-right-right' });
  expect((await open.get('/livez')).status).toBe(200);
  expect((await open.get('/', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
  await open.close();
  expect(open.logged.join('')).toContain('"remoteAddress":"127.0.0.1"');
});

describe('health', () => {
  it.each([
    [0, 200],
    [119, 200],
    [120, 503],
  ])('is alive while the thread of the store answers: after %d s of silence %d', async (seconds, status) => {
    const silent = await startTestWeb({ silentSeconds: () => seconds });
    const response = await silent.get('/livez');
    await silent.close();
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(status === 200 ? 'ok' : 'has not answered for 120 s');
  });

  it('is alive and has its version', async () => {
    expect((await web.get('/livez')).status).toBe(200);
    expect(await (await web.get('/version')).json()).toEqual({
      name: 'lifecycle-bridge',
      version: '1.2.3',
      node: process.version,
    });
  });

  it('is ready iff it can commit, and reports the rest without judging it', async () => {
    fillSample(web.store, NOW, 20);
    web.metrics.record('Job', 'observed');
    const response = await web.get('/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      ready: true,
      lists: { Job: 'complete' },
      lastRecordAgeSeconds: { Job: 0 },
      outbox: [{ destination: DESTINATION, pending: expect.any(Number), notInSync: 1 }],
    });
    web.readiness.current = { ready: false, report: { commit: 'the disk is full' } };
    const unready = await web.get('/readyz');
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({ ready: false, commit: 'the disk is full' });
    expect(await page('/')).toContain('The bridge cannot commit');
  });

  it('serves the metrics of the store as Prometheus text', async () => {
    fillSample(web.store, NOW, 20);
    const response = await web.get('/metrics');
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    const text = await response.text();
    expect(text).toContain('lifecycle_bridge_cronjobs 5\n');
    expect(text).toContain(`lifecycle_bridge_outbox_pending{destination="${DESTINATION}"}`);
    expect(text).toContain(`lifecycle_bridge_receipts_total{destination="${DESTINATION}",reason="delivered"}`);
  });

  it('serves OpenMetrics, with the trace of a run at its bucket, to who asks for it', async () => {
    web.metrics.ended(endedRun());
    const headers = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5' };
    const response = await web.get('/metrics', { headers });
    expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const text = await response.text();
    expect(text).toContain(`# {trace_id="${TRACE_ID}"} 98 `);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(await (await web.get('/metrics')).text()).not.toContain(TRACE_ID);
  });
});

describe('the page', () => {
  it('warns when no CronJob was seen', async () => {
    expect(await page('/')).toContain('No CronJob was seen in the namespaces team-a, team-b yet.');
    fillSample(web.store, NOW, 1);
    const filled = await page('/');
    expect(filled).not.toContain('No CronJob was seen');
    expect(filled).toContain('5 CronJobs seen');
  });

  it('shows runs with their states, counts, filters and the next page', async () => {
    fillSample(web.store, NOW, 60);
    const text = await page('/?namespace=shop&limit=5');
    expect(text).toContain('cart-cleanup-');
    expect(text).not.toContain('>invoice-export<');
    expect(text).toMatch(/all <b>24<\/b>/);
    expect(text).toMatch(/href="\/\?limit=5&amp;cursor=[^"]+&amp;namespace=shop|rel="next" href="[^"]*cursor=/);
  });

  it('shows one run with attempts, receipts and the reasons of what was not sent', async () => {
    fillSample(web.store, NOW, 60);
    const failed = await page(`/runs/${sampleUid(1)}`);
    expect(failed).toContain('BackoffLimitExceeded');
    expect(failed).toContain('OOMKilled');
    expect(failed).toContain('node-2.example.internal');
    expect(failed).toContain('<time datetime="2026-11-21T11:52:30.000Z" title="2026-11-21T11:52:30.000Z">');
    expect(failed).toContain('an earlier try had an unknown outcome');
    expect(await page(`/runs/${sampleUid(30)}`)).toContain('happened before the cut-off of this destination');
  });

  it.each(['/desired', '/deliveries', '/drops'])('shows %s', async (path) => {
    fillSample(web.store, NOW, 60);
    const text = await page(path);
    expect(text).toContain('<table class="list" aria-label=');
    expect(text).toContain(`aria-current="page"`);
  });

  it('counts what was not sent by kind and reason, with links that filter', async () => {
    fillSample(web.store, NOW, 60);
    web.metrics.deduplicated('Pod', 'unchanged', 41);
    web.metrics.deduplicated('Pod', 'known', 1);
    const text = await page('/drops?kind=delivery');
    expect(text).toContain('Records with nothing new since the start: 42 × Pod');
    expect(text).toMatch(/href="\/drops\?kind=delivery&amp;reason=bad_request"[^>]*>\s*<b>\d+<\/b> the vendor refused/);
    expect(text).not.toContain('happened before the cut-off');
  });

  it('escapes every name and message that it shows', async () => {
    const evil = `"><script>alert(1)</script>`;
    const uid = 'evil/../<uid>';
    const run = {
      uid,
      kind: 'Job',
      namespace: evil,
      name: evil,
      runKey: uid,
      ownerKind: 'CronJob',
      ownerName: evil,
      ownerUid: undefined,
      status: 'failed',
      createdAt: NOW,
      scheduledAt: undefined,
      startedAt: NOW,
      endedAt: NOW,
      reason: evil,
      message: evil,
      deleted: false,
    } as const;
    web.store.transaction((tx) => {
      tx.runs.put({ run, memory: { memos: {}, waiting: [], waitingFor: undefined } });
      tx.timeline.add(
        { id: evil, kind: 'run.ended', at: NOW, about: ABOUT, runUid: uid, text: evil, message: evil },
        NOW,
      );
      tx.timeline.decide({
        transitionId: evil,
        destination: evil,
        verdict: 'dropped',
        reason: 'not_selected',
        detail: evil,
        at: NOW,
      });
      const limits: [] = [];
      tx.timeline.enqueue(evil, evil, { key: evil, lane: evil, payload: { evil }, limits }, NOW);
    });
    const paths = [
      '/',
      `/runs/${encodeURIComponent(uid)}`,
      '/deliveries',
      '/drops',
      `/?owner=${encodeURIComponent(evil)}`,
    ];
    for (const path of [...paths, `/?status=${encodeURIComponent(evil)}`]) {
      const text = await page(path);
      expect(text).not.toContain('<script>');
      expect(text).toContain('&lt;script&gt;');
      expect(text).toContain('test &lt;cluster&gt;');
    }
  });

  it('loads nothing from elsewhere and can neither be framed nor run inline code', async () => {
    const response = await web.get('/');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    const text = await response.text();
    for (const [, url] of text.matchAll(/(?:src|href)="([^"]*)"/g)) expect(url).toMatch(/^[/#]/);
    expect(text).not.toMatch(/<script(?![^>]*src=)|\sstyle="|\son\w+="/);
    for (const asset of ['style.css', 'page.js', 'idiomorph.js', 'icon.svg'])
      expect((await web.get(`/assets/${asset}`)).status).toBe(200);
  });

  it('answers an unknown run, a bad query and a malformed address with a page that says so', async () => {
    const missing = await web.get('/runs/none');
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain('Not found');
    const bad = await web.get('/?status=done');
    expect(bad.status).toBe(400);
    expect(await bad.text()).toContain('Allowed: running, pending');
    expect((await web.get('/runs/%')).status).toBe(400);
  });

  it('keeps the details of an error for the log', async () => {
    const reader = openReader(web.path);
    const broken = await startWeb({ ...web.options, port: 0, reader });
    reader.close();
    const response = await fetch(`http://127.0.0.1:${broken.port}/`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('not open');
    expect(web.logged.join('')).toContain('not open');
    await broken.close();
  });
});

it('says which setting to change when the port is taken', async () => {
  const taken = startWeb(web.options);
  await expect(taken).rejects.toThrow(UserError);
  await expect(taken).rejects.toMatchObject({ next: expect.stringContaining('web.port') });
});
