import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { retryAfterMs } from './delivery.ts';
import { createHttp } from './http.ts';
import type { Http, HttpAnswer } from './http.ts';

let server: Server | undefined;
let http: Http | undefined;
afterEach(async () => {
  await http?.close();
  server?.close();
  http = server = undefined;
});

async function answerTo(headers: readonly string[], body: Uint8Array | string, maxBytes?: number): Promise<HttpAnswer> {
  server = createServer((_, response) => void response.writeHead(200, [...headers]).end(body));
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  http = createHttp({});
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const result = await http.request({ method: 'GET', url, timeoutMs: 60_000, ...(maxBytes && { maxBytes }) });
  if (result.kind === 'failed') throw new Error(result.detail);
  return result;
}

describe('a body with a content-encoding', () => {
  it.each([
    ['gzip', gzipSync],
    ['X-GZip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
    ['deflate, gzip', (text: string) => gzipSync(deflateSync(text))],
  ] as const)('%s is decoded', async (encoding, encode) => {
    const answer = await answerTo(['content-encoding', encoding], encode('[{"key":"ünd"}]'));
    expect(answer).toMatchObject({ status: 200, body: '[{"key":"ünd"}]', complete: true });
  });

  it.each([
    ['of no bytes is empty', 'gzip', '', ''],
    ['that is not what it says is said to be so', 'gzip', 'no gzip', 'content-encoding gzip'],
    ['that nobody knows is said to be so', 'compress', 'x', 'content-encoding compress'],
    ['of too many layers is not tried', 'gzip, gzip, gzip, gzip', 'x', 'cannot be decoded'],
  ])('%s', async (_, encoding, body, text) => {
    const answer = await answerTo(['content-encoding', encoding], body);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain(text);
  });

  it('that grows beyond the limit is not decoded to its end', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const answer = await answerTo(['content-encoding', 'gzip'], bomb, 100_000);
    expect(answer).toMatchObject({ status: 200, complete: false });
    expect(answer.body.length).toBeLessThan(200);
  });

  it('whose end is missing is decoded as far as it came', async () => {
    const whole = gzipSync(Buffer.from(Array.from({ length: 20_000 }, (_, index) => String(index)).join(' ')));
    const answer = await answerTo(['content-encoding', 'gzip'], whole, 20_000);
    expect(answer).toMatchObject({ complete: false });
  });
});

describe('a header that comes twice', () => {
  it('is its first value', async () => {
    const answer = await answerTo(['Retry-After', '7', 'Retry-After', '60', 'Location', '/a', 'Location', '/b'], '');
    expect(answer.headers).toMatchObject({ 'retry-after': '7', location: '/a' });
    expect(retryAfterMs(answer.headers, 0)).toBe(7000);
  });

  it('is its first value when a proxy joined the two', () => {
    expect(retryAfterMs({ 'retry-after': '7, 60' }, 0)).toBe(7000);
    const date = 'Thu, 01 Jan 1970 00:00:09 GMT';
    expect(retryAfterMs({ 'retry-after': date, date: 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0)).toBe(9000);
  });
});
