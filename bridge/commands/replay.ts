import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { App } from '../app.ts';
import { startApp } from '../app.ts';
import { loadConfig } from '../config/load.ts';
import { configSecrets } from '../config/print.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { connectOtlp } from '../otlp/client.ts';
import { readRecording } from '../otlp/recording.ts';
import { createLogger } from '../telemetry/logger.ts';
import { lastArrival, shiftFor, shiftRequest } from './replay-shift.ts';
import { logStarted, serveUntil } from './run.ts';
import { stopSignal } from './signals.ts';
import { fileOption, readArguments } from './terminal.ts';

const OPTIONS = {
  config: { type: 'string' },
  store: { type: 'string' },
  'as-recorded': { type: 'boolean', default: false },
  serve: { type: 'boolean', default: false },
} as const;
/** How long deliveries may take after the last record. */
const SETTLE_MS = 60_000;
const POLL_MS = 100;

/**
 * `replay FILE`: sends a recording through the real gRPC port of a bridge on a fresh store. All times are moved by
 * whole minutes so that it ended less than a minute ago; `--as-recorded` moves none and runs on the recording's clock.
 * `--serve` keeps the page up afterwards. Returns 1 when something could not be delivered within a minute.
 */
export async function replayCommand(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  const last = await lastArrival(options.file);
  if (last === undefined)
    throw new UserError(`${options.file} holds no request`, 'Record one: lifecycle-bridge record FILE');
  const shiftMs = options.asRecorded ? 0 : shiftFor(last, Date.now());
  const first = await firstArrival(options.file);
  const clock = options.asRecorded ? new RecordingClock(first) : systemClock;
  const fresh = options.store === undefined ? await mkdtemp(join(tmpdir(), 'lifecycle-bridge-replay-')) : undefined;
  try {
    const config = replayConfig(options, options.store ?? join(fresh ?? '', 'bridge.db'));
    const logger = createLogger(config.log.level, configSecrets(config));
    const stopped = stopSignal();
    const app = await startApp({ config, clock, logger, startedAt: first + shiftMs });
    logStarted(logger, config, app);
    const sent = await sendAll(options.file, app, shiftMs, clock);
    const settled = await settle(app);
    report(app, sent);
    if (options.serve) return await serveUntil(app, logger, stopped);
    await app.stop();
    return settled ? 0 : 1;
  } finally {
    if (fresh !== undefined) await rm(fresh, { recursive: true, force: true });
  }
}

interface ReplayOptions {
  readonly file: string;
  readonly config: string | undefined;
  readonly store: string | undefined;
  readonly asRecorded: boolean;
  readonly serve: boolean;
}

function readOptions(argv: string[]): ReplayOptions {
  const { values, positionals } = readArguments('replay', argv, OPTIONS, ['FILE']);
  const { config, store, serve } = values;
  return { file: positionals[0] ?? '', config, store, serve, asRecorded: values['as-recorded'] };
}

function replayConfig({ config }: ReplayOptions, path: string): Config {
  const overrides = { cluster: { list: false }, otlp: { host: '127.0.0.1', port: 0 }, store: { path } };
  return loadConfig({ env: process.env, overrides, ...fileOption(config) });
}

/** The recording's time: jumps forward to each request's arrival and runs on from there. */
class RecordingClock implements Clock {
  #at: Instant;
  #since = performance.now();

  constructor(at: Instant) {
    this.#at = at;
  }

  now(): Instant {
    return Math.floor(this.#at + performance.now() - this.#since);
  }

  advanceTo(at: Instant): void {
    if (at <= this.now()) return;
    this.#at = at;
    this.#since = performance.now();
  }
}

async function firstArrival(file: string): Promise<Instant> {
  for await (const { arrival } of readRecording(file)) return arrival;
  return 0;
}

async function sendAll(file: string, app: App, shiftMs: number, clock: Clock): Promise<number> {
  const client = connectOtlp(`127.0.0.1:${app.otlpPort}`);
  let sent = 0;
  try {
    for await (const { arrival, request } of readRecording(file)) {
      if (clock instanceof RecordingClock) clock.advanceTo(arrival);
      const { code, details } = await client.export(shiftMs === 0 ? request : shiftRequest(request, shiftMs));
      if (code !== status.OK) console.error(`request ${sent + 1} was not taken: ${details}`);
      if (++sent % 100 === 0) console.error(`replayed ${sent} requests`);
    }
  } finally {
    client.close();
  }
  return sent;
}

/** Until nothing waits to be delivered; false when it takes too long. */
async function settle(app: App): Promise<boolean> {
  for (let waited = 0; waited < SETTLE_MS; waited += POLL_MS) {
    if (app.reader.depth().every(({ pending, notInSync }) => pending === 0 && notInSync === 0)) return true;
    await wait(POLL_MS);
  }
  return false;
}

function report(app: App, sent: number): void {
  console.error(`replayed ${sent} requests`);
  for (const [status, count] of Object.entries(app.reader.runCounts())) console.error(`runs ${status}: ${count}`);
  for (const { destination, pending, notInSync } of app.reader.depth()) {
    console.error(`${destination}: ${pending} deliveries waiting, ${notInSync} monitors not in sync`);
  }
}
