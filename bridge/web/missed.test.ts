import { afterEach, beforeEach, expect, it } from 'vitest';
import { cronJobFacts } from '../../test/fixtures/facts.ts';
import { notRun } from '../lifecycle/schedule-watch.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

const AT = Date.parse('2026-11-21T11:55:00Z');
let web: TestWeb;

beforeEach(async () => {
  web = await startTestWeb();
  const verdict = { at: AT, status: 'missed', reason: 'missed_schedule' } as const;
  const { run, transition } = notRun(cronJobFacts(), verdict, 'missed-uid');
  web.store.transaction((tx) => {
    tx.runs.put({ run, memory: { memos: {}, waiting: [], waitingFor: undefined } });
    tx.timeline.add(transition, NOW);
  });
});
afterEach(() => web.close());

it('lists a missed schedule among the runs, with its CronJob and scheduled time', async () => {
  const page = await (await web.get('/?status=missed')).text();
  expect(page).toContain('class="badge bad"');
  expect(page).toMatch(/report<\/a\s*>/);
  expect(page).toContain('2026-11-21T11:55:00.000Z');
  expect(page).toContain('missed_schedule');
});

it('says on its page what did not happen, and nothing of a start or an end', async () => {
  const page = await (await web.get('/runs/missed-uid')).text();
  expect(page).toContain('missed: no Job was made for this scheduled time');
  expect(page).not.toContain('Started');
  expect(page).not.toContain('not yet');
});
