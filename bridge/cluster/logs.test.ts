import { gunzipSync } from 'node:zlib';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { Releases } from '../lib/releases.ts';
import type { LogResult, WantedLog } from '../store/logs.ts';
import type { KubeApi } from './api.ts';
import { FakeApi } from './fake-api.ts';
import type { LogReader } from './logs.ts';
import { startLogReader } from './logs.ts';
import type { LogAnswer } from './read-log.ts';
import { readLog } from './read-log.ts';

const LIMITS = { maxBytes: 1024, maxLines: 20, maxRunBytes: 10_000, maxStoredBytes: 100_000 };
const END = Date.UTC(2026, 0, 5, 10);
let releases: Releases;
let fake: FakeApi;
let api: KubeApi;

beforeEach(async () => {
  releases = new Releases();
  fake = new FakeApi();
  api = await fake.start();
  releases.add(() => fake.stop());
});
afterEach(() => releases.release());

function wanted(changes: Partial<WantedLog> = {}): WantedLog {
  return {
    id: 1,
    runUid: 'job-1',
    namespace: 'shop',
    podUid: 'pod-1',
    podName: 'report-abcde',
    container: 'main',
    instance: 0,
    exitCode: 1,
    endedAt: END,
    restarts: false,
    wantedAt: Date.now(),
    attempts: 0,
    ...changes,
  };
}

const { signal } = new AbortController();
const status = (code: number, message: string) => ({ status: code, body: { kind: 'Status', code, message } });
const logPaths = (): string[] => fake.requests.map(({ path }) => path).filter((path) => path.includes('/log'));
const textOf = (answer: LogAnswer): string => (answer.outcome === 'kept' ? gunzipSync(answer.text).toString() : '');

/** Serves `text` as every log. */
function logsAre(text: string): void {
  fake.intercept = (path) => (path.includes('/log?') ? { status: 200, body: text } : undefined);
}

it.each([
  { podName: '../secrets/x' },
  { podName: '..' },
  { podName: '.' },
  { podName: 'a?b=c#' },
  { namespace: '../../kube-system' },
  { namespace: '' },
])('a forged record asks the API for nothing but a pod: %o', async (changes) => {
  const answer = await readLog(api, wanted({ ...changes, restarts: true }), LIMITS, signal);
  expect(answer).toMatchObject({ outcome: 'log_unavailable' });
  expect(fake.requests).toEqual([]);
});

/** The pod with one container in this state. */
function podIs(containerStatus: object, uid = 'pod-1'): void {
  const metadata = { uid, name: 'report-abcde', namespace: 'shop', resourceVersion: '7' };
  const status = { phase: 'Running', containerStatuses: [{ name: 'main', image: 'busybox', ...containerStatus }] };
  fake.objects['pods'] = [{ kind: 'Pod', apiVersion: 'v1', metadata, spec: {}, status }];
}
const ended = { terminated: { exitCode: 1, finishedAt: '2026-01-05T10:00:00Z' } };

