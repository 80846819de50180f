import { DatabaseSync } from 'node:sqlite';

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Run } from '../../bridge/lifecycle/transition.ts';
import { Live } from '../../bridge/web/live.ts';
import { fillSample, sampleUid } from '../../bridge/web/sample-store.ts';
import { startWeb } from '../../bridge/web/server.ts';
import { NOW, startTestWeb, type TestWeb } from '../../bridge/web/test-web.ts';
import { haveChromium, launchChromium } from './chromium.ts';

const AWAY = 'The bridge does not answer';
let browser: Browser;
let context: BrowserContext;
let page: Page;
let live: Live;
let web: TestWeb;
let url: string;
let complaints: string[];

beforeAll(async () => {
  if (haveChromium) browser = await launchChromium();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  live = new Live();
  web = await startTestWeb({ live });
  url = `http://127.0.0.1:${web.options.port}`;
  fillSample(web.store, NOW, 60);
  if (!haveChromium) return;
  context = await browser.newContext({ viewport: { width: 1000, height: 500 } });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
});
afterEach(async () => {
  await context?.close();
  await web.close();
  if (complaints?.length > 0) throw new Error(`the browser complains: ${complaints.join('\n')}`);
});

/** Opens a page that hears of changes from now on. */
async function open(path: string): Promise<void> {
  const listening = page.waitForResponse(`${url}/events`);
  await page.goto(url + path);
  await listening;
}

/** A run changes, and every open page hears of it. */
function change(uid: string, more: Partial<Run>): void {
  const { run } = web.options.reader.run(uid)!;
  const memory = { memos: {}, waiting: [], waitingFor: undefined };
  web.store.transaction((tx) => tx.runs.put({ run: { ...run, ...more }, memory }));
  live.changed();
}

/** One more run, newer than all. */
function addRun(name: string): void {
  change(sampleUid(0), { uid: name, runKey: name, name, startedAt: NOW });
}

const liveText = (): Promise<string> => page.locator('#live').innerText();

describe.skipIf(!haveChromium)('an open page', () => {
  it('is updated while a payload is open, and keeps it open, scrolled and selected', async () => {
    await open(`/runs/${sampleUid(0)}`);
    const payload = page.locator('table.deliveries details').first();
    await payload.locator('summary').click();
    await page.evaluate(`
      document.styleSheets[0].insertRule('details pre { height: 30px; overflow: auto }');
      document.querySelector('details pre').scrollTop = 20;
      getSelection().selectAllChildren(document.querySelector('details pre'));
      window.selected = String(getSelection());
      window.scrollTo(0, 120);`);
    change(sampleUid(0), { status: 'failed', endedAt: NOW, reason: 'DeadlineExceeded' });
    await page.locator('h1').getByText('failed').waitFor();
    expect(await payload.getAttribute('open')).toBe('');
    expect(await page.evaluate('document.querySelector("details pre").scrollTop')).toBe(20);
    expect(await page.evaluate('getSelection().toString() === window.selected && window.selected !== ""')).toBe(true);
    expect(await page.evaluate('window.scrollY')).toBeGreaterThan(0);
    await payload.locator('summary').click();
    change(sampleUid(0), { status: 'succeeded' });
    await page.locator('h1').getByText('succeeded').waitFor();
    expect(await payload.getAttribute('open')).toBe(null);
  });

  it('keeps the focus and the place of the run that one looks at when newer ones come', async () => {
    await open('/');
    const looked = page.locator(`a[href="/runs/${sampleUid(20)}"]`);
    await looked.focus();
    await looked.scrollIntoViewIfNeeded();
    const before = await looked.boundingBox();
    addRun('first-of-all');
    addRun('second-of-all');
    await page.getByRole('link', { name: 'second-of-all' }).waitFor();
    const focused = 'document.activeElement.getAttribute("href")';
    expect(await page.evaluate(focused)).toBe(`/runs/${sampleUid(20)}`);
    const after = await looked.boundingBox();
    expect(Math.abs(after!.y - before!.y)).toBeLessThan(2);
  });

  it('of something that is not there stays what it is, and never claims that the bridge is away', async () => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    for (const path of ['/runs/none', '/?status=done', '/?cursor=x', '/quarantine/77']) {
      requests.length = 0;
      const answer = await page.goto(url + path, { waitUntil: 'networkidle' });
      expect(answer!.status()).toBeGreaterThanOrEqual(400);
      live.changed();
      expect(await page.evaluate('document.scripts.length')).toBe(0);
      expect(await liveText()).toBe('');
      expect(requests.filter((asked) => asked !== '/assets/icon.svg')).toEqual([
        path.replace(/\?.*/, ''),
        '/assets/style.css',
      ]);
    }
  });

  it('of a run that is removed meanwhile becomes the page that says so', async () => {
    addRun('short-lived');
    await open('/runs/short-lived');
    let away = false;
    await page.exposeFunction('sawAway', () => (away = true));
    await page.evaluate(`new MutationObserver(() => {
      if (document.querySelector('#live').textContent !== '') window.sawAway();
    }).observe(document.querySelector('#live'), { childList: true, characterData: true, subtree: true })`);
    const retention = new DatabaseSync(web.path);
    retention.exec("DELETE FROM runs WHERE uid = 'short-lived'");
    retention.close();
    live.changed();
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    expect(away).toBe(false);
  });

  it('says that the bridge is away while it is, and is current when it is back', async () => {
    const first = await startWeb({ ...web.options, live: new Live(), port: 0 });
    url = `http://127.0.0.1:${first.port}`;
    await open('/');
    await first.close();
    await page.getByText(AWAY).waitFor();
    addRun('meanwhile');
    const again = await startWeb({ ...web.options, live: new Live(), port: first.port });
    await page.getByRole('link', { name: 'meanwhile' }).waitFor();
    expect(await liveText()).toBe('');
    await again.close();
  });

  it('counts on what a run takes, as the bridge writes it', async () => {
    await page.clock.install();
    await page.goto(`${url}/runs/${sampleUid(0)}`);
    // The bridge's clock stands still in this test: what it says of the run later would begin again.
    await page.route('**/runs/**', (route) => route.abort());
    const took = page.locator('[data-elapsed]').first();
    expect(await took.innerText()).toMatch(/^1 m( \d+ s)?$/);
    await page.clock.fastForward(30 * 60_000);
    expect(await took.innerText()).toMatch(/^3\d m( \d+ s)?$/);
    await page.clock.fastForward(2 * 3_600_000);
    expect(await took.innerText()).toMatch(/^2 h 3\d m$/);
  });
});
