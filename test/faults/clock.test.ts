import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cronJob } from '../e2e/workloads.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, makeCronJobs, random, SEED, setStage, SHORT, startRun } from './stage.ts';

/** Debian's faketime: the bridge's wall clock comes from a file, its monotonic clock and everybody else's are real. */
const LIBRARY = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));
const HOUR = 3_600;
/** Records are known to be complete a minute later: by then a false "missed" would be reported. */
const STAY_MS = SHORT ? 0 : 75_000;

const folder = mkdtempSync(join(tmpdir(), 'clock-'));
const clockFile = join(folder, 'offset');
let stage: Stage;

beforeEach(({ skip }) =>
  skip(LIBRARY === undefined, 'a clock that steps needs faketime (Debian: apt-get install faketime)'),
);
beforeAll(async () => {
  if (LIBRARY === undefined) return;
  setClock(0);
  const env = {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
    LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '10s',
  };
  stage = await setStage('clock', { env });
});
afterAll(async () => {
  if (LIBRARY !== undefined) await stage.close();
  rmSync(folder, { recursive: true });
});

/** Sets the clock of the bridge to a number of seconds from the real one. */
function setClock(offset: number): void {
  writeFileSync(`${clockFile}.new`, `${offset < 0 ? '' : '+'}${offset}\n`);
  renameSync(`${clockFile}.new`, clockFile);
}

async function metric(text: string): Promise<string[]> {
  const all = await (await fetch(`${stage.bridge.pageUrl}metrics`)).text();
  return all.split('\n').filter((line) => line.includes(text) && !line.startsWith('#'));
}

describe('nothing is lost and nothing is reported twice', () => {
  it('when the clock of the bridge steps back and forward: deliveries go on at once, and nothing is missed or stuck', async () => {
    const { vendors, kube, bridge } = stage;
    const next = random(SEED);
    await makeCronJobs(stage, 'clock');
    await kube.apply(cronJob({ name: 'hourly', schedule: '0 * * * *', pod: { run: '1s' } }));
    const started: Started[] = [];
    const startSome = async (): Promise<void> => {
      for (let n = 0; n < 3; n++) started.push(await startRun(stage, 'clock', started.length));
    };
    for (const offset of [-2 * HOUR, 2 * HOUR, 24 * HOUR, -HOUR, 0]) {
      // So that something waits for its next try, or behind a hold, when the clock steps.
      vendors.inject({ match: '/ping/', times: 2, status: next() < 0.5 ? 500 : 503 });
      await startSome();
      setClock(offset);
      await startSome();
      await expectReported(stage, started);
      await pause(offset === 2 * HOUR ? STAY_MS : 0);
    }
    if (!SHORT) {
      setClock(-24 * HOUR);
      await bridge.settled();
      await bridge.kill9();
      setClock(-26 * HOUR);
      await bridge.start();
      await startSome();
      await expectReported(stage, started);
    }
    expect(await metric('kind="cronjob.missed"')).toEqual([]);
    expect(await metric('kind="run.stuck"')).toEqual([]);
    expect((await metric('lifecycle_bridge_watch_dead')).filter((line) => !line.endsWith(' 0'))).toEqual([]);
    expect((await metric('reason="expired"')).concat(await metric('reason="superseded"'))).toEqual([]);
    expect(readFileSync(bridge.logFile, 'utf8')).toContain('the clock was set');
  });
});
