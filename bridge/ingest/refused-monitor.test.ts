import { afterEach, beforeEach, expect, it } from 'vitest';
import { cronJobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { explainCommand } from '../commands/explain.ts';
import type { Delivery } from '../sinks/sink.ts';
import { html } from '../web/html.ts';
import { runPage } from '../web/pages/run.ts';
import { JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const DESTINATION = 'cronitor/default';
let engine: TestEngine;

beforeEach(() => {
  engine = new TestEngine();
  engine.take([seen(cronJobFacts()), seen(scheduled())]);
});

afterEach(() => engine.close());

function answerMonitors(delivery: Delivery, now: number): void {
  const rows = engine.store.claimDesired(DESTINATION, 10, now);
  const settled = rows.map(({ destination, key, wantedHash: sentHash }) => ({ destination, key, sentHash, delivery }));
  engine.store.settleDesired(settled, now);
}

async function explain(): Promise<string> {
  let text = '';
  await explainCommand([JOB_UID, '--store', engine.path], { env: {}, print: (line) => (text += line) });
  return text;
}

it('telemetry that goes although its monitor is refused for good is a decision that explain and the page show', async () => {
  const now = T0 + 60_000;
  answerMonitors({ outcome: 'drop', reason: 'bad_request', detail: 'no such schedule' }, now);
  expect(engine.decisions()).toEqual(['planned']);
  expect(engine.store.claim(DESTINATION, 10, now, [], false)).toHaveLength(1);
  expect(engine.decisions()).toEqual(['planned row_refused']);
  const shown =
    /Sent all the same, and why[^]*started[^]*sent although the vendor refuses the object that it belongs to for good: .*no such schedule/;
  expect(await explain()).toMatch(shown);
  const { body } = runPage(engine.reader.run(JOB_UID)!, { now });
  expect(html`${body}`.text).toMatch(
    /Sent all the same, and why[^]*vendor refuses the object that it belongs to for good: .*no such schedule/,
  );
});

it('telemetry of an accepted monitor needs no such decision', async () => {
  answerMonitors({ outcome: 'delivered' }, T0 + 60_000);
  expect(engine.store.claim(DESTINATION, 10, T0 + 60_000, [], false)).toHaveLength(1);
  expect(engine.decisions()).toEqual(['planned']);
  expect(await explain()).not.toContain('all the same');
});
