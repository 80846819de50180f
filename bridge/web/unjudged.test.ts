import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Unjudged } from '../lifecycle/unjudged.ts';
import { fillSample, sampleUid } from './sample-store.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

const CRON_JOB = { uid: 'c0ffee00-0000-4000-8000-000000000000', namespace: 'shop', name: 'cart-cleanup' };
const DIFFER: Unjudged = {
  reason: 'zone_data_differ',
  zone: 'America/Vancouver',
  detail: '2026-11-21T16:00:00.000Z is not a time of "0 9 * * *" in America/Vancouver',
};

let web: TestWeb;
beforeEach(async () => {
  web = await startTestWeb();
  fillSample(web.store, NOW, 10);
});
afterEach(() => web.close());

const page = async (path: string) => (await web.get(path)).text();
const set = (unjudged?: Unjudged) => web.store.transaction((tx) => tx.unjudged.set(CRON_JOB, unjudged, NOW));

it('says in the list of CronJobs, above the runs of the CronJob and at each of them that missed runs are not judged', async () => {
  const [run] = ((await (await web.get('/api/runs?owner=cart-cleanup')).json()) as { items: { uid: string }[] }).items;
  const pages = ['/cronjobs', '/?namespace=shop&owner=cart-cleanup', `/runs/${run!.uid}`];
  for (const path of pages) expect(await page(path)).not.toContain('not judged');
  set(DIFFER);
  expect(await page('/cronjobs')).toContain('not judged: zone data differ');
  for (const path of pages.slice(1)) {
    expect(await page(path)).toMatch(/Missed runs are not judged[^]*16:00:00\.000Z is not a time of &quot;0 9/);
  }
  expect(await page(`/runs/${sampleUid(1)}`)).not.toContain('not judged');
  expect(await (await web.get('/api/cronjobs?limit=500')).json()).toMatchObject({
    items: expect.arrayContaining([
      { ...CRON_JOB, lastRun: expect.anything(), problems: [], unjudged: { ...DIFFER, sinceAt: expect.any(String) } },
    ]),
  });
  expect(await page('/metrics')).toContain('lifecycle_bridge_cronjobs_unjudged{reason="zone_data_differ"} 1\n');
  set();
  for (const path of pages) expect(await page(path)).not.toContain('not judged');
  expect(await page('/metrics')).toContain('lifecycle_bridge_cronjobs_unjudged{reason="zone_data_differ"} 0\n');
});
