import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { constants, createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRecording, readRecording } from './recording.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recording-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
const newFile = (): string => join(folder, `${files++}.gz`);

async function fileWith(bytes: Uint8Array): Promise<string> {
  const file = newFile();
  await writeFile(file, bytes);
  return file;
}

interface Read {
  readonly frames: [number, string][];
  readonly error: unknown;
}

async function read(file: string): Promise<Read> {
  const frames: [number, string][] = [];
  try {
    for await (const { arrival, request } of readRecording(file)) frames.push([arrival, request.toString('hex')]);
    return { frames, error: undefined };
  } catch (error) {
    return { frames, error };
  }
}

function frame(arrival: number, request: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(BigInt(arrival));
  header.writeUInt32LE(request.length, 8);
  return Buffer.concat([header, request]);
}

const two = Buffer.concat([frame(5, Buffer.from('one')), frame(6, Buffer.from('second'))]);
const first: [number, string] = [5, Buffer.from('one').toString('hex')];
const second: [number, string] = [6, Buffer.from('second').toString('hex')];
const damaged = (offset: number): unknown =>
  expect.objectContaining({ name: 'UserError', message: expect.stringContaining(`at byte ${offset} `) });

describe('writing a recording', () => {
  test('what is appended at once is there after the close, in its order and format', async () => {
    const file = newFile();
    const writer = await createRecording(file);
    await Promise.all([writer.append(5, Buffer.from('one')), writer.append(6, Buffer.from('second'))]);
    await writer.close();
    expect(gunzipSync(await readFile(file)).equals(two)).toBe(true);
  });

  test('any requests come back as they were', async () => {
    const requests = fc.array(fc.tuple(fc.maxSafeNat(), fc.uint8Array({ maxLength: 50_000, size: 'max' })), {
      maxLength: 5,
    });
    const comesBack = fc.asyncProperty(requests, async (requests) => {
      const file = newFile();
      const writer = await createRecording(file);
      for (const [arrival, request] of requests) await writer.append(arrival, request);
      await writer.close();
      const hex = requests.map(([arrival, request]) => [arrival, Buffer.from(request).toString('hex')]);
      expect(await read(file)).toEqual({ frames: hex, error: undefined });
    });
    await expect(fc.assert(comesBack, { numRuns: 10 })).resolves.toBeUndefined();
  });

  test('an existing file is left alone unless it may be overwritten', async () => {
    const file = await fileWith(Buffer.from('precious'));
    await expect(createRecording(file)).rejects.toMatchObject({ name: 'UserError', message: `${file} exists` });
    expect(await readFile(file, 'utf8')).toBe('precious');
    await (await createRecording(file, { force: true })).close();
    expect(await read(file)).toEqual({ frames: [], error: undefined });
  });

  test('a file that cannot be made is reported with what to do', async () => {
    await expect(createRecording(join(folder, 'no', 'where.gz'))).rejects.toMatchObject({ name: 'UserError' });
  });

  test('what is appended is in the file before the close', async () => {
    const file = newFile();
    const writer = await createRecording(file);
    const noise = randomBytes(300_000);
    await Promise.all([writer.append(5, Buffer.from('one')), writer.append(6, noise)]);
    expect((await read(file)).frames).toEqual([first, [6, noise.toString('hex')]]);
    await writer.close();
  });

  test('a full disk fails this append, the later ones and the close', async () => {
    const writer = await createRecording('/dev/full', { force: true });
    await expect(writer.append(5, Buffer.from('one'))).rejects.toThrow('ENOSPC');
    await expect(writer.append(6, Buffer.from('two'))).rejects.toThrow('ENOSPC');
    await expect(writer.close()).rejects.toThrow('ENOSPC');
  });
});

describe('reading a recording', () => {
  test('with and without gzip', async () => {
    for (const bytes of [two, gzipSync(two)]) {
      expect(await read(await fileWith(bytes))).toEqual({ frames: [first, second], error: undefined });
    }
  });

  test('a file cut inside a frame yields the whole ones, then says where', async () => {
    for (let length = 16; length < two.length; length++) {
      const cut = await read(await fileWith(two.subarray(0, length)));
      expect(cut).toEqual({ frames: [first], error: damaged(15) });
    }
  });

  test('a gzip file cut anywhere yields the whole frames, then an error', async () => {
    const whole = gzipSync(two);
    for (let length = 3; length < whole.length; length++) {
      const { frames, error } = await read(await fileWith(whole.subarray(0, length)));
      expect(error).toEqual(damaged(frames.length === 2 ? two.length : frames.length * 15));
    }
    const onlyTrailerCut = await read(await fileWith(whole.subarray(0, -1)));
    expect(onlyTrailerCut).toEqual({ frames: [first, second], error: damaged(two.length) });
  });

  test('a gzip file cut between two frames is not taken for a whole one', async () => {
    const gzip = createGzip();
    const chunks: Buffer[] = [];
    gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
    gzip.write(two.subarray(0, 15));
    await new Promise<void>((resolve) => gzip.flush(constants.Z_FULL_FLUSH, resolve));
    expect(await read(await fileWith(Buffer.concat(chunks)))).toEqual({ frames: [first], error: damaged(15) });
  });

  test('a slow reader of a large cut recording gets every whole frame before the error', async () => {
    const frames = Buffer.concat(Array.from({ length: 3000 }, (_, at) => frame(at, randomBytes(100))));
    const cut = gzipSync(frames).subarray(0, 200_000);
    const whole = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH }).length;
    let count = 0;
    const slowly = async (): Promise<void> => {
      for await (const { arrival } of readRecording(await fileWith(cut))) {
        expect(arrival).toBe(count++);
        if (count % 100 === 0) await setImmediate();
      }
    };
    const error: unknown = await slowly().catch((error: unknown) => error);
    expect(count).toBe(Math.floor(whole / 112));
    expect(error).toEqual(damaged(count * 112));
  });

  test('something else is not a recording', async () => {
    const { frames, error } = await read(await fileWith(Buffer.alloc(100, 0xff)));
    expect(frames).toEqual([]);
    expect(error).toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('a request of 4294967295 bytes'),
    });
    expect((await read(join(folder, 'missing'))).error).toMatchObject({ name: 'UserError' });
  });

  test('a reader may stop early', async () => {
    for await (const { arrival } of readRecording(await fileWith(gzipSync(two)))) {
      expect(arrival).toBe(5);
      break;
    }
  });
});
