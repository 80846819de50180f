import { beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { Reporter } from './reporter.ts';

let lines: { level: string; msg: string; [field: string]: unknown }[];
let metrics: Metrics;
let reporter: Reporter;

beforeEach(() => {
  lines = [];
  metrics = createMetrics({ version: '1', clock: { now: () => 0 } });
  const write = (line: string): void => void lines.push(JSON.parse(line) as (typeof lines)[number]);
  reporter = new Reporter(metrics, createLogger('info', [], { write }));
});

const words = (): string[] => lines.map(({ level, msg }) => `${level} ${msg}`);

it('counts each delivery and logs when a vendor fails and when it works again', async () => {
  for (let times = 0; times < 3; times++)
    reporter.settled('cronitor/a', { outcome: 'retry', reason: 'server_error', detail: 'HTTP 500' }, 'intent');
  for (let times = 0; times < 3; times++) reporter.settled('cronitor/a', { outcome: 'delivered' }, 'intent');
  expect(words()).toEqual(['warn a delivery failed; it is tried again', 'info deliveries work again']);
  expect(lines[0]).toMatchObject({ destination: 'cronitor/a', reason: 'server_error', detail: 'HTTP 500' });
  const text = await metrics.text();
  expect(text).toContain('{destination="cronitor/a",outcome="retry",reason="server_error"} 3');
  expect(text).toContain('{destination="cronitor/a",outcome="delivered",reason="delivered"} 3');
});

it('logs what was given up and which monitor was refused, and takes neither for the other', () => {
  reporter.settled('cronitor/a', { outcome: 'drop', reason: 'bad_request' }, 'desired');
  reporter.settled('cronitor/a', { outcome: 'drop', reason: 'expired' }, 'intent');
  reporter.settled('cronitor/a', { outcome: 'delivered' }, 'desired');
  expect(words()).toEqual([
    'warn a desired row was refused; /desired shows it',
    'warn a delivery was given up; /drops shows it',
  ]);
});

it('says nothing about a dry run or a stop', () => {
  reporter.settled('cronitor/a', { outcome: 'drop', reason: 'dry_run' }, 'intent');
  reporter.settled('cronitor/a', { outcome: 'retry', reason: 'shutting_down' }, 'intent');
  expect(lines).toEqual([]);
});

it('logs once that the store cannot commit, until it can', () => {
  expect(reporter.storeFails).toBe(false);
  for (let times = 0; times < 5; times++) reporter.storeFailed(new Error('database or disk is full'));
  expect(reporter.storeFails).toBe(true);
  reporter.storeWorks();
  expect(reporter.storeFails).toBe(false);
  expect(words()).toEqual([
    'error the store cannot commit: exports are refused, and the Collector keeps them',
    'info the store commits again',
  ]);
});

describe('an audit', () => {
  const complete = { result: 'complete', objects: 9, first: false, held: 0, epoch: false, again: false } as const;
  const none = { missed: 0, stale: 0, gone: 0, outdated: 0 };

  it('is counted by kind and difference, and logged when it found one', async () => {
    reporter.audited('Job', { ...complete, ...none });
    expect(lines).toEqual([]);
    reporter.audited('Job', { ...complete, missed: 1, stale: 2, gone: 3, outdated: 4 });
    expect(words()).toEqual(['info LIST complete']);
    const text = await metrics.text();
    for (const [difference, count] of Object.entries({ missed: 1, stale: 2, gone: 3, outdated: 4 }))
      expect(text).toContain(`differences_total{kind="Job",difference="${difference}"} ${count}\n`);
    expect(text).toContain('lists_total{kind="Job",result="complete"} 2\n');
  });

  it('that may not LIST several kinds is reported once for each, until it may', () => {
    const refused = { result: 'unaudited', status: 403, error: 'forbidden' } as const;
    for (const kind of ['Job', 'Pod', 'Job', 'Pod']) reporter.audited(kind, refused);
    reporter.audited('Job', { ...complete, ...none });
    expect(words()).toEqual([
      'error no permission to LIST: this kind is not audited',
      'error no permission to LIST: this kind is not audited',
      'info LIST works again',
    ]);
  });

  it('that waits for a third LIST or begins a new epoch says so', () => {
    reporter.audited('Job', { ...complete, ...none, held: 30 });
    reporter.audited('Job', { ...complete, ...none, epoch: true });
    expect(words()).toEqual([
      'warn many objects are missing from a LIST at once; waiting for a third LIST before they count as gone',
      'warn resourceVersions restarted (etcd was restored); everything was read again',
    ]);
  });
});

describe('annotations that cannot be read', () => {
  const problem = {
    kind: 'CronJob' as const,
    uid: 'uid',
    namespace: 'shop',
    name: 'report',
    annotation: 'k8s.cronitor.io/exclude',
    value: 'yes',
    allowed: 'true or false',
    used: 'no answer',
    destinations: ['cronitor/a'],
  };

  it('are one line each, and of very many one line more', () => {
    reporter.problemsFound([problem]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'warn',
      object: 'CronJob shop/report',
      value: 'yes',
      allowed: 'true or false',
    });
    reporter.problemsFound(Array.from({ length: 500 }, () => problem));
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toMatchObject({ more: 480 });
  });

  it('whose Events may not be written are reported once with what to do, until they may', () => {
    for (let times = 0; times < 3; times++) reporter.eventWritten({ result: 'forbidden', error: 'no' });
    reporter.eventWritten({ result: 'written' });
    reporter.eventWritten({ result: 'forbidden', error: 'no' });
    expect(words()).toEqual([
      'warn no permission to write Events; everything else works',
      'info Events can be written again',
      'warn no permission to write Events; everything else works',
    ]);
    expect(lines[0]!['next']).toMatch(/verb create on events\.events\.k8s\.io, or set cluster\.events: false/);
  });

  it('whose Events cannot be written for a while are reported when it begins and when it is over', () => {
    for (let times = 0; times < 3; times++) reporter.eventWritten({ result: 'unreachable', error: 'no answer' });
    reporter.eventWritten({ result: 'written' });
    expect(words()).toEqual(['warn an Event was not written; it is tried again', 'info Events are written again']);
  });
});

it('says once per time zone that missed runs are not judged, and once that they are again', () => {
  const why = { reason: 'zone_data_differ', zone: 'America/Vancouver', detail: 'what was seen' } as const;
  const [first, second] = ['report', 'cleanup'].map((name) => ({ ...why, namespace: 'shop', name }));
  reporter.unjudged([
    { ...first!, over: false, others: 0 },
    { ...second!, over: false, others: 1 },
  ]);
  reporter.unjudged([
    { ...first!, over: true, others: 1 },
    { ...second!, over: true, others: 0 },
  ]);
  expect(words()).toEqual([
    'warn missed runs of a CronJob are not judged',
    'info missed runs of a CronJob are judged again, or it is not watched any more',
  ]);
  expect(lines[0]).toMatchObject({ cronJob: 'shop/report', zone: 'America/Vancouver', tz: process.versions['tz'] });
});
