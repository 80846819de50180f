import { afterEach, beforeEach, expect, it } from 'vitest';

import { fillSample, sampleUid } from './sample-store.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

/** More than a page of the sample has in all. */
const BOUND = 3000;

let web: TestWeb;
beforeEach(async () => {
  web = await startTestWeb();
});
afterEach(() => web.close());

/** What links and assets of a page lead to, in this server. */
function linksOf(text: string): string[] {
  const found = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link!.replaceAll('&amp;', '&'));
  return found.filter((link) => !link.startsWith('#'));
}

/** Opens `start` and every page that can be reached from it; returns the answers that are none, and what was opened. */
async function crawl(...start: readonly string[]): Promise<{ broken: string[]; opened: ReadonlySet<string> }> {
  const opened = new Set(start);
  const broken: string[] = [];
  for (const path of opened) {
    const response = await web.get(path);
    const text = await response.text();
    if (response.status >= 400) broken.push(`${response.status} ${path}`);
    if (!response.headers.get('content-type')?.includes('text/html')) continue;
    for (const link of linksOf(text)) opened.add(link);
    expect(opened.size).toBeLessThan(BOUND);
  }
  return { broken, opened };
}

it('opens every link of every page of a sample store', async () => {
  fillSample(web.store, NOW, 60);
  const { broken, opened } = await crawl('/', '/?limit=7', '/deliveries?limit=7', '/drops?limit=7', '/desired?limit=2');
  expect(broken).toEqual([]);
  for (const path of [`/runs/${sampleUid(59)}`, '/quarantine/1', '/cronjobs', '/drops?kind=quarantine', '/metrics'])
    expect(opened).toContain(path);
  for (const list of ['/?', '/deliveries?', '/drops?', '/desired?'])
    expect([...opened].filter((path) => path.startsWith(list) && path.includes('cursor=')).length).toBeGreaterThan(1);
});

it('opens every link of a store in which nothing is', async () => {
  expect((await crawl('/', '/problems')).broken).toEqual([]);
});

it('a run links to its backends, on its page and in the API, and what is in a link is escaped', async () => {
  await web.close();
  const url = 'https://jaeger.example.com/trace/1?a="b"&c';
  const link = { destination: 'opentelemetry/backend', label: 'trace', url };
  web = await startTestWeb({ links: ({ uid }) => (uid === sampleUid(1) ? [link] : []) });
  fillSample(web.store, NOW, 3);
  const page = await (await web.get(`/runs/${sampleUid(1)}`)).text();
  expect(page).toContain('<dt>Backend</dt>');
  expect(page).toContain('href="https://jaeger.example.com/trace/1?a=&quot;b&quot;&amp;c" rel="noreferrer"');
  expect(await (await web.get(`/api/runs/${sampleUid(1)}`)).json()).toMatchObject({ links: [link] });
  expect(await (await web.get(`/runs/${sampleUid(2)}`)).text()).not.toContain('<dt>Backend</dt>');
  expect(await (await web.get(`/api/runs/${sampleUid(2)}`)).json()).not.toHaveProperty('links');
});
