/**
 * Makes docs/page.png, the picture of the README: the page of a failed run as the real page shows it, over the sample store
 * of the tests. Needs Chromium (apt-get install chromium, or LIFECYCLE_BRIDGE_CHROMIUM=PATH):
 *   . scripts/env.sh && node scripts/screenshot.ts
 */
import { join } from 'node:path';
import { Releases } from '../bridge/lib/releases.ts';
import { fillSample, sampleUid } from '../bridge/web/sample-store.ts';
import { NOW, startTestWeb } from '../bridge/web/test-web.ts';
import { launchChromium } from '../test/replay/chromium.ts';

const FILE = join(import.meta.dirname, '../docs/page.png');
const FAILED_RUN = sampleUid(1);

const releases = new Releases();
try {
  const web = await startTestWeb({ version: '0.1.0', cluster: { name: 'production', scope: 'cluster' } });
  releases.add(() => web.close());
  fillSample(web.store, NOW, 60);
  const browser = await launchChromium();
  releases.add(() => browser.close());
  const context = await browser.newContext({ colorScheme: 'light', timezoneId: 'UTC', locale: 'en-GB' });
  const page = await context.newPage();
  await page.setViewportSize({ width: 1200, height: 1000 });
  await page.goto(`http://127.0.0.1:${web.options.port}/runs/${FAILED_RUN}`);
  await page.screenshot({ path: FILE });
} finally {
  await releases.release();
}
