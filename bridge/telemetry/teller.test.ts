import { beforeEach, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { Teller } from './teller.ts';

let lines: { level: string; msg: string; [field: string]: unknown }[];
let metrics: Metrics;
let teller: Teller;

beforeEach(() => {
  lines = [];
  metrics = createMetrics({ version: '1', clock: { now: () => 0 } });
  const write = (line: string): void => void lines.push(JSON.parse(line) as (typeof lines)[number]);
  teller = new Teller(metrics, createLogger('info', [], { write }));
});

const words = (): string[] => lines.map(({ level, msg }) => `${level} ${msg}`);

it('counts each delivery and logs when a vendor fails and when it works again', async () => {
  for (let times = 0; times < 3; times++)
    teller.settled('cronitor/a', { outcome: 'retry', reason: 'server_error', detail: 'HTTP 500' }, 'intent');
  for (let times = 0; times < 3; times++) teller.settled('cronitor/a', { outcome: 'delivered' }, 'intent');
  expect(words()).toEqual(['warn a delivery failed; it is tried again', 'info deliveries work again']);
  expect(lines[0]).toMatchObject({ destination: 'cronitor/a', reason: 'server_error', detail: 'HTTP 500' });
  const text = await metrics.text();
  expect(text).toContain('{destination="cronitor/a",outcome="retry",reason="server_error"} 3');
  expect(text).toContain('{destination="cronitor/a",outcome="delivered",reason="delivered"} 3');
});

it('logs what was given up and which monitor was refused, and takes neither for the other', () => {
  teller.settled('cronitor/a', { outcome: 'drop', reason: 'bad_request' }, 'desired');
  teller.settled('cronitor/a', { outcome: 'drop', reason: 'expired' }, 'intent');
  teller.settled('cronitor/a', { outcome: 'delivered' }, 'desired');
  expect(words()).toEqual([
    'warn a monitor was refused; /monitors shows it',
    'warn a delivery was given up; /drops shows it',
  ]);
});

it('says nothing about a dry run or a stop', () => {
  teller.settled('cronitor/a', { outcome: 'drop', reason: 'dry_run' }, 'intent');
  teller.settled('cronitor/a', { outcome: 'retry', reason: 'shutting_down' }, 'intent');
  expect(lines).toEqual([]);
});

it('logs once that the store cannot commit, until it can', () => {
  expect(teller.storeFails).toBe(false);
  for (let times = 0; times < 5; times++) teller.storeFailed(new Error('database or disk is full'));
  expect(teller.storeFails).toBe(true);
  teller.storeWorks();
  expect(teller.storeFails).toBe(false);
  expect(words()).toEqual([
    'error the store cannot commit; senders keep what they have',
    'info the store commits again',
  ]);
});
