import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from '../../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import type { RunLog } from '../../lifecycle/logs.ts';
import { systemClock } from '../../lib/clock.ts';
import { createHttp } from '../http.ts';
import type { Http } from '../http.ts';
import type { ClaimedIntent } from '../sink.ts';
import type { KeptLog } from '../story.ts';
import { cronitorSchema } from './config.ts';
import { createCronitorDeliverer } from './deliver.ts';
import { attempt, cronJob, JOB_UID, planConfig, planContext, run, transition } from './fixtures.ts';
import type { Given } from './fixtures.ts';
import { lastMessage, logText } from './log-text.ts';
import { pingLimits } from './ping.ts';
import { createCronitorPlanner } from './plan.ts';

const { signal } = new AbortController();

function log(changes: Partial<RunLog> = {}): RunLog {
  return {
    runUid: JOB_UID,
    namespace: 'default',
    podUid: 'pod-1',
    podName: 'report-abcde',
    container: 'main',
    instance: 0,
    exitCode: 0,
    endedAt: 1_760_000_060_000,
    restarts: false,
    outcome: 'kept',
    detail: undefined,
    bytes: 5,
    cut: false,
    ...changes,
  };
}
const kept = (text: string, changes: Partial<RunLog> = {}): KeptLog => ({ ...log(changes), text: gzipSync(text) });

const runLogs = transition({ id: `${JOB_UID}/logs`, kind: 'run.logs', at: 1_760_000_065_000 });
const context = (changes: Given = {}) =>
  planContext({
    attempts: [attempt({ nodeName: 'node-a' })],
    memo: { key: 'k', env: 'staging' },
    logs: [log()],
    ...changes,
  });

describe('the logs of a run', () => {
  const planner = createCronitorPlanner('default', planConfig());

  it('of a manual run that is not reported are neither read nor sent', () => {
    const ignoring = createCronitorPlanner('default', planConfig({ manualRuns: 'ignore' }));
    const manual = { run: run({ manual: true }), memo: undefined };
    expect(ignoring.plan(runLogs, context(manual))).toEqual({ drop: 'manual_run' });
    expect(ignoring.wantsLogs?.(context(manual), transition())).toBe(false);
    expect(planner.wantsLogs?.(context(manual), transition())).toBe(true);
  });

  it('have their share of the limit that all accounts have together', () => {
    const planned = createCronitorPlanner('default', { ...planConfig(), accounts: 4 }).plan(runLogs, context());
    expect(planned).toMatchObject({ intents: [{}, { limits: pingLimits('k', 4) }] });
  });

  it('are an upload and the event after it, in a lane of their own', () => {
    const planned = planner.plan(runLogs, context());
    expect(planned).toEqual({
      intents: [
        {
          key: `${JOB_UID}/logs/upload`,
          lane: `logs/${JOB_UID}`,
          payload: { upload: 'logs', key: 'k', series: JOB_UID },
          limits: [{ key: 'logs', perSecond: 8 }],
          waitsFor: 'k',
          story: JOB_UID,
        },
        {
          key: `${JOB_UID}/logs`,
          lane: `logs/${JOB_UID}`,
          payload: {
            key: 'k',
            query: { state: 'logs', series: JOB_UID, stamp: '1760000065', host: 'node-a', env: 'staging' },
          },
          limits: pingLimits('k'),
          waitsFor: 'k',
          story: JOB_UID,
        },
      ],
    });
  });

  it.each([
    ['log_unavailable', 'pods "x" not found'],
    ['log_forbidden', 'cannot get resource "pods/log"'],
    ['log_empty', undefined],
  ] as const)('without any text are not sent, because of %s', (outcome, detail) => {
    const logs = [log({ outcome: 'log_empty' }), log({ outcome, detail })];
    expect(planner.plan(runLogs, context({ logs }))).toEqual({ drop: outcome, ...(detail && { detail }) });
  });

  it('are not wanted of an account without them, of an excluded CronJob, or of a bare pod', () => {
    const off = createCronitorPlanner('default', planConfig({ shipLogs: false }));
    const excluded = { cronJob: cronJob({ exclude: 'true' }), memo: undefined };
    expect(planner.wantsLogs?.(context(), transition())).toBe(true);
    expect(off.wantsLogs?.(context(), transition())).toBe(false);
    expect(off.plan(runLogs, context())).toBeNull();
    expect(planner.wantsLogs?.(context(excluded), transition())).toBe(false);
    expect(planner.plan(runLogs, context(excluded))).toEqual({ drop: 'not_selected' });
    expect(planner.wantsLogs?.(context({ run: run({ kind: 'Pod' }) }), transition())).toBe(false);
  });
});