describe('a log', () => {
  it('is asked for by container, and by lines alone: limitBytes would cut its end off', async () => {
    logsAre('one\ntwo\n');
    const answer = await readLog(api, wanted({ container: 'a' }), LIMITS, signal);
    expect([answer.outcome, textOf(answer)]).toEqual(['kept', 'one\ntwo\n']);
    expect(logPaths()).toEqual(['/api/v1/namespaces/shop/pods/report-abcde/log?container=a&tailLines=20']);
  });

  it('is its tail, from a whole line on', async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`);
    logsAre(`${lines.join('\n')}\n`);
    const answer = await readLog(api, wanted(), LIMITS, signal);
    const text = textOf(answer);
    expect(answer).toMatchObject({ cut: true, bytes: text.length });
    expect(text).toMatch(/^line \d{4}\n[^]*\nline 4999\n$/);
    expect(text.length).toBeGreaterThan(1_000);
  });

  it('loses the word that the cut left a part of, when it is one line', async () => {
    logsAre(`${'x'.repeat(2_000)} password=hunter2 end`);
    expect(textOf(await readLog(api, wanted(), LIMITS, signal))).toBe('password=[redacted] end');
  });

  it('is redacted', async () => {
    logsAre('connecting to postgres://app:s3cret@db/shop\n');
    expect(textOf(await readLog(api, wanted(), LIMITS, signal))).toBe('connecting to postgres://[redacted]@db/shop\n');
  });

  it.each([
    ['', 'log_empty'],
    ['\n\n', 'log_empty'],
    ['unable to retrieve container logs for containerd://0123abc', 'log_unavailable'],
  ])('that is %j is %s', async (text, outcome) => {
    logsAre(text);
    expect((await readLog(api, wanted(), LIMITS, signal)).outcome).toBe(outcome);
  });

  it.each([
    [404, 'pods "report-abcde" not found', 'log_unavailable'],
    [400, 'previous terminated container "main" in pod "report-abcde" not found', 'log_unavailable'],
    [403, 'pods "report-abcde" is forbidden: cannot get resource "pods/log"', 'log_forbidden'],
    [500, 'dial tcp 10.0.0.1:10250: connect: connection refused', 'failed'],
    [503, 'try again', 'failed'],
    [429, 'too many requests', 'failed'],
  ])('that is answered with %s keeps the words of the API', async (code, detail, outcome) => {
    fake.intercept = () => status(code, detail);
    expect(await readLog(api, wanted(), LIMITS, signal)).toEqual({ outcome, detail });
  });

  it('is tried again when there is no answer', async () => {
    fake.intercept = () => 'reset';
    expect((await readLog(api, wanted(), LIMITS, signal)).outcome).toBe('failed');
  });
});

describe('a container that may have started again', () => {
  const previous = async (log: Partial<WantedLog> = {}): Promise<boolean | LogAnswer> => {
    fake.intercept = (path) => (path.includes('/log?') ? { status: 200, body: 'text' } : undefined);
    const answer = await readLog(api, wanted({ restarts: true, ...log }), LIMITS, signal);
    return answer.outcome === 'kept' ? logPaths().at(-1)!.endsWith('&previous=true') : answer;
  };

  it.each([
    ['ended for good', { restartCount: 0, state: ended }, 0, false],
    ['runs again', { restartCount: 1, state: { running: {} }, lastState: ended }, 0, true],
    ['ended again, of which the last is meant', { restartCount: 1, state: ended, lastState: ended }, 1, false],
    ['ended again, of which the one before is meant', { restartCount: 1, state: ended, lastState: ended }, 0, true],
    [
      'waits to be started',
      { restartCount: 0, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended },
      0,
      true,
    ],
  ])('%s', async (_, container, instance, expected) => {
    podIs(container);
    expect(await previous({ instance })).toBe(expected);
  });

  it('lost the log when two more instances have ended since', async () => {
    podIs({ restartCount: 2, state: { running: {} }, lastState: ended });
    expect(await previous()).toEqual({ outcome: 'log_unavailable', detail: 'the container has started 2 times since' });
  });

  it('is another one when the pod is another one', async () => {
    podIs({ restartCount: 0, state: ended }, 'pod-2');
    expect(await previous()).toMatchObject({ outcome: 'log_unavailable' });
    expect(logPaths()).toEqual([]);
  });

  it('is gone with its pod', async () => {
    expect(await previous()).toEqual({ outcome: 'log_unavailable', detail: 'not found' });
  });
});

describe('the reader', () => {
  const results: LogResult[] = [];
  let open: WantedLog[] = [];
  let reader: LogReader;

  function start(logs: readonly WantedLog[]): void {
    open = [...logs];
    results.length = 0;
    const store = {
      wantedLogs: (limit: number, _now: number, reading: readonly number[]) =>
        Promise.resolve(open.filter(({ id }) => !reading.includes(id)).slice(0, limit)),
      settleLogs: (settled: readonly LogResult[]) => {
        results.push(...settled);
        open = open.filter(({ id }) => !settled.some((result) => result.id === id));
        return Promise.resolve();
      },
    };
    reader = startLogReader({
      api,
      store,
      clock: systemClock,
      limits: LIMITS,
      isOurs: () => Promise.resolve(true),
      onRead: () => undefined,
      onError: (error) => expect.unreachable(String(error)),
    });
    releases.add(() => reader.stop());
  }

  async function settled(count: number): Promise<void> {
    for (const end = Date.now() + 20_000; results.length < count; await pause(5))
      if (Date.now() > end) throw new Error(`${results.length} of ${count} settled`);
  }
  const many = (count: number, changes: Partial<WantedLog> = {}): WantedLog[] =>
    Array.from({ length: count }, (_, id) => wanted({ id, ...changes }));

  it('reads all that is wanted, each once', async () => {
    fake.intercept = (path) => (path.includes('/log?') ? { status: 200, body: 'text\n' } : undefined);
    start(many(40));
    await settled(40);
    expect(new Set(results.map(({ id }) => id)).size).toBe(40);
    expect(results.every(({ outcome }) => outcome === 'kept')).toBe(true);
    expect(fake.count('/log?')).toBe(40);
  });

  it('tries what failed again, and gives it up after ten minutes', async () => {
    fake.intercept = () => status(500, 'no kubelet');
    start([wanted({ id: 1 }), wanted({ id: 2, wantedAt: Date.now() - 11 * 60_000 })]);
    await settled(2);
    expect(results.toSorted((a, b) => a.id - b.id)).toMatchObject([
      { outcome: 'retry', detail: 'no kubelet', delayMs: expect.any(Number) },
      { outcome: 'log_unavailable', detail: 'no kubelet' },
    ]);
  });

  it('knows where it may not read, until it may', async () => {
    fake.intercept = () => status(403, 'no');
    start(many(3));
    await settled(3);
    expect([...reader.forbidden().keys()]).toEqual(['shop']);
    logsAre('text');
    open = many(1);
    reader.wake();
    await settled(4);
    expect(reader.forbidden().size).toBe(0);
  });

  it('settles nothing that its stop interrupts: it is read after the next start', async () => {
    fake.intercept = () => status(200, '');
    const asked: string[] = [];
    const slow: KubeApi = {
      ...api,
      tail: (path, _max, signal) => {
        asked.push(path);
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'failed', error: 'aborted' }));
        });
      },
    };
    api = slow;
    start(many(12));
    for (const end = Date.now() + 20_000; asked.length < 8; await pause(5))
      if (Date.now() > end) throw new Error('not read');
    await reader.stop();
    expect([asked.length, results]).toEqual([8, []]);
  });
});
