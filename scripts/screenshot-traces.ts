/**
 * Makes the pictures of docs/traces.md: a failed run on our page, and its logs in VictoriaLogs, as "scripts/demo --replay" shows
 * them where VictoriaLogs is built. Needs Chromium, as scripts/screenshot.ts does, and the address of the demo's page:
 *   . scripts/env.sh && node scripts/screenshot-traces.ts http://127.0.0.1:PORT/
 */
import { join } from 'node:path';
import { launchChromium } from '../test/replay/chromium.ts';

const docs = join(import.meta.dirname, '../docs');
const [page = ''] = process.argv.slice(2);

interface Shown {
  readonly run: { readonly uid: string };
  readonly links: readonly { readonly label: string; readonly url: string }[];
}

async function api<T>(path: string): Promise<T> {
  return (await (await fetch(new URL(`api/${path}`, page))).json()) as T;
}

const { items } = await api<{ items: readonly { readonly uid: string; readonly name: string }[] }>(
  'runs?status=failed',
);
const uid = items.find(({ name }) => name.includes('retr'))?.uid ?? items[0]?.uid ?? '';
const { links } = await api<Shown>(`runs/${uid}`);
const browser = await launchChromium();
try {
  const context = await browser.newContext({ colorScheme: 'light', timezoneId: 'UTC', locale: 'en-GB' });
  const tab = await context.newPage();
  await tab.setViewportSize({ width: 1200, height: 800 });
  await tab.goto(new URL(`runs/${uid}`, page).href);
  await tab.screenshot({ path: join(docs, 'traces-run.png') });
  await tab.goto(links.find(({ label }) => label === 'logs')?.url ?? '');
  await tab.waitForSelector('text=/started|exit code/', { timeout: 60_000 });
  await tab.screenshot({ path: join(docs, 'traces-logs.png') });
} finally {
  await browser.close();
}