describe('the text of several logs', () => {
  it('of one is that log alone', () => {
    expect(logText([kept('a\nb\n')])).toBe('a\nb\n');
  });

  it('of several has a heading for each, with why one has no text', () => {
    const logs = [
      kept('first\n', { exitCode: 1, cut: true }),
      kept('second\n', { instance: 1 }),
      log({ container: 'proxy', outcome: 'log_unavailable', detail: 'gone' }),
    ];
    expect(logText(logs)).toBe(
      [
        '==> report-abcde/main (exit code 1, its end) <==',
        'first\n',
        '==> report-abcde/main, restart 1 (exit code 0) <==',
        'second\n',
        '==> report-abcde/proxy (the log was not there any more when it was read: gone) <==\n',
      ].join('\n'),
    );
  });

  it('is none when all were removed meanwhile', () => {
    expect(logText([log({ outcome: 'log_expired' })])).toBeUndefined();
  });
});

describe('the message of the event', () => {
  it('is the end of the log, not its beginning', () => {
    expect(lastMessage('first\nlast\n')).toBe('first\nlast');
    expect(lastMessage(`${'x'.repeat(5000)}end`)).toBe(`${'x'.repeat(1997)}end`);
  });

  it('fits into a request line, whatever it is made of', () => {
    const message = lastMessage('🚀 ü\n'.repeat(2000));
    expect(new URLSearchParams({ message }).toString().length).toBeLessThan(6100);
    expect(message.isWellFormed()).toBe(true);
    expect(message.endsWith('🚀 ü')).toBe(true);
  });
});

