import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALWAYS } from '../kubernetes/followed.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { systemClock } from '../lib/clock.ts';
import { Releases } from '../lib/releases.ts';
import { openReader } from '../store/sqlite/open.ts';
import type { ApiBench } from './api-bench.ts';
import { startApiBench } from './api-bench.ts';
import type { Auditor } from './auditor.ts';
import { startAuditor } from './auditor.ts';
import { apiJob } from './fake-api.ts';

let releases: Releases;
let bench: ApiBench;
let rounds = 0;
let warnings = 0;

beforeEach(async () => {
  releases = new Releases();
  bench = await startApiBench(releases);
  bench.fake.objects['jobs'] = [apiJob('job-0', '100'), apiJob('job-1', '100')];
  rounds = 0;
  warnings = 0;
});

afterEach(() => releases.release());

async function until(what: string, check: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !check(); await pause(10)) if (Date.now() > end) throw new Error(what);
}

function start(kinds: readonly Kind[], intervalMs = 300_000): Auditor {
  const auditor = startAuditor({
    api: bench.api,
    kinds,
    scope: 'cluster',
    intervalMs,
    store: bench.worker.calls,
    clock: systemClock,
    isOurs: () => Promise.resolve(true),
    onResult: (kind) => (rounds += kind === 'Job' ? 1 : 0),
    onWatch: () => undefined,
    onOwnWatch: () => undefined,
    onWarnings: () => warnings++,
    onError: (error) => expect.unreachable(String(error)),
  });
  releases.add(() => auditor.stop());
  return auditor;
}

const WITH_EVENTS: readonly Kind[] = [...ALWAYS, 'Event'];

describe('the Events of type Warning', () => {
  it('are LISTed when a Collector connects, and kept', async () => {
    const { metadata } = apiJob('warning', '300');
    const regarding = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: 'job-1', uid: 'uid-job-1' };
    const said = { type: 'Warning', reason: 'BackoffLimitExceeded', deprecatedLastTimestamp: new Date().toISOString() };
    bench.fake.objects['events'] = [Object.assign({ metadata, regarding }, said)];
    const auditor = start(WITH_EVENTS);
    await until('a round', () => rounds === 1);
    expect(bench.fake.count('/events')).toBe(0);
    auditor.connected();
    await until('the Events', () => warnings === 1);
    expect(bench.fake.count('/apis/events.k8s.io/v1/events?fieldSelector=type%3DWarning')).toBe(1);
    const reader = openReader(bench.path);
    releases.add(() => reader.close());
    expect(reader.run('uid-job-1')?.events).toMatchObject([{ type: 'Warning', reason: 'BackoffLimitExceeded' }]);
  });

  it('are LISTed once after a gap that the auditor found itself', async () => {
    start(WITH_EVENTS, 50);
    await until('two rounds without a gap', () => rounds > 1);
    expect(warnings).toBe(0);
    bench.fake.objects['jobs']!.push(apiJob('missed', '990'));
    await until('the Events', () => warnings === 1);
    const then = rounds;
    await until('two more rounds', () => rounds > then + 1);
    expect(bench.fake.count('/events')).toBe(1);
  });

  it('are not LISTed while Events are not followed', async () => {
    const auditor = start(ALWAYS);
    await until('a round', () => rounds === 1);
    auditor.connected();
    await until('another round', () => rounds === 2);
    auditor.connected();
    await until('a third round', () => rounds === 3);
    expect(bench.fake.count('/events')).toBe(0);
  });
});
