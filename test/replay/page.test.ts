import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../bridge/app/app.ts';
import { loadConfig } from '../../bridge/config/load.ts';
import { systemClock } from '../../bridge/lib/clock.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { createLogger } from '../../bridge/telemetry/logger.ts';
import { until } from '../harness/kube.ts';
import { connectOtlp, encodeLogs } from '../otlp-client.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { BatchObjects, runUid } from './batch-objects.ts';
import { haveChromium, launchChromium } from './chromium.ts';

const TOKEN = 'a-token-for-the-page';
const objects = new BatchObjects(Date.now());
const releases = new Releases();
let app: App;
let url: string;
let browser: Browser;

beforeAll(async () => {
  if (!haveChromium) return;
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const vendors = await startVendors();
  releases.add(() => vendors.close());
  const cronitor = { default: { apiKey: vendors.key, apiUrl: vendors.url, pingUrl: vendors.url } };
  const overrides = {
    cluster: { name: 'test', list: false },
    otlp: { port: 0, host: '127.0.0.1' },
    web: { port: 0, auth: 'token', token: TOKEN },
    store: { path: join(folder, 'bridge.db') },
    cronitor,
  };
  const config = loadConfig({ env: {}, overrides });
  app = await startApp({ config, clock: systemClock, logger: createLogger('error', []) });
  releases.add(async () => void (await app.stop()));
  url = `http://127.0.0.1:${app.webPort}`;
  await send(objects.cronJob('report'), objects.cronJob('a-rather-long-name-for-a-cronjob-that-wraps'));
  vendors.inject({ match: 'state=run', status: 404 });
  await send(...objects.started('a-rather-long-name-for-a-cronjob-that-wraps', 2));
  await until('the refused ping is given up', async () => app.reader.dropCounts().length === 1);
  await exportBodies(['garbage']);
  await send(...objects.succeeded('report', 1), ...objects.failed('a-rather-long-name-for-a-cronjob-that-wraps', 2));
  // The failure waits for its pods before it is reported, and the page shows when it was.
  await until('the failure is reported', () => vendors.cronitor.pings.some(({ query }) => query.state === 'fail'));
  await allIsReported();
  browser = await launchChromium();
  releases.add(() => browser.close());
});
afterAll(() => releases.release());

const allIsReported = (): Promise<unknown> =>
  until('all is reported', () => app.reader.depth().every(({ pending, notInSync }) => pending + notInSync === 0));

async function send(...bodies: readonly object[]): Promise<void> {
  await exportBodies(bodies.map((object) => ({ type: 'MODIFIED', object })));
}

async function exportBodies(bodies: readonly unknown[]): Promise<void> {
  const client = connectOtlp(`127.0.0.1:${app.otlpPort}`);
  expect((await client.export(encodeLogs(bodies.map((body) => ({ body }))))).code).toBe(0);
  client.close();
}

describe.skipIf(!haveChromium)('in Chromium', () => {
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeEach(async () => {
    context = await browser.newContext({ timezoneId: 'Asia/Kathmandu', locale: 'en-GB' });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // A refused login is a 401, which Chromium calls an error.
      if (message.type() === 'error' && !message.text().includes('status of 401')) complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(`the browser complains: ${complaints.join('\n')}`);
  });

  async function logIn(path = '/'): Promise<void> {
    await page.goto(`${url}${path}`);
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(`${url}${path}`);
  }

  it('lets in with the token, back to where one wanted to go, and out again', async () => {
    await page.goto(`${url}/deliveries?status=delivered`);
    await page.getByLabel('Token').fill('not the token at all');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('This is not the token.').waitFor();
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByLabel('Token').press('Enter');
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    expect(page.url()).toBe(`${url}/deliveries?status=delivered`);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.goto(url);
    await page.getByLabel('Token').waitFor();
  });

  it('filters the list of runs by state, namespace and CronJob', async () => {
    await logIn();
    const rows = page.locator('table.runs tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('navigation', { name: 'States' }).getByText('failed').click();
    await expect.poll(() => rows.count()).toBe(1);
    expect(await rows.first().innerText()).toContain('BackoffLimitExceeded');
    await page.getByRole('navigation', { name: 'States' }).getByText('all').click();
    await page.getByRole('link', { name: 'report', exact: true }).click();
    await expect.poll(() => rows.count()).toBe(1);
    expect(new URL(page.url()).searchParams.get('owner')).toBe('report');
    await page.getByRole('link', { name: 'Remove this filter' }).last().click();
    await expect.poll(() => rows.count()).toBe(2);
  });

  it("shows a run with times in the viewer's zone and ISO on hover", async () => {
    await logIn();
    await page.getByRole('link', { name: 'report-1', exact: true }).click();
    await page.getByRole('heading', { name: /shop\/report-1/ }).waitFor();
    const time = page.locator('ol.timeline time').first();
    const iso = await time.getAttribute('title');
    expect(iso).toBe(new Date(objects.startOf(1)).toISOString());
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kathmandu', timeStyle: 'medium' });
    expect(await time.innerText()).toContain(clock.format(objects.startOf(1)));
    await expect.poll(() => page.locator('table.deliveries tbody tr').count()).toBe(2);
  });

  it('shows new runs and their end without a reload, also in a second tab', async () => {
    const listening = page.waitForResponse(`${url}/events`);
    await logIn();
    await listening;
    const other = await context.newPage();
    await other.goto(url);
    await page.bringToFront();
    await page.evaluate('window.notReloaded = true');
    await send(...objects.started('report', 3));
    await page.getByRole('link', { name: 'report-3', exact: true }).waitFor();
    await send(...objects.succeeded('report', 3));
    await page.locator('tr', { hasText: 'report-3' }).getByText('succeeded').waitFor();
    expect(await page.evaluate('window.notReloaded')).toBe(true);
    await other.getByRole('link', { name: 'report-3', exact: true }).waitFor();
  });

  it('lists what was not sent or not understood, filtered by kind and reason', async () => {
    await logIn('/drops');
    const rows = page.locator('table.list tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('navigation', { name: 'Kinds' }).getByText('given up').click();
    await expect.poll(() => rows.count()).toBe(1);
    await page.locator('ul.reasons a').click();
    expect(new URL(page.url()).search).toBe('?kind=delivery&reason=not_found');
    await page.goto(`${url}/drops?kind=quarantine`);
    await page.locator('td.name a').click();
    await page.getByText('"garbage"').waitFor();
  });

  it('asks nothing while nothing happens', async () => {
    const listening = page.waitForResponse(`${url}/events`);
    await logIn();
    await listening;
    await allIsReported();
    await page.waitForTimeout(1_000); // until what was reported is shown
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.waitForTimeout(2_000);
    // Chromium fetches the icon of a tab when it has time.
    expect(requests.filter((asked) => !asked.endsWith('/assets/icon.svg'))).toEqual([]);
  });

  it.each(['/', '/desired', '/deliveries', '/drops', '/cronjobs', `/runs/${runUid(2)}`])(
    'shows %s on 400 pixels without scrolling sideways',
    async (path) => {
      await page.setViewportSize({ width: 400, height: 800 });
      await logIn(path);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
      const folder = process.env['LIFECYCLE_BRIDGE_SCREENSHOTS'];
      if (folder === undefined) return;
      const name = path.replaceAll('/', '_');
      await page.screenshot({ path: join(folder, `${name}-400.png`), fullPage: true });
      await page.setViewportSize({ width: 1200, height: 800 });
      await page.screenshot({ path: join(folder, `${name}-1200.png`), fullPage: true });
    },
  );
});
