import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { App } from '../app/app.ts';
import { loadConfig } from '../config/load.ts';
import { configSecrets } from '../config/print.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { connectOtlp, type ExportReply, type OtlpClient } from '../lib/otlp-client.ts';
import { DecodeError } from '../otlp/decode/decode.ts';
import { createLogger } from '../telemetry/logger.ts';
import { shiftFor, shiftRequest, survey, wholeRequests } from './replay-shift.ts';
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
const RETRY_MS = 1_000;
const PROGRESS = 100;

/**
 * `replay FILE`: sends a recording through the real gRPC port of a bridge on a fresh store. All times are moved by
 * whole minutes so that it ended less than a minute ago; `--as-recorded` moves none and runs on the recording's clock.
 * `--serve` keeps the page up afterwards. Of a damaged recording it replays what is whole. Returns 1 when that was not
 * all, or when something could not be delivered within a minute.
 */
export async function replayCommand(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  const { first, last, damage } = await survey(options.file);
  if (first === undefined || last === undefined) {
    throw (
      damage ?? new UserError(`${options.file} does not hold any request`, 'Record one: lifecycle-bridge record FILE')
    );
  }
  const shiftMs = options.asRecorded ? 0 : shiftFor(last, Date.now());
  const clock = options.asRecorded ? new RecordingClock(first) : systemClock;
  const fresh = options.store === undefined ? await mkdtemp(join(tmpdir(), 'lifecycle-bridge-replay-')) : undefined;
  try {
    const config = replayConfig(options, options.store ?? join(fresh ?? '', 'bridge.db'));
    const complete = await replay(options, config, { shiftMs, clock, startedAt: first + shiftMs });
    if (damage === undefined) return complete ? 0 : 1;
    console.error(printable(`error: ${damage.message}\nnext:  ${damage.next}`));
    return 1;
  } finally {
    if (fresh !== undefined) await rm(fresh, { recursive: true, force: true });
  }
}

interface Times {
  readonly shiftMs: number;
  readonly clock: Clock;
  readonly startedAt: Instant;
}

/** True when all of it was taken and delivered. */
async function replay(options: ReplayOptions, config: Config, { shiftMs, clock, startedAt }: Times): Promise<boolean> {
  const logger = createLogger(config.log.level, configSecrets(config));
  const stopped = stopSignal();
  const { startApp } = await import('../app/app.ts'); // large: what ends before this should not wait for it
  const app = await startApp({ config, clock, logger, startedAt, scheduleTimers: false });
  try {
    logStarted(logger, config, app);
    const ended = endOf(app, stopped);
    const refused = await sendAll(options.file, app, shiftMs, clock, ended);
    const settled = await settle(app, ended);
    report(app);
    const served = options.serve ? await serveUntil(app, logger, stopped) : 0;
    return refused === 0 && settled && served === 0;
  } finally {
    await app.stop();
  }
}

/** Aborted by a signal, or by the end of a part that the bridge cannot live without. */
function endOf(app: App, stopped: Promise<unknown>): AbortSignal {
  const end = new AbortController();
  void Promise.race([stopped, app.failed]).then(() => end.abort());
  return end.signal;
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
  const loaded = loadConfig({ env: process.env, overrides, ...fileOption(config) });
  // The port is on the loopback and for this process alone: it needs no token and no TLS.
  const { token: _token, tokenFile: _tokenFile, tls: _tls, ...otlp } = loaded.otlp;
  return { ...loaded, otlp };
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

/** Sends every whole request, each until it is taken, as a Collector does. Returns how many were refused for good. */
async function sendAll(file: string, app: App, shiftMs: number, clock: Clock, ended: AbortSignal): Promise<number> {
  const client = connectOtlp(`127.0.0.1:${app.otlpPort}`);
  let sent = 0;
  let refused = 0;
  try {
    for await (const { arrival, request } of wholeRequests(file)) {
      if (clock instanceof RecordingClock) clock.advanceTo(arrival);
      const { code, details } = await insist(client, shifted(request, shiftMs), ended);
      if (ended.aborted) break;
      sent++;
      if (code !== status.OK) {
        refused++;
        console.error(printable(`request ${sent} was not taken: ${details}`));
      }
      if (sent % PROGRESS === 0) console.error(`replayed ${sent} requests`);
    }
  } finally {
    client.close();
  }
  console.error(`replayed ${sent} requests${refused === 0 ? '' : `, ${refused} of them were not taken`}`);
  return refused;
}

async function insist(client: OtlpClient, request: Uint8Array, ended: AbortSignal): Promise<ExportReply> {
  for (;;) {
    const reply = await client.export(request);
    if (reply.code !== status.UNAVAILABLE || ended.aborted) return reply;
    await wait(reply.retryAfterMs ?? RETRY_MS, undefined, { signal: ended }).catch(() => undefined);
  }
}

/** A recording also holds bytes that are not an export: the bridge says what it makes of them. */
function shifted(request: Uint8Array, shiftMs: number): Uint8Array {
  try {
    return shiftMs === 0 ? request : shiftRequest(request, shiftMs);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return request;
  }
}

/** Until nothing waits to be delivered; false when it takes too long. */
async function settle(app: App, ended: AbortSignal): Promise<boolean> {
  for (let waited = 0; waited < SETTLE_MS && !ended.aborted; waited += POLL_MS) {
    if (app.reader.depth().every(({ pending, notInSync }) => pending === 0 && notInSync === 0)) return true;
    await wait(POLL_MS);
  }
  return false;
}

function report(app: App): void {
  for (const [status, count] of Object.entries(app.reader.runCounts())) console.error(`runs ${status}: ${count}`);
  for (const { destination, pending, notInSync } of app.reader.depth()) {
    console.error(`${destination}: ${pending} deliveries waiting, ${notInSync} vendor objects not in sync`);
  }
}
