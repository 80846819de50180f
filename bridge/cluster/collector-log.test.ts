import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backendNotes } from '../app/backend-notes.ts';
import type { KubeApi } from './api.ts';
import { type BackendBack, type CollectorLog, startCollectorLog } from './collector-log.ts';
import { FakeApi } from './fake-api.ts';

const NOW = Date.UTC(2026, 10, 30, 12);
const POD = 'ops/lb-collector-0';
let fake: FakeApi;
let api: KubeApi;
let reader: CollectorLog | undefined;
let lines: string[];
let status: number;
let asked: URL[];
let now: number;
let body: object | string;
let counted: number;
let unread: (string | undefined)[];
let backs: BackendBack[];

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  [lines, asked, unread, backs, counted, status, now] = [[], [], [], [], 0, 200, NOW];
  body = { kind: 'Status', message: 'pods "lb-collector-0" is forbidden' };
  fake.intercept = (path) => {
    if (!path.includes('/pods/lb-collector-0/log')) return undefined;
    asked.push(new URL(path, 'http://api'));
    return { status, body: status === 200 ? lines.join('\n') : body };
  };
  reader = startCollectorLog({
    api,
    clock: { now: () => now },
    pods: [POD],
    everyMs: 1,
    onAnswer: ({ count }) => void (counted += count),
    onBack: (back) => void backs.push(back),
    onUnread: (_pod, why) => unread.push(why),
  });
});
afterEach(async () => {
  await reader?.stop();
  await fake.stop();
});

const line = (seconds: number, fields: object): string =>
  JSON.stringify({ ts: NOW / 1000 + seconds, name: 'otlp/lifecycle-traces', ...fields });
const dropped = (seconds: number, count: number): string =>
  line(seconds, { msg: 'Exporting failed. Dropping data.', error: 'Permanent error: no', dropped_items: count });
const retried = (seconds: number): string =>
  line(seconds, { msg: 'Exporting failed. Will retry the request after interval.', error: 'connection refused' });
/** Two whole looks from now on. */
const looked = async (): Promise<void> => {
  const before = asked.length;
  await expect.poll(() => asked.length).toBeGreaterThan(before + 2);
};

describe('the log of the Collector', () => {
  it('says what a backend refused, each line once, however often it is read', async () => {
    lines = [dropped(-10, 13)];
    await looked();
    lines.push(dropped(-9.5, 2));
    await looked();
    expect(counted).toBe(15);
    expect(reader?.states()).toEqual([
      {
        pod: POD,
        exporter: 'otlp/lifecycle-traces',
        refused: 15,
        refusal: { at: NOW - 9_500, why: 'Permanent error: no' },
      },
    ]);
    expect(backendNotes(reader!, NOW)).toEqual([
      "The backend behind the exporter otlp/lifecycle-traces of the Collector's pod ops/lb-collector-0 refused 15 items for good, last at 2026-11-30T11:59:50.500Z: Permanent error: no",
    ]);
    expect(backendNotes(reader!, NOW + 25 * 3_600_000)).toEqual([]);
  });

  it('says since when a backend is away, until it was not said for two minutes', async () => {
    lines = [retried(-200), retried(-90), retried(-30), retried(-1)];
    await looked();
    expect(backendNotes(reader!, NOW)).toEqual([
      "The backend behind the exporter otlp/lifecycle-traces of the Collector's pod ops/lb-collector-0 takes nothing since 2026-11-30T11:56:40.000Z; the Collector keeps it and tries again: connection refused",
    ]);
  });

  it('says once that a backend takes again: how long it was away, and what it refused meanwhile', async () => {
    lines = [dropped(-100, 7), retried(-90), dropped(-60, 2), retried(-30)];
    await looked();
    expect(backs).toEqual([]);
    now += 100_000;
    await looked();
    expect(backs).toEqual([{ pod: POD, exporter: 'otlp/lifecycle-traces', awayMs: 60_000, refused: 2 }]);
    expect(reader?.states()).toMatchObject([{ refused: 9 }]);
    lines.push(retried(99));
    await looked();
    now += 120_000;
    await looked();
    expect(backs.slice(1)).toEqual([{ pod: POD, exporter: 'otlp/lifecycle-traces', awayMs: 0, refused: 0 }]);
  });

  it('says that a backend took in between when it is away once more', async () => {
    lines = [retried(-290), retried(-270), retried(-10)];
    await looked();
    expect(backs.map(({ awayMs }) => awayMs)).toEqual([20_000]);
    expect(backendNotes(reader!, NOW).join()).toContain('since 2026-11-30T11:59:50');
  });

  it('that cannot be read does not say that a backend takes again', async () => {
    lines = [retried(-30)];
    await looked();
    status = 502;
    now += 600_000;
    await looked();
    expect(backs).toEqual([]);
    lines.push(retried(590));
    status = 200;
    await looked();
    expect(backs.map(({ awayMs }) => awayMs)).toEqual([0]);
  });

  it('what was away long ago is not mentioned', async () => {
    lines = [retried(-200)];
    await looked();
    expect(backendNotes(reader!, NOW)).toEqual([]);
  });

  it('is asked for what is new only, from five minutes before the start', async () => {
    await looked();
    expect(asked[0]?.searchParams.get('sinceTime')).toBe('2026-11-30T11:55:00.000Z');
    expect(asked[0]?.searchParams.get('container')).toBe('collector');
    lines = [line(-3.2, { msg: 'Everything is ready.' })];
    await looked();
    expect(asked.at(-1)?.searchParams.get('sinceTime')).toBe('2026-11-30T11:59:56.000Z');
  });

  it('may be forbidden: that is said, until it can be read', async () => {
    status = 403;
    await looked();
    expect(unread.at(-1)).toBe('the Kubernetes API answered 403: pods "lb-collector-0" is forbidden');
    expect(backendNotes(reader!, NOW).join()).toContain('get on pods/log');
    status = 200;
    await looked();
    expect(unread.at(-1)).toBeUndefined();
    expect(backendNotes(reader!, NOW)).toEqual([]);
  });

  it('that could not be read for an hour is read from five minutes before the start', async () => {
    status = 403;
    await looked();
    now += 3_600_000;
    status = 200;
    await looked();
    expect(asked.at(-1)?.searchParams.get('sinceTime')).toBe('2026-11-30T11:55:00.000Z');
  });

  it('that a proxy refuses is said in its words, without credentials', async () => {
    [status, body] = [502, 'no way to https://app:s3cret@proxy'];
    await looked();
    expect(unread.at(-1)).toContain('the Kubernetes API answered 502: no way to');
    expect(unread.join()).not.toContain('s3cret');
  });
});
