import { afterEach, beforeEach, expect, it } from 'vitest';

import { Live } from './live.ts';
import { startTestWeb, type TestWeb } from './test-web.ts';

const live = { current: new Live() };
let web: TestWeb;
beforeEach(async () => {
  live.current = new Live();
  web = await startTestWeb({ live: live.current });
});
afterEach(() => web.close());

/** An open page: the versions that it heard of so far. */
async function open(): Promise<{
  versions: string[];
  status: number;
  ended: Promise<'by the bridge' | 'cut off'>;
  stop(): void;
}> {
  const stop = new AbortController();
  const response = await web.get('/events', { signal: stop.signal });
  const versions: string[] = [];
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      const text = decoder.decode(chunk as Uint8Array, { stream: true });
      versions.push(...[...text.matchAll(/^data: (.*)$/gm)].map(([, version]) => version ?? ''));
    }
  };
  return {
    versions,
    status: response.status,
    ended: read().then(
      () => 'by the bridge',
      () => 'cut off',
    ),
    stop: () => stop.abort(),
  };
}

it('sends the version at once, then each change, a burst of them once', async () => {
  const page = await open();
  await expect.poll(() => page.versions).toEqual([live.current.version]);
  for (let index = 0; index < 50; index++) live.current.changed();
  await expect.poll(() => page.versions.at(-1)).toBe(live.current.version);
  expect(page.versions).toHaveLength(2);
  expect(await (await web.get('/')).text()).toContain(`<body data-live="${live.current.version}">`);
  page.stop();
});

it('is bounded, and lets others in when pages are closed', async () => {
  const pages = await Promise.all(Array.from({ length: 100 }, open));
  expect((await web.get('/events')).status).toBe(503);
  pages[0]?.stop();
  await expect.poll(async () => (await open()).status).toBe(200);
});

it('keeps no place for who only asks by HEAD', async () => {
  for (let count = 0; count < 110; count++) expect((await web.get('/events', { method: 'HEAD' })).status).toBe(200);
  expect((await open()).status).toBe(200);
});

it('ends with the bridge, which does not have to cut it off', async () => {
  const page = await open();
  await web.close();
  expect(await page.ended).toBe('by the bridge');
  web = await startTestWeb();
});
