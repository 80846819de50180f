import { systemClock } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { DecodeError, decodeLogs } from '../otlp/decode/decode.ts';
import type { IngestResult } from '../otlp/receive/ingest.ts';
import { createRecording, type RecordingWriter } from '../otlp/recording.ts';
import { startOtlpServer } from '../otlp/receive/server.ts';
import { stopSignal } from './signals.ts';
import { readArguments } from './terminal.ts';
import { UsageError } from './usage.ts';

const OPTIONS = {
  listen: { type: 'string', default: '127.0.0.1:4317' },
  force: { type: 'boolean', default: false },
} as const;
const PROGRESS_MS = 1000;
const GRACE_MS = 5000;
const NOT_YET: IngestResult = { result: 'unavailable', error: 'the file is not open yet', retryAfterMs: 1000 };

/**
 * `record FILE`: writes every OTLP logs export to FILE until SIGINT or SIGTERM. A request is acknowledged when it is
 * written. Returns the exit code; throws a `UserError` for bad arguments, an existing file or a port in use.
 */
export async function recordCommand(argv: string[]): Promise<number> {
  const { file, force, host, port } = readOptions(argv);
  const stopped = stopSignal();
  let recorder: Recorder | undefined;
  const server = await startOtlpServer({
    host,
    port,
    clock: systemClock,
    ingest: async (request, receivedAt) => recorder?.take(request, receivedAt) ?? NOT_YET,
  });
  // After the port: one that is taken leaves no empty file, and overwrites none.
  const writer = await createRecording(file, { force }).catch(async (error: unknown) => {
    await server.drain(0);
    throw error;
  });
  recorder = new Recorder(writer);
  console.error(`recording to ${file}, listening on ${host}:${server.port}; end it with Ctrl-C`);
  const progress = setInterval(() => recorder.report(), PROGRESS_MS);
  await stopped;
  clearInterval(progress);
  await server.drain(GRACE_MS);
  await writer.close().catch((error: unknown) => {
    throw new UserError(`${file} is not complete: ${errorText(error)}`, 'make room and record again');
  });
  console.error(`recorded ${recorder.summary()} in ${file}`);
  return 0;
}

class Recorder {
  readonly #writer: RecordingWriter;
  #requests = 0;
  #records = 0;
  #bytes = 0;
  #undecodable = 0;
  #reported = '';

  constructor(writer: RecordingWriter) {
    this.#writer = writer;
  }

  async take(request: Uint8Array, receivedAt: number): Promise<IngestResult> {
    await this.#writer.append(receivedAt, request);
    this.#requests++;
    this.#bytes += request.length;
    this.#count(request);
    return { result: 'committed' };
  }

  report(): void {
    const summary = this.summary();
    if (summary !== this.#reported) console.error(summary);
    this.#reported = summary;
  }

  summary(): string {
    const undecodable = this.#undecodable > 0 ? `, ${this.#undecodable} undecodable` : '';
    return `${this.#requests} requests, ${this.#records} records, ${this.#bytes} bytes${undecodable}`;
  }

  #count(request: Uint8Array): void {
    try {
      this.#records += decodeLogs(request).length;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#undecodable++; // a recording keeps what came, whatever it was
    }
  }
}

function readOptions(argv: string[]): { file: string; force: boolean; host: string; port: number } {
  const { values, positionals } = readArguments('record', argv, OPTIONS, ['FILE']);
  const [, ipv6, name, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/u.exec(values.listen) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError('record', `--listen was "${values.listen}", not HOST:PORT`);
  return { file: positionals[0] ?? '', force: values.force, host, port: Number(port) };
}
