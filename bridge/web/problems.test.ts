import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../store/problems.ts';
import { fillSample } from './sample-store.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

let web: TestWeb;
beforeEach(async () => {
  web = await startTestWeb();
  fillSample(web.store, NOW, 10);
});
afterEach(() => web.close());

const problem: Problem = {
  annotation: 'k8s.cronitor.io/exclude',
  value: '<yes>',
  allowed: 'true or false',
  used: 'no answer',
  destinations: ['cronitor/a', 'cronitor/b'],
};
const CRON_JOB = {
  kind: 'CronJob' as const,
  uid: 'c0ffee00-0000-4000-8000-000000000000',
  namespace: 'shop',
  name: 'cart-cleanup',
};
const find = (...problems: Problem[]): void =>
  web.store.transaction((tx) => tx.problems.set(CRON_JOB, problems, NOW - 60_000));
const page = async (path: string): Promise<string> => (await (await web.get(path)).text()).replaceAll(/\s+/g, ' ');
const api = async (path: string): Promise<unknown> => (await web.get(path)).json();

describe('annotations that cannot be read', () => {
  it('are nowhere while there are none', async () => {
    expect(await page('/')).not.toContain('cannot be read');
    expect(await page('/cronjobs')).not.toContain('cannot be read');
    expect(await page('/problems')).toContain('Every annotation can be read.');
    expect(await api('/api/problems')).toEqual({ items: [] });
  });

  it('are a list with what is allowed, what is used and whether the Event is written', async () => {
    find(problem, { ...problem, annotation: 'k8s.cronitor.io/grace-seconds', value: 'soon' });
    const list = await page('/problems');
    expect(list).toContain('k8s.cronitor.io/exclude: &quot;&lt;yes&gt;&quot;');
    expect(list).toContain('<td>cronitor/a, cronitor/b</td>');
    expect(list).toContain('not written yet');
    const [event] = web.store.dueEvents(1, NOW);
    web.store.settleEvents([{ ...event!, failed: { error: 'forbidden', delayMs: 1000 } }], NOW);
    expect(await page('/problems')).toContain('not written: forbidden');
    web.store.settleEvents([event!], NOW);
    expect(await api('/api/problems?namespace=shop&name=cart-cleanup')).toEqual({
      items: [
        {
          ...CRON_JOB,
          problems: [
            { ...problem, sinceAt: '2026-11-21T11:59:30.000Z' },
            expect.objectContaining({ annotation: 'k8s.cronitor.io/grace-seconds' }),
          ],
          eventAt: '2026-11-21T12:00:30.000Z',
        },
      ],
    });
  });

  it('stand at the CronJob, in the list of CronJobs and above its runs', async () => {
    find(problem);
    expect(await page('/')).toContain('<a href="/problems">1 object with annotations that cannot be read</a>');
    expect(await page('/cronjobs')).toMatch(
      /href="\/problems\?namespace=shop&amp;name=cart-cleanup"[^>]*>.*1 annotation cannot be read/,
    );
    expect(await page('/?namespace=shop&owner=cart-cleanup')).toContain('An annotation cannot be read:');
    expect(await page('/?namespace=shop&owner=price-import')).not.toContain('An annotation cannot be read:');
    expect(await api('/api/cronjobs?limit=500')).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ uid: CRON_JOB.uid, problems: [expect.anything()] })]),
    });
    expect(await (await web.get('/metrics')).text()).toContain(
      'lifecycle_bridge_annotation_problems{destination="cronitor/b",annotation="k8s.cronitor.io/exclude"} 1\n',
    );
    find();
    expect(await page('/cronjobs')).not.toContain('cannot be read');
    expect(await (await web.get('/metrics')).text()).toContain(
      'lifecycle_bridge_annotation_problems{destination="cronitor/b",annotation="k8s.cronitor.io/exclude"} 0\n',
    );
  });
});