describe('sending logs', () => {
  let vendors: Vendors;
  let http: Http;
  beforeEach(async () => {
    vendors = await startVendors();
    http = createHttp({});
  });
  afterEach(async () => {
    await http.close();
    await vendors.close();
  });

  const intents = (logs: readonly KeptLog[]): ClaimedIntent[] => {
    const planned = createCronitorPlanner('default', planConfig()).plan(runLogs, context({ logs }));
    if (planned === null || 'drop' in planned) throw new Error('nothing is planned');
    const claimed = { seq: 1, destination: 'cronitor/default', transitionId: runLogs.id, attempt: 1 };
    const known = {
      run: run(),
      object: undefined,
      owners: [],
      previous: undefined,
      attempts: [],
      containers: [],
      transitions: [],
      events: [],
    };
    return planned.intents.map((intent) => ({ ...intent, ...claimed, story: { ...known, logs } }));
  };
  const deliver = (batch: readonly ClaimedIntent[], config: object = {}) => {
    const account = { apiKey: vendors.key, apiUrl: vendors.url, pingUrl: vendors.url, ...config };
    return createCronitorDeliverer('default', cronitorSchema.parse(account), http, systemClock).deliver(batch, signal);
  };

  it('asks for an address and puts the gzipped text there, without a header of ours', async () => {
    const [upload] = intents([kept('all of it\n')]);
    expect(await deliver([upload!])).toEqual([{ outcome: 'delivered' }]);
    expect(vendors.cronitor.logs.uploads).toMatchObject([{ monitor: 'k', series: JOB_UID, text: 'all of it\n' }]);
    expect(vendors.requests.map(({ method, status }) => [method, status])).toEqual([
      ['POST', 200],
      ['PUT', 200],
    ]);
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it('then reports it with the length of the whole and the end of it', async () => {
    const [, event] = intents([kept('ünd so\nlast line\n')]);
    expect(await deliver([event!])).toEqual([{ outcome: 'delivered' }]);
    const query = { state: 'logs', message: 'ünd so\nlast line', metric: 'length:18', series: JOB_UID };
    expect(vendors.cronitor.pings).toMatchObject([{ monitor: 'k', query }]);
  });

  it.each([
    [401, { outcome: 'drop', reason: 'unauthorized' }],
    [403, { outcome: 'drop', reason: 'forbidden' }],
    [404, { outcome: 'drop', reason: 'not_found' }],
    [400, { outcome: 'drop', reason: 'bad_request' }],
    [429, { outcome: 'retry', reason: 'rate_limited', hold: { key: 'logs' } }],
    [500, { outcome: 'retry', reason: 'server_error' }],
    [503, { outcome: 'retry', reason: 'server_error', hold: { key: 'logs' } }],
  ])('an address that is refused with %s never holds pings', async (status, delivery) => {
    vendors.inject({ match: '/api/logs/presign', status });
    const [upload] = intents([kept('x')]);
    expect(await deliver([upload!])).toMatchObject([delivery]);
  });

  it.each([
    [400, { outcome: 'drop', reason: 'bad_request' }],
    [403, { outcome: 'retry', reason: 'forbidden' }],
    [500, { outcome: 'retry', reason: 'server_error' }],
  ])('a storage that answers %s is reported without its words', async (status, delivery) => {
    vendors.inject({ match: 'PUT /log-storage', status, body: 'StringToSign: a secret' });
    const [upload] = intents([kept('x')]);
    const [result] = await deliver([upload!]);
    expect(result).toMatchObject(delivery);
    expect(JSON.stringify(result)).not.toMatch(/secret|Signature/);
  });

  it.each(['{}', 'no JSON', '{"url":"ftp://x/"}'])('an answer without an address is tried again: %s', async (body) => {
    vendors.inject({ match: '/api/logs/presign', status: 200, body });
    const [upload] = intents([kept('x')]);
    expect(await deliver([upload!])).toMatchObject([{ outcome: 'retry', reason: 'bad_answer' }]);
  });

  it.each([
    'https://127.0.0.1:1/',
    'https://169.254.169.254/latest',
    'https://[::ffff:10.0.0.1]/',
    'https://localhost/',
  ])('are put nowhere within the network because an API on the internet says so: %s', async (address) => {
    vendors.inject({ match: '/api/logs/presign', status: 200, body: JSON.stringify({ url: address }) });
    // The simulator stands for an API on the internet: only the address of the request is another one.
    const onInternet: Http = {
      request: ({ url, ...rest }) => http.request({ ...rest, url: url.replace('https://api.example', vendors.url) }),
      close: () => http.close(),
    };
    const config = cronitorSchema.parse({ apiKey: vendors.key, apiUrl: 'https://api.example' });
    const [upload] = intents([kept('x')]);
    const deliverer = createCronitorDeliverer('default', config, onInternet, systemClock);
    expect(await deliverer.deliver([upload!], signal)).toMatchObject([{ outcome: 'retry', reason: 'bad_answer' }]);
    expect(vendors.requests).toHaveLength(1);
  });

  it('gives up what was removed before it could be sent', async () => {
    const batch = intents([log({ outcome: 'kept' })]).map((intent) => {
      return { ...intent, story: { ...intent.story!, logs: [log({ outcome: 'log_expired' })] } };
    });
    expect(await deliver(batch)).toEqual([
      { outcome: 'drop', reason: 'log_expired' },
      { outcome: 'drop', reason: 'log_expired' },
    ]);
    expect(vendors.requests).toEqual([]);
  });
});
