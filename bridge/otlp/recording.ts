import { open, type FileHandle } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import type { Instant } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';

/**
 * A recording is a gzip file of frames: [u64 LE arrival, ms since the epoch][u32 LE length][ExportLogsServiceRequest].
 * The reader takes it without gzip too.
 */
export interface Recorded {
  readonly arrival: Instant;
  readonly request: Buffer;
}

export interface RecordingWriter {
  /** Adds one request; resolves when it is in the file, rejects when the file cannot take it. */
  append(arrival: Instant, request: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const HEADER_BYTES = 12;
const MIN_GZIP_BYTES = 18;
/** More than any server lets in: a larger length means that this is not a recording. */
const MAX_REQUEST_BYTES = 1024 * 1024 * 1024;

/** Makes a new recording. Throws a `UserError` when the file exists (unless `force`) or cannot be made. */
export async function createRecording(file: string, { force = false } = {}): Promise<RecordingWriter> {
  const handle = await open(file, force ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new UserError(`${file} exists`, 'choose another name, or overwrite it with --force');
    throw new UserError(`cannot write ${file}: ${error.message}`, 'choose a file in a writable folder');
  });
  return new GzipWriter(handle);
}

class GzipWriter implements RecordingWriter {
  readonly #handle: FileHandle;
  readonly #gzip = createGzip();
  #chunks: Buffer[] = [];
  #written = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#gzip.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  append(arrival: Instant, request: Uint8Array): Promise<void> {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeBigUInt64LE(BigInt(arrival));
    header.writeUInt32LE(request.length, 8);
    this.#gzip.write(header);
    this.#gzip.write(request);
    // After a failure every later append fails too: the file has a hole.
    this.#written = this.#written.then(() => this.#flush());
    return this.#written;
  }

  async close(): Promise<void> {
    try {
      await this.#written;
      this.#gzip.end();
      await finished(this.#gzip);
      await this.#write();
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }

  async #flush(): Promise<void> {
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    await this.#write();
  }

  async #write(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = [];
    if (chunks.length > 0) await this.#handle.writeFile(Buffer.concat(chunks));
  }
}

/**
 * The requests of a recording in their order. A file that ends early or is damaged yields all that is whole before that,
 * then throws a `UserError` with the offset (of the uncompressed bytes).
 */
export async function* readRecording(file: string): AsyncGenerator<Recorded> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new UserError(`cannot read ${file}: ${errorText(error)}`, 'name a file that `record` has written');
  });
  let offset = 0;
  try {
    for await (const recorded of readFrames(handle)) {
      offset += HEADER_BYTES + recorded.request.length;
      yield recorded;
    }
  } catch (error) {
    throw new UserError(
      `${file} is damaged at byte ${offset} of its uncompressed content: ${errorText(error)}`,
      offset === 0 ? 'is it a recording?' : 'what is before that was read; record again if more is needed',
    );
  } finally {
    await handle.close();
  }
}

async function* readFrames(handle: FileHandle): AsyncGenerator<Recorded> {
  const length = await gzipLength(handle);
  let total = 0;
  let parts: Buffer[] = [];
  let size = 0;
  let needed = HEADER_BYTES;
  for await (const chunk of readBytes(handle, length !== undefined) as AsyncIterable<Buffer>) {
    total += chunk.length;
    size += chunk.length;
    parts.push(chunk);
    if (size < needed) continue;
    let rest = Buffer.concat(parts);
    for (needed = frameBytes(rest); rest.length >= needed; needed = frameBytes(rest)) {
      yield { arrival: Number(rest.readBigUInt64LE()), request: rest.subarray(HEADER_BYTES, needed) };
      rest = rest.subarray(needed);
    }
    parts = [rest];
    size = rest.length;
  }
  // The length that gzip ends with reveals a cut between two frames.
  if (size > 0 || (length !== undefined && total % 2 ** 32 !== length)) throw new Error('it ends early');
}

/** Bytes of the frame that starts here, as far as they are known yet. */
function frameBytes(rest: Buffer): number {
  if (rest.length < HEADER_BYTES) return HEADER_BYTES;
  const length = rest.readUInt32LE(8);
  if (length > MAX_REQUEST_BYTES) throw new Error(`a request of ${length} bytes`);
  return HEADER_BYTES + length;
}

/** What the last four bytes of a gzip file say: its uncompressed length, modulo 2^32. -1: cut; undefined: no gzip. */
async function gzipLength(handle: FileHandle): Promise<number | undefined> {
  const { size } = await handle.stat();
  const [start, end] = [Buffer.alloc(3), Buffer.alloc(4)];
  await handle.read(start, 0, start.length, 0);
  if (start.toString('hex') !== '1f8b08') return undefined;
  if (size < MIN_GZIP_BYTES) return -1;
  await handle.read(end, 0, end.length, size - end.length);
  return end.readUInt32LE();
}

function readBytes(handle: FileHandle, gzipped: boolean): Readable {
  const raw = handle.createReadStream({ autoClose: false });
  if (!gzipped) return raw;
  // Without this, the end of a cut file would be an error that takes decompressed bytes with it.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  pipeline(raw, gunzip, () => undefined); // its errors are thrown by reading `gunzip`
  return gunzip;
}
